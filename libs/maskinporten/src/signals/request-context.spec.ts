import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { defer, firstValueFrom, forkJoin, from, mergeMap } from 'rxjs';
import { runs } from '../../../../test/support/size.js';
import { RequestContext } from './request-context.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const HEADER = `00-${TRACE}-b7ad6b7169203331-01`;
const currentId = (): string | undefined => RequestContext.current()?.requestId;
const turn = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What a request sees of itself, in five places at once and at its end. */
const served = async (requestId: string): Promise<(string | undefined)[]> =>
  RequestContext.run(new RequestContext({ requestId }), async () => {
    const parallel = await Promise.all([1, 2, 3].map(async () => turn().then(currentId)));
    const observed = await firstValueFrom(
      forkJoin([1, 2].map(() => from(turn()).pipe(mergeMap(() => defer(async () => currentId()))))),
    );
    return [...parallel, ...observed, currentId()];
  });

describe('RequestContext', () => {
  it('there is none outside', () => {
    expect(RequestContext.current()).toBeUndefined();
  });

  it('follows promises, parallel calls and Observables, and never mixes two requests', async () => {
    const ids = Array.from({ length: 50 }, (_, index) => `request-${index}`);
    const seen = await Promise.all(ids.map(served));
    expect(seen).toEqual(ids.map((id) => Array.from({ length: 6 }, () => id)));
  });

  it('is told its caller once', () => {
    const context = new RequestContext({ requestId: 'r1' });
    expect(context.caller).toBeUndefined();
    context.identify('acme');
    context.identify('acme');
    expect(context.caller).toBe('acme');
    expect(() => context.identify('other')).toThrow(expect.objectContaining({ code: 'MP_REQUEST' }));
    expect(new RequestContext({ requestId: 'r1', caller: 'acme' }).caller).toBe('acme');
  });

  it.each(['', ' ', 'a b', 'x'.repeat(129), 'a\nb', 'æ'])('T-57: refuses %j as a request id or caller', (value) => {
    const refusal = expect.objectContaining({ code: 'MP_REQUEST' });
    expect(() => new RequestContext({ requestId: value })).toThrow(refusal);
    expect(() => new RequestContext({ requestId: 'r', caller: value })).toThrow(refusal);
    expect(() => new RequestContext({ requestId: 'r' }).identify(value)).toThrow(refusal);
  });

  it('goes on with the trace that arrived, with an id of its own for each call', () => {
    const context = new RequestContext({ requestId: 'r1', traceparent: HEADER });
    expect(context.traceId).toBe(TRACE);
    const made = Array.from({ length: 10 }, () => context.nextTraceparent() ?? '');
    for (const header of made) expect(header).toMatch(new RegExp(`^00-${TRACE}-(?!0{16})[0-9a-f]{16}-01$`));
    expect(new Set([...made, HEADER]).size).toBe(11);
  });

  it.each([
    undefined,
    '',
    'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    '00-00000000000000000000000000000000-b7ad6b7169203331-01',
    '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01',
    '00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01',
    `${HEADER}\r\nx: y`,
  ])('ignores %j, as the standard asks', (traceparent) => {
    const context = new RequestContext({ requestId: 'r1', traceparent });
    expect([context.traceId, context.nextTraceparent()]).toEqual([undefined, undefined]);
  });

  it('T-57: whatever arrives, what is passed on is a traceparent or nothing', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.constantFrom(HEADER, `${HEADER}-x`, `01${HEADER.slice(2)}-a`)), (header) => {
        const next = new RequestContext({ requestId: 'r', traceparent: header }).nextTraceparent();
        expect(next ?? '00-'.padEnd(55, '0')).toMatch(/^00-[0-9a-f-]{52}$/);
      }),
      { numRuns: runs(2_000) },
    );
  });
});
