import { daysLeft, type CredentialEnd } from '../keys/index.js';

/** Days before the end at which a notice is logged, once each. */
const MILESTONES = [60, 30, 7, 1, 0] as const;
type Milestone = (typeof MILESTONES)[number];

/** One line for the log. */
export interface ExpiryNotice {
  readonly level: 'log' | 'warn' | 'error';
  readonly message: string;
  readonly what: CredentialEnd['what'];
  readonly daysLeft: number;
  readonly endsAt: string;
}

/** Says when a credential has come nearer to its end: one notice per milestone and not one per look. */
export class ExpiryNotices {
  readonly #noticed = new Map<string, Milestone>();

  /**
   * @param identity the key that the ends belong to: a new key starts again
   * @returns what has to be said now; of several milestones passed at once only the last
   */
  due(identity: string, ends: readonly CredentialEnd[], nowMs: number): ExpiryNotice[] {
    return ends.flatMap(({ what, endsAt, counts }) => {
      const days = daysLeft(endsAt, nowMs);
      const reached = MILESTONES.findLast((milestone) => days <= milestone);
      const name = `${identity} ${what} ${endsAt.getTime()}`;
      if (reached === undefined || this.#noticed.get(name) === reached) return [];
      this.#noticed.set(name, reached);
      const level = counts ? levelOf(reached) : 'log';
      return [{ level, message: sentence(what, days), what, daysLeft: days, endsAt: endsAt.toISOString() }];
    });
  }
}

function levelOf(milestone: Milestone): ExpiryNotice['level'] {
  if (milestone === 60) return 'log';
  return milestone === 30 ? 'warn' : 'error';
}

function sentence(what: CredentialEnd['what'], days: number): string {
  const name = what === 'certificate' ? 'enterprise certificate' : 'registered signing key';
  if (days === 0) return `the ${name} has expired`;
  return `the ${name} expires in ${days} day${days === 1 ? '' : 's'}`;
}
