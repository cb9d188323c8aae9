import type { LoggerService } from '@nestjs/common';
import { printable, redact } from '../basics/index.js';
import type { MaskinportenError } from '../errors/index.js';
import type { TokenEvent } from '../tokens/index.js';

type Line = Readonly<Record<string, unknown>>;

/** Writes one structured line per event. Never a token, assertion, key or person number. */
export function logTokenEvent(logger: LoggerService, event: TokenEvent): void {
  try {
    write(logger, event);
  } catch {
    // A logger that fails must not fail the call it speaks about (F-138).
  }
}

function write(logger: LoggerService, event: TokenEvent): void {
  const { type, ...facts } = event;
  switch (event.type) {
    case 'token-obtained':
      logger.log(line('token obtained', facts));
      break;
    case 'token-refused': {
      const { error, ...rest } = event;
      logger.warn(
        line('token refused', {
          scopes: rest.scopes,
          kind: rest.kind,
          organisation: rest.organisation,
          background: rest.background,
          ...about(error),
        }),
      );
      break;
    }
    case 'attempt-failed':
      logger.debug?.(
        line('token attempt failed', { scopes: event.scopes, attempt: event.attempt, ...about(event.error) }),
      );
      break;
    case 'key-fallback':
      logger.warn(
        line('signing key replaced by its fallback', {
          fromKid: event.fromKid,
          toKid: event.toKid,
          ...about(event.error),
        }),
      );
      break;
    case 'key-changed':
      logger.log(line('signing key changed', facts));
      break;
    case 'key-reload-failed':
      logger.error(line('changed key file refused, the old key stays', { field: event.field, ...about(event.error) }));
      break;
    case 'circuit':
      logger.warn(line(`circuit ${event.state}`, { kind: event.kind, retryAfterMs: event.retryAfterMs }));
      break;
    case 'token-store':
      logger.warn(line(`shared token store ${event.state}`, { reason: event.reason }));
      break;
    case 'token-evicted':
      logger.debug?.(line('usable token dropped, the cache is full', facts));
      break;
    case 'clock-offset':
      logger.debug?.(line('clock offset measured', { offsetMs: event.offsetMs }));
      break;
    case 'security':
      logger.error(line('security event', { what: event.what, detail: event.detail }));
      break;
    case 'warning':
      logger.warn(line('warning', { field: event.field, reason: event.reason }));
      break;
    default:
      logger.debug?.(line(type, {}));
  }
}

/** The facts of an error that help at three in the morning; its stack does not belong in a line. */
function about(error: MaskinportenError): Line {
  const { code, mpCode, oauthError, description, traceId, status, attempts, elapsedMs, kid, jti, actBy, retryAfterMs } =
    error;
  return {
    code,
    mpCode,
    oauthError,
    reason: error.message,
    description,
    traceId,
    status,
    attempts,
    elapsedMs,
    kid,
    jti,
    actBy,
    retryAfterMs,
  };
}

function line(message: string, facts: Line): Line {
  const entries = Object.entries(facts).filter(([, value]) => value !== undefined);
  return Object.fromEntries([['message', message], ...entries.map(([name, value]) => [name, clean(value)])]);
}

function clean(value: unknown): unknown {
  if (typeof value === 'string') return redact(printable(value));
  return Array.isArray(value) ? value.map(clean) : value;
}
