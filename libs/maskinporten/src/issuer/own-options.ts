/**
 * The own members of `options` and nothing else: what a polluted `Object.prototype` offers – another `ca`, a `proxy`, a
 * `tokenEndpoint` – is not configuration (T-31, T-66).
 */
export function ownOptions<T extends object>(options: T): T {
  const nothing: object = Object.create(null);
  return Object.assign(nothing, options);
}
