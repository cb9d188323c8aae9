import { createHash } from 'node:crypto';

/** Long after a grant has expired its `jti` stays taken; then it is forgotten, so that a long run stays small. */
const KEEP_SECONDS = 3600;
const SWEEP_EVERY = 4096;

/** Remembers which grants have been used: each assertion, and each `jti` of a client, counts once. */
export class UsedGrants {
  readonly #until = new Map<string, number>();
  #sinceSweep = 0;

  /** Notes the grant as used; `false` when it was used before. */
  use(client: string, jti: string | undefined, assertion: string, expSeconds: number, nowSeconds: number): boolean {
    const digest = createHash('sha256').update(assertion).digest('base64');
    const marks = [...(jti === undefined ? [] : [`jti ${JSON.stringify([client, jti])}`]), `jwt ${digest}`];
    if (marks.some((mark) => this.#until.has(mark))) return false;
    for (const mark of marks) this.#until.set(mark, expSeconds + KEEP_SECONDS);
    this.#sinceSweep += 1;
    if (this.#sinceSweep >= SWEEP_EVERY) this.#sweep(nowSeconds);
    return true;
  }

  clear(): void {
    this.#until.clear();
  }

  #sweep(nowSeconds: number): void {
    this.#sinceSweep = 0;
    for (const [mark, until] of this.#until) if (until < nowSeconds) this.#until.delete(mark);
  }
}
