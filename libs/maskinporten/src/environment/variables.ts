/** Variables of a process, or of a file of variables, as they are. */
export type Variables = Readonly<Record<string, unknown>>;

/** An empty variable counts as unset, since that is how most tools write "not this one". */
export const isSet = (variables: Variables, name: string): boolean => {
  const value = Object.getOwnPropertyDescriptor(variables, name)?.value as unknown;
  return typeof value === 'string' ? value.trim() !== '' : value !== undefined;
};

/** White space in these may be content. */
const VERBATIM = /(?:PRIVATE_KEY|PASSPHRASE|CLIENT_JWK)$/;

/** The value that counts. White space around it is an accident of the tool that set it, except in keys and passphrases. */
export function settingOf(variables: Variables, name: string): string | undefined {
  const value = Object.getOwnPropertyDescriptor(variables, name)?.value as unknown;
  if (typeof value !== 'string' || value.trim() === '') return undefined;
  return VERBATIM.test(name) ? value : value.trim();
}

/** The entries of a comma-separated list; undefined when there are none. */
export function listOf(value: string | undefined): string[] | undefined {
  const entries = (value ?? '').split(',').map((entry) => entry.trim());
  const named = entries.filter((entry) => entry !== '');
  return named.length === 0 ? undefined : named;
}
