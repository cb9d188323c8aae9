import { isRecord } from '../basics/index.js';
/**
 * Follows names through objects. The first may be a getter of the request's class (Fastify has some); below it only own
 * properties count, so that neither a polluted prototype nor `__proto__` in a body gives a value (T-66).
 */
export function read(from: unknown, names: readonly string[]): unknown {
  let value = from;
  for (const [index, name] of names.entries()) {
    if (!isRecord(value)) return undefined;
    const isFrameworkPart = index === 0 && (name === 'params' || name === 'body');
    if (!isFrameworkPart && !Object.hasOwn(value, name)) return undefined;
    value = Reflect.get(value, name);
  }
  return value;
}
