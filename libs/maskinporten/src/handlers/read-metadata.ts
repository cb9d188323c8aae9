/**
 * Metadata of a class or function, as Nest reads it. A proxy that refuses to be looked at has none: Nest itself fails on
 * it where it is a handler.
 */
export function readMetadata(key: string | symbol, target: object): unknown {
  try {
    return Reflect.getMetadata(key, target) as unknown;
  } catch {
    return undefined;
  }
}
