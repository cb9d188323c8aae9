import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { onAbort } from './on-abort.js';

describe('onAbort', () => {
  it('puts one listener on a signal that many share, and takes it off after the last', () => {
    const { signal } = new AbortController();
    const releases = Array.from({ length: 1_000 }, () => onAbort(signal, () => undefined));
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    for (const release of releases.slice(1)) release();
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    releases[0]?.();
    releases[0]?.();
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('calls everybody who still waits, once', () => {
    const controller = new AbortController();
    const called: string[] = [];
    onAbort(controller.signal, () => called.push('a'));
    const release = onAbort(controller.signal, () => called.push('b'));
    onAbort(controller.signal, () => called.push('c'));
    release();
    controller.abort();
    controller.abort();
    expect(called).toEqual(['a', 'c']);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('takes a new listener after everybody had gone', () => {
    const controller = new AbortController();
    onAbort(controller.signal, () => undefined)();
    let called = 0;
    onAbort(controller.signal, () => (called += 1));
    controller.abort();
    expect(called).toBe(1);
  });
});
