import { isRecord } from '../basics/index.js';
import { createError } from '../errors/index.js';
import type { AltinnAnswer } from './altinn-api.js';
import { unusableAnswer } from './refused-answer.js';
import { read, readText, type WireRecord } from './wire.js';
import { PLATFORM_FIELD } from './altinn-config.js';

/** More pages than any vendor has customers for; it ends a list that never ends. */
const MAX_PAGES = 2_000;
const TOKEN = /^[\w\-.~=+/%]{1,512}$/;

/**
 * Walks through a paged list. Of `links.next` only the value of `token` is used: a published example names an internal
 * host, and a bearer token goes to no host that was not configured (Altinn, system users).
 *
 * @param fetchPage asks for the page with that token; undefined for the first
 */
export async function* pages(
  what: string,
  fetchPage: (token: string | undefined) => Promise<AltinnAnswer>,
): AsyncGenerator<readonly WireRecord[], void, undefined> {
  const seen = new Set<string>();
  let token: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const { json } = await fetchPage(token);
    const { records, next } = readPage(what, json);
    yield records;
    if (next === undefined) return;
    if (seen.has(next)) throw unusableAnswer(what, 'its pages go in a circle');
    seen.add(next);
    token = next;
  }
  throw createError('MP_PROTOCOL', {
    message: `The list of Altinn has more than ${MAX_PAGES} pages (${what}).`,
    field: PLATFORM_FIELD,
  });
}

/** `{ links: { next? }, data: […] }`; a published example nests `data` one array deeper. */
export function readPage(what: string, json: unknown): { records: readonly WireRecord[]; next: string | undefined } {
  const data = isRecord(json) ? read(json, 'data') : undefined;
  if (!isRecord(json) || !Array.isArray(data)) throw unusableAnswer(what, 'there is no list in it');
  const list: unknown[] = data.length > 0 && data.every(Array.isArray) ? data.flat(1) : data;
  if (!list.every(isRecord)) throw unusableAnswer(what, 'its list holds something that is not an object');
  return { records: list, next: nextToken(what, json) };
}

function nextToken(what: string, json: WireRecord): string | undefined {
  const links = read(json, 'links');
  const next = isRecord(links) ? readText(links, 'next') : undefined;
  if (next === undefined) return undefined;
  const query = next.includes('?') ? next.slice(next.indexOf('?') + 1) : '';
  const token = new URLSearchParams(query).get('token');
  if (token === null || !TOKEN.test(token)) throw unusableAnswer(what, 'the link to the next page has no usable token');
  return token;
}
