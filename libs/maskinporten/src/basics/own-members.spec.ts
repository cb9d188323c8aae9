import { describe, expect, it } from '@jest/globals';
import { ownMembers } from './own-members.js';

describe('ownMembers', () => {
  it('T-66: has what the object has itself, and nothing of a polluted prototype', () => {
    Object.assign(Object.prototype, { proxy: 'http://evil.example' });
    try {
      const members = ownMembers<{ ca: string; proxy?: string }>({ ca: 'pem' });
      expect([members.ca, members.proxy]).toEqual(['pem', undefined]);
      expect(Object.getPrototypeOf(members)).toBeNull();
    } finally {
      delete (Object.prototype as { proxy?: string }).proxy;
    }
  });

  it.each([undefined, null, 'text', 7, () => undefined])('has no members for %p', (value) => {
    expect(Object.keys(ownMembers(value as never))).toEqual([]);
  });
});
