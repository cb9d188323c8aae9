import { describe, expect, it } from '@jest/globals';
import {
  Listeners,
  beforeDeadline,
  errorCode,
  isRecord,
  isUuid,
  isWholeNumber,
  nearestName,
  notWholeNumber,
  parseHttpDate,
  retryAfterSeconds,
  untilAborted,
} from './index.js';

describe('what is looked at', () => {
  it('isRecord: an object, not a list and not null', () => {
    expect([{}, Object.create(null), [], null, 'a', 7, undefined].map(isRecord)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
  });

  it('errorCode: a code, never a text or a number that may be about somebody', () => {
    const codes = ['ENOENT', 'ERR_OSSL_UNSUPPORTED', '23505', '42P01', 'CKR_PIN_INCORRECT'];
    expect(codes.map((code) => errorCode({ code }))).toEqual(codes);
    for (const code of ['', 'X', 'no such file', 'enoent', '01819000391', '310000027', `E${'X'.repeat(64)}`, 7, null]) {
      expect(errorCode({ code })).toBeUndefined();
    }
    for (const error of [undefined, null, 'ENOENT', new Error('ENOENT')]) expect(errorCode(error)).toBeUndefined();
  });

  it('isWholeNumber: whole, a number, and within the range, whose ends count', () => {
    expect([1, 2, 3].map((value) => isWholeNumber(value, 1, 3))).toEqual([true, true, true]);
    for (const value of [0, 4, 1.5, '2', Number.NaN, Infinity, 2n, undefined, null]) {
      expect(isWholeNumber(value, 1, 3)).toBe(false);
    }
    expect(isWholeNumber(2 ** 53, 0, Infinity)).toBe(false);
    expect(notWholeNumber(1, 3)).toBe('must be a whole number from 1 to 3');
  });

  it('isUuid: of any version, in either case, and nothing around it', () => {
    const uuid = '0195d3a4-98f3-7c55-8f0d-5d6f3b9d2f1a';
    expect([uuid, uuid.toUpperCase()].map(isUuid)).toEqual([true, true]);
    for (const text of [`${uuid}\n`, `x${uuid}`, uuid.replaceAll('-', ''), uuid.slice(1), 7, undefined]) {
      expect(isUuid(text)).toBe(false);
    }
  });

  it('nearestName: what was probably meant, or nothing', () => {
    const known = ['scopes', 'destinations', 'client'];
    expect(['scpoes', 'SCOPES', 'destination', 'klient'].map((name) => nearestName(name, known))).toEqual([
      'scopes',
      'scopes',
      'destinations',
      'client',
    ]);
    expect(['environment', 'x'.repeat(65)].map((name) => nearestName(name, known))).toEqual([undefined, undefined]);
    expect(nearestName('scpoes', known, 1)).toBeUndefined();
  });

  it('parseHttpDate: the one form that is sent (RFC 9110 §5.6.7)', () => {
    expect(parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT')).toBe(784_111_777_000);
    for (const text of [
      '',
      'Sunday, 06-Nov-94 08:49:37 GMT',
      'Sun Nov  6 08:49:37 1994',
      '1994-11-06',
      'Sun, 06 Nov 1994 48:49:37 GMT',
    ]) {
      expect(parseHttpDate(text)).toBeUndefined();
    }
  });

  it('retryAfterSeconds: whole seconds, rounded up, at least one', () => {
    expect([0, 1, 1_000, 1_001, 59_999].map(retryAfterSeconds)).toEqual([1, 1, 1, 2, 60]);
  });
});

describe('Listeners', () => {
  it('F-138: one that throws or rejects is counted, and the others hear', async () => {
    const listeners = new Listeners<[fact: string]>();
    const heard: string[] = [];
    listeners.add(() => {
      throw new Error('logger is broken');
    });
    // A promise where nothing is expected: JavaScript allows it, so it must not end the process.
    listeners.add(async () => Promise.reject(new Error('metrics are broken')));
    listeners.add(async () => Promise.resolve());
    listeners.add((fact) => heard.push(fact));
    listeners.tell('now');
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard).toEqual(['now']);
    expect(listeners.failures).toBe(2);
  });

  it('one that was taken away hears nothing, and one that was added by a listener waits for the next time', () => {
    const listeners = new Listeners<[]>();
    let heard = 0;
    const stop = listeners.add(() => {
      heard += 1;
      listeners.add(() => (heard += 100));
    });
    listeners.tell();
    expect(heard).toBe(1);
    stop();
    listeners.tell();
    expect(heard).toBe(101);
  });
});

const gone = (): Error => new Error('gone');

describe('waiting', () => {
  it('untilAborted: one who leaves gets an error, and the promise is still there for the others', async () => {
    const settled = Promise.resolve(7);
    const promise = new Promise<void>((resolve) => {
      setImmediate(resolve);
    }).then(async () => settled);
    const controller = new AbortController();
    const leaving = untilAborted(promise, controller.signal, gone);
    const staying = untilAborted(promise, new AbortController().signal, gone);
    controller.abort();
    await expect(leaving).rejects.toThrow('gone');
    await expect(untilAborted(promise, controller.signal, gone)).rejects.toThrow('gone');
    await expect(staying).resolves.toBe(7);
    await expect(untilAborted(promise, undefined, gone)).resolves.toBe(7);
    const late = untilAborted(Promise.reject(new Error('fault')), new AbortController().signal, gone);
    await expect(late).rejects.toThrow('fault');
  });

  it('beforeDeadline: gives what the task gives or throws, and lets go of the signal', async () => {
    const listening = new Set<unknown>();
    const signal = Object.assign(new AbortController().signal, {
      addEventListener: (_: string, listener: unknown) => listening.add(listener),
      removeEventListener: (_: string, listener: unknown) => listening.delete(listener),
    });
    const deadline = { ms: 60_000, signal, late: gone };
    await expect(beforeDeadline(async () => Promise.resolve(7), deadline)).resolves.toBe(7);
    await expect(beforeDeadline(async () => Promise.reject(new Error('fault')), deadline)).rejects.toThrow('fault');
    await new Promise((resolve) => setImmediate(resolve));
    expect(listening.size).toBe(0);
  });

  it('beforeDeadline: ends the wait and the task at the deadline, also of a task that does not listen', async () => {
    let given: AbortSignal | undefined;
    const never = async (signal: AbortSignal): Promise<never> => {
      given = signal;
      return new Promise(() => undefined);
    };
    await expect(beforeDeadline(never, { ms: 1, late: () => new Error('late') })).rejects.toThrow('late');
    expect(given?.reason).toHaveProperty('message', 'late');
  });

  it('beforeDeadline: ends with the caller, and begins nothing for one who has left', async () => {
    const controller = new AbortController();
    let began = 0;
    const never = async (): Promise<never> => {
      began += 1;
      return new Promise(() => undefined);
    };
    const deadline = { ms: 60_000, signal: controller.signal, late: gone };
    const waiting = beforeDeadline(never, deadline);
    controller.abort(new Error('left'));
    await expect(waiting).rejects.toThrow('left');
    await expect(beforeDeadline(never, { ...deadline, aborted: gone })).rejects.toThrow('gone');
    expect(began).toBe(1);
  });
});
