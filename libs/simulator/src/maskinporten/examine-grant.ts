import type { LoggedCheck } from '../kernel/index.js';
import type { Grant } from './grant.js';
import type { MaskinportenState } from './maskinporten-state.js';
import type { Refusal } from './refusal.js';
import { RULES } from './rules/index.js';

export interface Examination {
  readonly checks: readonly LoggedCheck[];
  /** Of the first rule that failed; `undefined` for a good grant. */
  readonly refusal: Refusal | undefined;
}

/** Applies every rule that can be applied, so that the log shows all that is wrong and not only the first. */
export async function examineGrant(grant: Grant, state: MaskinportenState): Promise<Examination> {
  const passed = new Set<string>();
  const checks: LoggedCheck[] = [];
  let first: Refusal | undefined;
  for (const { check, needs = [], run } of RULES) {
    if (!needs.every((needed) => passed.has(needed))) {
      checks.push({ check, ok: undefined });
      continue;
    }
    const verdict = await run(grant, state);
    if (typeof verdict === 'object') {
      first ??= verdict;
      checks.push({ check, ok: false, detail: verdict.description });
    } else {
      passed.add(check);
      checks.push({ check, ok: true, ...(verdict !== undefined && { detail: verdict }) });
    }
  }
  return { checks, refusal: first };
}
