/** `ENOENT` and the like. Such an error may be of another realm, where `instanceof Error` says no. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
