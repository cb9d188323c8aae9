import type { ConsentRight, InboundConsent, InboundSystemUser } from './authorization-details.js';
import type { TokenFacts } from './token-claims.js';

/** The consent of a token; see `@RequireConsent`. */
export interface ConsumerConsent extends Omit<InboundConsent, 'validToMs'> {
  /** When the consent ends; a token may live a little longer. */
  readonly validTo: Date;
  readonly rights: readonly ConsentRight[];
}

/** Who calls, as a verified Maskinporten token says it. */
export interface Consumer {
  /** The organisation that has been given the scope, nine digits; usually the controller of the data (GDPR). */
  readonly organisation: string;
  /** The organisation that calls for it, when the scope was delegated in Altinn. */
  readonly supplier?: string;
  /** Where the delegation was made: `https://www.altinn.no/`, in test `https://tt02.altinn.no/`. */
  readonly delegationSource?: string;
  /** For logs and support; it decides nothing. Empty when the token does not say it. */
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Absent for a token that is for nobody in particular. */
  readonly audience?: readonly string[];
  /** Names the token in Digdir's logs. */
  readonly jti: string;
  readonly expiresAt: Date;
  /** The person that the token is about, eleven digits; the person has not logged in. */
  readonly pid?: string;
  /** The customer's system user. Its token proves that it exists, and no right: see `@RequireDelegatedRight`. */
  readonly systemUser?: InboundSystemUser;
  readonly consent?: ConsumerConsent;
}

/** One for each call: what one handler writes on its dates reaches no other. */
export function consumerOf(facts: TokenFacts): Consumer {
  const { expiresAtMs, consent, ...rest } = facts;
  return Object.freeze({
    ...rest,
    expiresAt: new Date(expiresAtMs),
    ...(consent === undefined ? {} : { consent: datedConsent(consent) }),
  });
}

function datedConsent({ validToMs, ...rest }: InboundConsent): ConsumerConsent {
  return Object.freeze({ ...rest, validTo: new Date(validToMs) });
}
