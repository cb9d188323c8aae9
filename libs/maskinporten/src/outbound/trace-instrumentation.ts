import { channel } from 'node:diagnostics_channel';

/** Where every copy of `@opentelemetry/api` 1.x registers what the application has set up. */
const REGISTRY = Symbol.for('opentelemetry.js.api.1');
/** Key of the active span in an OpenTelemetry context; the API makes it with `Symbol.for`. */
const SPAN = Symbol.for('OpenTelemetry Context Key SPAN');
/** Instrumentations of undici and of Node's fetch listen here and write their own `traceparent`. */
const fetchRequests = channel('undici:request:create');

interface Registry {
  readonly context?: { active?(): { getValue?(key: symbol): unknown } | undefined };
}

/**
 * Does an instrumentation write `traceparent` into this call itself? Then ours would be a second one. Read from the
 * registry of OpenTelemetry's API, so that nothing has to be installed for it.
 *
 * @param isFetch the call goes through undici, whose instrumentation adds its header also without an active span
 */
export function isTraced(isFetch: boolean): boolean {
  const registry = (globalThis as { [REGISTRY]?: Registry })[REGISTRY];
  if (registry === undefined) return false;
  if (isFetch && fetchRequests.hasSubscribers) return true;
  return registry.context?.active?.()?.getValue?.(SPAN) !== undefined;
}
