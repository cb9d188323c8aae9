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

/** For the guard alone. */
export function rememberCaller(request: object, caller: Caller): void {
  callers.set(request, caller);
}
