/**
 * The own members of `value` on an object without a prototype: what a polluted `Object.prototype` offers – another `ca`,
 * a `proxy`, a `tokenEndpoint` – is not an option (T-31, T-66, T-77). Whatever is not an object has no members.
 *
 * @example const { proxy } = ownMembers(options);
 */
export function ownMembers<T extends object>(value: T | undefined): T {
  const nothing = Object.create(null) as T;
  return typeof value === 'object' ? Object.assign(nothing, value) : nothing;
}
