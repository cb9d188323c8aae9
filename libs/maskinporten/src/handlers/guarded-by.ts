import { configurationError } from '../errors/index.js';

const declared = new Set<string | symbol>();

/**
 * Declares that methods with this metadata are called through Nest's guards and interceptors, so that
 * `@RequireSystemUser` and `@Scopes` may stand on them: transports of others, such as a RabbitMQ or a chat library that
 * uses Nest's `ExternalContextCreator`. Call it before the application starts. It holds for the whole process.
 *
 * Be sure: on a transport that does not run guards, the method is open to everybody.
 *
 * @param metadataKey the key that the transport's own decorator sets on the method
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) when it is neither a symbol nor a text
 * @example
 * guardedBy(RABBIT_HANDLER);
 */
export function guardedBy(metadataKey: string | symbol): void {
  if (typeof metadataKey !== 'symbol' && (typeof metadataKey !== 'string' || metadataKey === '')) {
    throw configurationError([
      { field: 'guardedBy', code: 'MP_CONFIG', reason: 'needs the metadata key of a transport: a symbol or a text' },
    ]);
  }
  declared.add(metadataKey);
}

/** Keys that the application has vouched for. */
export const guardedKeys: ReadonlySet<string | symbol> = declared;
