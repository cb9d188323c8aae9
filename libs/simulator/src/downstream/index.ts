import type { AltinnState } from '../altinn/index.js';
import type { SimulatorPart } from '../kernel/index.js';
import { AppInstances } from './app-instances.js';
import { altinnAppRoutes } from './altinn-app.routes.js';
import { dialogportenRoutes } from './dialogporten.routes.js';
import { altinnApiRoutes, plainApiRoutes } from './downstream.routes.js';
import { kravOgBetalingerRoutes } from './krav-og-betalinger.routes.js';
import { navRoutes } from './nav.routes.js';

export { authorise } from './bearer.js';

/** The APIs that tokens are for. */
export function downstreamPart(altinn: AltinnState): SimulatorPart {
  const state = altinn.maskinporten;
  const instances = new AppInstances();
  return {
    name: 'downstream',
    routes: {
      platform: (app) => altinnApiRoutes(app, state),
      api: (app) => {
        altinnApiRoutes(app, state);
        plainApiRoutes(app, state);
        kravOgBetalingerRoutes(app, altinn);
        navRoutes(app, altinn);
        dialogportenRoutes(app, altinn);
        altinnAppRoutes(app, altinn, instances);
      },
    },
    reset: () => instances.clear(),
  };
}
