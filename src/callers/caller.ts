/** Who is calling, as its key says. */
export interface Caller {
  readonly name: string;
  readonly organisations: readonly string[];
}

const callers = new WeakMap<object, Caller>();

/** The caller of a request that has passed the guard. */
export function callerOf(request: object): Caller | undefined {
  return callers.get(request);
}

/** The same for handlers: the guard is global, so there is one. */
export function knownCaller(request: object): Caller {
  const caller = callerOf(request);
  if (caller === undefined) throw new Error('A handler that needs a caller was reached without one.');
  return caller;
}

/** For the guard alone. */
export function rememberCaller(request: object, caller: Caller): void {
  callers.set(request, caller);
}
