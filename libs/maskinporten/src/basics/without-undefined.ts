type WithoutUndefined<T> = { [Key in keyof T as undefined extends T[Key] ? never : Key]: T[Key] } & {
  [Key in keyof T as undefined extends T[Key] ? Key : never]?: Exclude<T[Key], undefined>;
};

/**
 * A copy without the members that are undefined, for types in which a member may be absent but not undefined.
 *
 * @example withoutUndefined({ kid: undefined, passphrase: 'x' }) // { passphrase: 'x' }
 */
export const withoutUndefined = <T extends object>(members: T): WithoutUndefined<T> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as WithoutUndefined<T>;
