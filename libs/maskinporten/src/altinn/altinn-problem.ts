import { isRecord } from '../basics/index.js';
import { sanitiseText } from '../errors/index.js';
import type { AltinnValidationError } from './altinn-error.js';
import { readList, readRecords, readText } from './wire.js';

/** What can be read out of a refusal: a problem document, plain text, or nothing at all (Altinn, source of authentication). */
export interface AltinnProblem {
  /** `AUTH-nnnnn` or `STD-nnnnn`. */
  readonly code?: string;
  /** Altinn's own sentence, cleaned. */
  readonly text?: string | undefined;
  readonly traceId?: string;
  readonly validationErrors: readonly AltinnValidationError[];
}

const CODE = /^[A-Z]{2,8}(?:\.[A-Z]{2,8})?-\d{5}$/;
const TRACE_ID = /^[\w:.-]{8,80}$/;

/**
 * @param json the parsed body, undefined when it is not JSON
 * @param text the body as text
 * @param secrets what was sent and must not be echoed
 */
export function readProblem(json: unknown, text: string, secrets: readonly string[]): AltinnProblem {
  if (!isRecord(json)) {
    const plain = text.startsWith('<') ? undefined : sanitiseText(text, secrets);
    return { validationErrors: [], text: plain };
  }
  const code = readText(json, 'code');
  // Newer answers say it in `title`, older ones in `detail` with a generic title.
  const said = sanitiseText(readText(json, 'detail') ?? readText(json, 'title'), secrets);
  const traceId = readText(json, 'traceId');
  return {
    ...(code !== undefined && CODE.test(code) ? { code } : {}),
    text: said,
    ...(traceId !== undefined && TRACE_ID.test(traceId) ? { traceId } : {}),
    validationErrors: readRecords(json, 'validationErrors').flatMap((entry) => {
      const rule = readText(entry, 'code');
      if (rule === undefined || !CODE.test(rule)) return [];
      const paths = (readList(entry, 'paths') ?? []).flatMap((path) => sanitiseText(path) ?? []);
      return [{ code: rule, paths: paths.slice(0, 10) }];
    }),
  };
}
