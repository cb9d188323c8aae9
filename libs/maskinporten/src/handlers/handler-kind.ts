import type { ApplicationClass } from './application-class.js';
import { guardedKeys } from './guarded-by.js';
import { readMetadata } from './read-metadata.js';

/** What Nest does when it calls a method. `guarded`: guards and interceptors run; `field`: as GraphQL's options say. */
export type HandlerKind = 'guarded' | 'field' | 'none';

/** Metadata of Nest's own packages, the same in 11 and 12. They are optional peers, so their constants are not imported. */
const PATH = 'path';
const MESSAGE_HANDLER = 'microservices:handler_type';
const GATEWAY = 'websockets:is_gateway';
const SUBSCRIBED_MESSAGE = 'websockets:message_mapping';
const RESOLVER_TYPE = 'graphql:resolver_type';
const RESOLVED_FIELD = 'graphql:resolve_property';
const REFERENCE_RESOLVER = 'graphql:resolve_reference';

const ROOT_TYPES: ReadonlySet<unknown> = new Set(['Query', 'Mutation', 'Subscription']);
/** GraphQL calls it without any enhancer, whatever its options say. */
const RESOLVE_TYPE = '__resolveType';

/** What calls a method past every guard, by the metadata of its decorator. */
const BYPASSES: ReadonlyMap<string, string> = new Map([
  ['EVENT_LISTENER_METADATA', 'an event listener (@OnEvent)'],
  ['SCHEDULE_CRON_OPTIONS', 'a scheduled job (@Cron)'],
  ['SCHEDULE_INTERVAL_OPTIONS', 'a scheduled job (@Interval)'],
  ['SCHEDULE_TIMEOUT_OPTIONS', 'a scheduled job (@Timeout)'],
  ['bull:module_queue_process', 'a queue processor (@Process)'],
  ['bull:module_on_queue_event', 'a listener of a queue'],
  ['bullmq:worker_events_metadata', 'a listener of a worker'],
  ['bullmq:queue_events_metadata', 'a listener of a queue'],
  ['__saga__', 'a saga'],
]);
/** The same for what is written on the class: what it is, and the one method that is called. */
const BYPASSING_CLASSES: ReadonlyMap<string, readonly [what: string, member: string]> = new Map([
  ['bullmq:processor_metadata', ['a queue processor (@Processor)', 'process']],
  ['__commandHandler__', ['a command handler', 'execute']],
  ['__queryHandler__', ['a query handler', 'execute']],
  ['__eventsHandler__', ['an event handler', 'handle']],
]);

export function handlerKind(
  { constructor, classes, isController, isProvider }: ApplicationClass,
  member: string | symbol,
  method: object,
): HandlerKind {
  if ([...guardedKeys].some((key) => has(key, method))) return 'guarded';
  // Nest does not look at members that are named by a symbol.
  if (typeof member === 'symbol') return 'none';
  if (isController && (has(PATH, method) || has(MESSAGE_HANDLER, method))) return 'guarded';
  if (!isProvider) return 'none';
  if (classes.some((each) => has(GATEWAY, each)) && has(SUBSCRIBED_MESSAGE, method)) return 'guarded';
  return resolverKind(constructor, member, method);
}

function resolverKind(constructor: object, member: string, method: object): HandlerKind {
  const type = readMetadata(RESOLVER_TYPE, method) ?? readMetadata(RESOLVER_TYPE, constructor);
  if (member === RESOLVE_TYPE) return 'none';
  // Every method of a `@Resolver('Query')` is one, as schema-first applications write them.
  if (ROOT_TYPES.has(type)) return 'guarded';
  const isField = has(RESOLVER_TYPE, method) || has(RESOLVED_FIELD, method) || has(REFERENCE_RESOLVER, method);
  return isField ? 'field' : 'none';
}

/** What else calls the method, without guards; undefined when nothing is known to. */
export function bypassOf({ classes }: ApplicationClass, member: string | symbol, method: object): string | undefined {
  const [, onMethod] = [...BYPASSES].find(([key]) => has(key, method) && !guardedKeys.has(key)) ?? [];
  if (onMethod !== undefined) return onMethod;
  // Such a class may be a gateway or a controller too, whose other methods are handlers.
  const [, onClass] =
    [...BYPASSING_CLASSES].find(
      ([key, [, called]]) => called === member && classes.some((each) => has(key, each)) && !guardedKeys.has(key),
    ) ?? [];
  return onClass?.[0];
}

const has = (key: string | symbol, target: object): boolean => readMetadata(key, target) !== undefined;
