import type { FastifyInstance } from 'fastify';
import type { MaskinportenState } from '../maskinporten/index.js';

/** The documented address, and the one where the list is seen (Digdir, self-service API). */
const ADDRESSES = ['/scopes/all', '/api/v1/scopes/all'];

/** `GET /scopes/all`: the public list of scopes, open to everybody. */
export function scopesRoutes(app: FastifyInstance, state: MaskinportenState): void {
  const list = (): object[] => {
    const named = state.clients.list().flatMap(({ scopes }) => scopes);
    const names = new Set([...state.scopes.list().map(({ name }) => name), ...named]);
    return [...names].toSorted().map((name) => scopeView(name, state));
  };
  for (const address of ADDRESSES) app.get(address, () => list());
}

function scopeView(name: string, { scopes }: MaskinportenState): object {
  const scope = scopes.get(name);
  const [prefix = '', ...rest] = name.split(':');
  const types = scope?.integrationTypes ?? [];
  return {
    name,
    prefix,
    subscope: rest.join(':'),
    active: scope?.active ?? true,
    visibility: 'PUBLIC',
    allowed_integration_types: types.length === 0 ? ['maskinporten'] : types,
    token_type: 'SELF_CONTAINED',
    at_max_age: scope?.atMaxAge ?? 0,
    ...(scope?.delegable === false ? {} : { delegation_source: 'https://tt02.altinn.no/' }),
  };
}
