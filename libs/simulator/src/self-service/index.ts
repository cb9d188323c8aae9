import type { SimulatorPart } from '../kernel/index.js';
import type { MaskinportenState } from '../maskinporten/index.js';
import { clientKeysRoutes } from './client-keys.routes.js';
import { scopesRoutes } from './scopes.routes.js';

/** Digdir's self-service API, where clients get their keys (Digdir, self-service API). */
export function selfServicePart(state: MaskinportenState): SimulatorPart {
  return {
    name: 'self-service',
    routes: {
      // In a scope of its own, for its errors have a format of their own.
      'self-service': (app) => {
        app.register((scope, _options, done) => {
          clientKeysRoutes(scope, state);
          scopesRoutes(scope, state);
          done();
        });
      },
    },
  };
}
