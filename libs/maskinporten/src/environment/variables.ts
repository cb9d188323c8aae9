/** Variables of a process, or of a file of variables, as they are. */
export type Variables = Readonly<Record<string, unknown>>;

/** An empty variable counts as unset, since that is how most tools write "not this one". */
export const isSet = (variables: Variables, name: string): boolean => {
  const value = Object.getOwnPropertyDescriptor(variables, name)?.value as unknown;
  return typeof value === 'string' ? value.trim() !== '' : value !== undefined;
};
