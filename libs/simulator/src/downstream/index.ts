import type { SimulatorPart } from '../kernel/index.js';
import type { MaskinportenState } from '../maskinporten/index.js';
import { altinnApiRoutes, plainApiRoutes } from './downstream.routes.js';

export { authorise } from './bearer.js';

/** The APIs that tokens are for. */
export function downstreamPart(state: MaskinportenState): SimulatorPart {
  return {
    name: 'downstream',
    routes: {
      platform: (app) => altinnApiRoutes(app, state),
      api: (app) => {
        altinnApiRoutes(app, state);
        plainApiRoutes(app, state);
      },
    },
  };
}
