import { AsyncResource } from 'node:async_hooks';
import type { MaskinportenToken } from './maskinporten-token.js';

/** One request for a token, shared by everybody who wants that token. */
export class Flight {
  readonly token: Promise<MaskinportenToken>;
  readonly background: boolean;
  /** True when the request was invalidated after the flight began: its token may be what was just refused. */
  #detached = false;
  #awaited: boolean;
  readonly #stop = new AbortController();

  constructor(background: boolean, fly: (flight: Flight) => Promise<MaskinportenToken>) {
    this.background = background;
    this.#awaited = !background;
    this.token = fly(this);
    // All who wait may have left: the failure is then nobody's, and must not become an unhandled rejection (T-49).
    this.token.catch(() => undefined);
  }

  get detached(): boolean {
    return this.#detached;
  }

  /** Fires when the service closes and nobody waits for this flight. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Somebody waits for the token: closing lets the flight finish. */
  join(): void {
    this.#awaited = true;
  }

  detach(): void {
    this.#detached = true;
  }

  stopUnlessAwaited(): void {
    if (!this.#awaited) this.#stop.abort();
  }
}

/** At most one current flight for each request; a detached one goes on for those who wait, and nobody joins it any more. */
export class TokenFlights {
  readonly #current = new Map<string, Flight>();
  readonly #running = new Set<Flight>();
  /** Flights run in the context the service was made in: no caller's request data may ride along (T-44, T-45). */
  readonly #outside = new AsyncResource('MaskinportenTokenService');

  get(canonical: string): Flight | undefined {
    return this.#current.get(canonical);
  }

  start(canonical: string, background: boolean, fly: (flight: Flight) => Promise<MaskinportenToken>): Flight {
    const flight = this.#outside.runInAsyncScope(
      () => new Flight(background, async (self) => this.#land(canonical, self, fly)),
    );
    this.#current.set(canonical, flight);
    this.#running.add(flight);
    return flight;
  }

  detach(canonical: string): void {
    this.#current.get(canonical)?.detach();
    this.#current.delete(canonical);
  }

  /** Stops what nobody waits for and waits for the rest. */
  async close(): Promise<void> {
    for (const flight of this.#running) flight.stopUnlessAwaited();
    await Promise.allSettled([...this.#running].map(async ({ token }) => token));
    this.#outside.emitDestroy();
  }

  async #land(
    canonical: string,
    flight: Flight,
    fly: (flight: Flight) => Promise<MaskinportenToken>,
  ): Promise<MaskinportenToken> {
    try {
      // The flight has to be known before it can end, also when fetching fails without waiting for anything.
      await Promise.resolve();
      return await fly(flight);
    } finally {
      this.#running.delete(flight);
      if (this.#current.get(canonical) === flight) this.#current.delete(canonical);
    }
  }
}
