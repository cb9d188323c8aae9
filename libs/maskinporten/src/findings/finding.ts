import type { ActBy, Hint } from '../errors/index.js';

export type FindingLevel = 'good' | 'warning' | 'failed' | 'skipped';

/** The verdict of one check about one thing. Nothing in it is secret. */
export interface Finding {
  /** `topic` or `topic.cause`: `audience.slash`, `scope.not-registered`. Stable. */
  readonly id: string;
  readonly level: FindingLevel;
  /** What was looked at. */
  readonly title: Hint;
  /** What was seen; of a skipped check, why it was. */
  readonly cause: Hint;
  /** What to do; always there when it failed, and with a warning. */
  readonly fix?: Hint;
  readonly actBy?: ActBy;
  /** The setting to change, as in `failures[].field` of errors. */
  readonly field?: string;
  /** Number of the well-known mistake (docs/doctor.md). */
  readonly pitfall?: number;
  /** Of a skipped check: id of the finding that it would only have repeated. */
  readonly because?: string;
  /** What Maskinporten called it. */
  readonly mpCode?: string;
  /** For Digdir's service desk. */
  readonly traceId?: string;
}

/** One thing that is looked at. */
export interface Topic {
  readonly id: string;
  readonly title: Hint;
}

export const words = (en: string, nb: string): Hint => ({ en, nb });

/** What a finding that asks for something says besides its topic. */
export interface Complaint {
  /** After the topic's id and a dot. */
  readonly kind: string;
  readonly cause: Hint;
  readonly fix: Hint;
  readonly field: string;
  /** Default `you`. */
  readonly actBy?: ActBy | undefined;
  readonly pitfall?: number | undefined;
  readonly mpCode?: string | undefined;
  readonly traceId?: string | undefined;
}

export function good({ id, title }: Topic, cause: Hint): Finding {
  return Object.freeze({ id, level: 'good', title, cause });
}

export function failed(topic: Topic, complaint: Complaint): Finding {
  return complain('failed', topic, complaint);
}

export function warning(topic: Topic, complaint: Complaint): Finding {
  return complain('warning', topic, complaint);
}

/** @param because the finding that stands in the way; none when there is nothing to look at */
export function skipped({ id, title }: Topic, cause: Hint, because?: Finding): Finding {
  return Object.freeze({
    id,
    level: 'skipped',
    title,
    cause,
    ...(because === undefined ? {} : { because: because.id }),
  });
}

export const topicOf = ({ id }: Pick<Finding, 'id'>): string => id.split('.', 1)[0] ?? id;

function complain(level: 'failed' | 'warning', topic: Topic, complaint: Complaint): Finding {
  const { kind, cause, fix, field, actBy = 'you', pitfall, mpCode, traceId } = complaint;
  return Object.freeze({
    id: `${topic.id}.${kind}`,
    level,
    title: topic.title,
    cause,
    fix,
    actBy,
    field,
    ...(pitfall === undefined ? {} : { pitfall }),
    ...(mpCode === undefined ? {} : { mpCode }),
    ...(traceId === undefined ? {} : { traceId }),
  });
}
