import { describe, expect, it } from '@jest/globals';
import { UsedGrants } from './used-grants.js';

describe('used grants', () => {
  it('count by assertion, and by jti of one client', () => {
    const used = new UsedGrants();
    expect(used.use('a', 'j', 'jwt-1', 100, 0)).toBe(true);
    expect(used.use('a', 'j', 'jwt-2', 100, 0)).toBe(false);
    expect(used.use('b', 'j', 'jwt-1', 100, 0)).toBe(false);
    expect(used.use('b', 'j', 'jwt-3', 100, 0)).toBe(true);
  });

  it('a client id and a jti cannot be shifted into each other', () => {
    const used = new UsedGrants();
    expect(used.use('a b', 'c', 'jwt-1', 100, 0)).toBe(true);
    expect(used.use('a', 'b c', 'jwt-2', 100, 0)).toBe(true);
  });

  it('are remembered through any number of others for an hour past their end, and then forgotten', () => {
    const used = new UsedGrants();
    used.use('a', 'old', 'old', 100, 0);
    const others = (nowSeconds: number): void => {
      for (let index = 0; index < 10_000; index += 1) {
        used.use('a', `${nowSeconds}-${index}`, `${nowSeconds}-${index}`, nowSeconds + 100, nowSeconds);
      }
    };
    others(100 + 3600);
    expect(used.use('a', 'old', 'new', 100, 3700)).toBe(false);
    others(100 + 3601);
    expect(used.use('a', 'old', 'new', 100, 3701)).toBe(true);
  });
});
