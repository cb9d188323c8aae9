import type { SimulatorPart } from '../kernel/index.js';
import { altinnOperatorRoutes } from './altinn-operator.routes.js';
import type { AltinnState } from './altinn-state.js';
import { authorizedPartiesRoutes } from './authorized-parties.routes.js';
import { changeRequestRoutes } from './change-request.routes.js';
import { ConsentRequests } from './consent-requests.js';
import { consentRoutes } from './consent.routes.js';
import { CustomerDesk } from './customer.js';
import { exchangeRoutes } from './exchange.routes.js';
import { pdpRoutes } from './pdp.routes.js';
import { requestRoutes } from './request.routes.js';
import { systemRegisterRoutes } from './system-register.routes.js';
import { systemUserRoutes } from './system-user.routes.js';

export type { AltinnSettings, AltinnSettingsInput } from './altinn-settings.js';
export { AltinnState } from './altinn-state.js';
export { type RightQuestion, askRight } from './ask-right.js';
export { type Caller, emptyAnswer, hasScope, identify, isExchanged, note } from './caller.js';
export { ConsentRequests } from './consent-requests.js';
export { CustomerDesk, OperatorRefusal } from './customer.js';
export { type OrganisationInput, organisationOfPartyId, partyIdOf, partyUuidOf } from './organisations.js';
export { type PackageInput, type ResourceInput, resourceIdOf } from './registry.js';
export {
  type ChangeRequest,
  type ChangeRequestInput,
  type SystemUserRequest,
  type SystemUserRequestInput,
  isTimedOut,
} from './requests.js';
export { hasRight, partiesOf } from './rights.js';

/** Altinn's half: authentication, requests, access management and the PDP. */
export function altinnPart(altinn: AltinnState): SimulatorPart {
  return {
    name: 'altinn',
    collections: [
      altinn.organisations,
      altinn.resources,
      altinn.accessPackages,
      altinn.requests,
      altinn.changeRequests,
    ],
    settings: [altinn.settings],
    routes: {
      platform: (app) => {
        exchangeRoutes(app, altinn);
        systemUserRoutes(app, altinn);
        requestRoutes(app, altinn);
        changeRequestRoutes(app, altinn);
        systemRegisterRoutes(app, altinn);
        authorizedPartiesRoutes(app, altinn);
        pdpRoutes(app, altinn);
        consentRoutes(app, altinn);
      },
      operator: (app) => altinnOperatorRoutes(app, new CustomerDesk(altinn), new ConsentRequests(altinn)),
    },
    reset: () => altinn.reset(),
  };
}
