import { describe, expect, it } from '@jest/globals';
import { createError } from '../errors/index.js';
import { pollDelayMs, pollRequest } from './request-poll.js';
import type { RequestStatus } from './system-user-request.js';

const answers = (...list: (RequestStatus | undefined | Error)[]) => {
  let index = 0;
  return async (): Promise<{ status: RequestStatus } | undefined> => {
    const answer = list[Math.min(index, list.length - 1)];
    index += 1;
    if (answer instanceof Error) throw answer;
    return answer === undefined ? undefined : { status: answer };
  };
};

describe('waiting for a request', () => {
  const waits: number[] = [];
  const options = {
    random: () => 0.5,
    sleep: async (ms: number) => {
      waits.push(ms);
      await Promise.resolve();
    },
  };

  it('looks at once, then every 5 s, every minute, and every hour', async () => {
    waits.length = 0;
    const news = Array.from({ length: 45 }, (): RequestStatus => 'New');
    await expect(pollRequest(answers(...news, 'Accepted'), options)).resolves.toEqual({ status: 'Accepted' });
    expect(waits.map((ms) => Math.round(ms))).toEqual([
      ...Array.from({ length: 12 }, () => 5_000),
      ...Array.from({ length: 30 }, () => 60_000),
      ...Array.from({ length: 3 }, () => 3_600_000),
    ]);
    expect(pollDelayMs(1_000)).toBe(3_600_000);
  });

  it.each(['Accepted', 'Rejected', 'Denied', 'TimedOut', 'NoChangeNeeded'] as const)('ends at %s', async (status) => {
    await expect(pollRequest(answers(status), options)).resolves.toEqual({ status });
  });

  it('ends when the request is gone', async () => {
    await expect(pollRequest(answers('New', undefined), options)).resolves.toBeUndefined();
  });

  it('waits a passing fault out, and ends at any other', async () => {
    const down = createError('MP_UPSTREAM', { message: 'down' });
    await expect(pollRequest(answers(down, down, 'Accepted'), options)).resolves.toEqual({ status: 'Accepted' });
    const refused = createError('MP_NOT_GRANTED', { message: 'no' });
    await expect(pollRequest(answers(refused), options)).rejects.toBe(refused);
  });

  it('F-13: ends with MP_ABORTED as soon as the signal fires', async () => {
    const controller = new AbortController();
    const waiting = pollRequest(answers('New'), { signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'MP_ABORTED' });
  });
});
