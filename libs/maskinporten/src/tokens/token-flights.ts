import { AsyncResource } from 'node:async_hooks';
import { Slices } from '../basics/index.js';
import type { Demand } from '../token-endpoint/index.js';
import type { MaskinportenToken } from './maskinporten-token.js';

/** One request for a token, shared by everybody who wants that token. */
export class Flight {
  readonly token: Promise<MaskinportenToken>;
  readonly demand: Demand;
  /** It was begun in the background, whoever joins it later. */
  readonly refresh: boolean;
  /** True when the request was invalidated after the flight began: its token may be what was just refused. */
  #detached = false;

  constructor(demand: Demand, fly: (flight: Flight) => Promise<MaskinportenToken>) {
    this.demand = demand;
    this.refresh = demand.background;
    this.token = fly(this);
    // All who wait may have left: the failure is then nobody's, and must not become an unhandled rejection (T-49).
    this.token.catch(() => undefined);
  }

  get detached(): boolean {
    return this.#detached;
  }

  detach(): void {
    this.#detached = true;
  }
}

/** At most one current flight for each request; a detached one goes on for those who wait, and nobody joins it any more. */
export class TokenFlights {
  readonly #current = new Map<string, Flight>();
  readonly #running = new Set<Flight>();
  readonly #slices = new Slices();
  /** Flights run in the context the service was made in: no caller's request data may ride along (T-44, T-45). */
  readonly #outside = new AsyncResource('MaskinportenTokenService');

  get(canonical: string): Flight | undefined {
    const flight = this.#current.get(canonical);
    return flight?.demand.givenUp === true ? undefined : flight;
  }

  start(canonical: string, demand: Demand, fly: (flight: Flight) => Promise<MaskinportenToken>): Flight {
    const flight = this.#outside.runInAsyncScope(
      () => new Flight(demand, async (self) => this.#land(canonical, self, fly)),
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
    for (const { demand } of this.#running) if (demand.background) demand.stop();
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
      await this.#slices.enter(flight.demand.priority === 'interactive');
      return await fly(flight);
    } finally {
      this.#running.delete(flight);
      this.#forget(canonical, flight);
    }
  }

  #forget(canonical: string, flight: Flight): void {
    if (this.#current.get(canonical) === flight) this.#current.delete(canonical);
  }
}
