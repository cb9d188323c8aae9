import { expect, it } from '@jest/globals';
import { needs } from './needs.js';

it('runs', () => {
  expect(1).toBe(1);
});

needs('Present', true, () => {
  it('runs what has what it needs', () => {
    expect(1).toBe(1);
  });
});

needs('Absent', false, () => {
  it('never runs', () => {
    expect(1).toBe(2);
  });
});
