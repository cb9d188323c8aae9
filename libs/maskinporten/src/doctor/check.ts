import type { Examination } from './examination.js';
import type { Finding, Topic } from '../findings/index.js';

/** Looks at one thing. It does not throw: what is wrong is its result. */
export interface Check extends Topic {
  /** Topics that must not have failed: where one did, this check would only report the consequence. */
  readonly needs?: readonly string[];
  readonly run: (examination: Examination) => Promise<readonly Finding[]> | readonly Finding[];
}
