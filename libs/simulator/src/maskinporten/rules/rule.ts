import type { Grant } from '../grant.js';
import type { MaskinportenState } from '../maskinporten-state.js';
import type { Refusal } from '../refusal.js';

/** A refusal, or a remark for the log, or nothing to say. */
export type Verdict = Refusal | string | undefined;

/** One rule of the protocol. Rules run in order; the first refusal is the answer, the rest only go into the log. */
export interface Rule {
  /** Name in the request log. */
  readonly check: string;
  /** Rules that must have passed, because this one builds on what they found. */
  readonly needs?: readonly string[];
  readonly run: (grant: Grant, state: MaskinportenState) => Verdict | Promise<Verdict>;
}

/** A fact that an earlier rule was to establish; `needs` guarantees it. */
export function established<T>(fact: T | undefined): T {
  if (fact === undefined) throw new Error('A rule ran before the rule that it needs.');
  return fact;
}
