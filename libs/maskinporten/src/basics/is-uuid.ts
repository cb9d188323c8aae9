import type { UUID } from 'node:crypto';

const PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** A UUID of any version, in capital or small letters (RFC 9562 §4). */
export const isUuid = (value: unknown): value is UUID => typeof value === 'string' && PATTERN.test(value);
