/** RFC 6749 §3.3 scope-token: printable ASCII without space, `"` and `\`. */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** Why a list of scopes cannot be used, or the scopes, sorted and each once. Order and repetition carry no meaning. */
export type ScopesResult = { readonly scopes: readonly string[] } | { readonly reason: string };

/**
 * Reads scopes from one string (several separated by spaces) or a list with one scope per element. A list element is
 * never split: white space inside it is refused, or a scope could be smuggled in where one was checked (T-55).
 */
export function parseScopes(input: unknown): ScopesResult {
  const list: unknown[] | undefined =
    typeof input === 'string' ? input.split(' ').filter((part) => part !== '') : copyOf(input);
  if (list === undefined) return { reason: 'must be a string or a list of strings' };
  if (list.length === 0) return { reason: 'at least one scope is required' };
  for (const [index, scope] of list.entries()) {
    if (typeof scope !== 'string') return { reason: `element ${index} is not a string` };
    if (!SCOPE_TOKEN.test(scope)) {
      return { reason: `element ${index} is not a scope: printable ASCII without spaces, quotes and backslashes` };
    }
  }
  return { scopes: [...new Set(list as string[])].toSorted() };
}

/** Read once, holes included: an element with a getter must not be one thing when checked and another when used (T-51). */
export function copyOf(input: unknown): unknown[] | undefined {
  return Array.isArray(input) ? Array.from<unknown>(input) : undefined;
}
