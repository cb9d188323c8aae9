import type { ActBy, Hint } from '../../errors/index.js';
import type { TokenRefusalCode } from '../verification/token-refusal.js';

/** Why a call is refused; each has its own next step. */
export type InboundCode =
  TokenRefusalCode | 'scope_missing' | 'pid_mismatch' | 'consent_missing' | 'right_missing' | 'delegation_unknown';

export interface InboundCodeFacts {
  readonly httpStatus: 401 | 403 | 503;
  readonly title: string;
  /** Who has to do something, as the caller reads it: `you` is the caller, `api-owner` is this API. */
  readonly actBy: ActBy;
  /** What to do, in a sentence for the caller. */
  readonly hint: Hint;
}

/** Every refusal of a call with what holds for it; the guide's table is made from it. */
export const INBOUND_CODES: Readonly<Record<InboundCode, InboundCodeFacts>> = {
  token_missing: {
    httpStatus: 401,
    title: 'There is no token',
    actBy: 'you',
    hint: {
      en: 'Get a token from Maskinporten and send it as Authorization: Bearer.',
      nb: 'Hent et token fra Maskinporten og send det som Authorization: Bearer.',
    },
  },
  token_malformed: {
    httpStatus: 401,
    title: 'The token is not a Maskinporten token',
    actBy: 'you',
    hint: {
      en: 'Send the access token exactly as Maskinporten gave it, and nothing else.',
      nb: 'Send access-tokenet nøyaktig slik Maskinporten ga det, og ikke noe annet.',
    },
  },
  token_expired: {
    httpStatus: 401,
    title: 'The token has expired',
    actBy: 'you',
    hint: {
      en: 'Get a new token, and use it before it expires.',
      nb: 'Hent et nytt token, og bruk det før det utløper.',
    },
  },
  token_not_yet_valid: {
    httpStatus: 401,
    title: 'The token is not valid yet',
    actBy: 'you',
    hint: {
      en: 'Send the token again in a few seconds; if that does not help, tell us, since our clock may be wrong.',
      nb: 'Send tokenet på nytt om noen sekunder; hjelper ikke det, si fra til oss, for klokken vår kan gå feil.',
    },
  },
  token_issuer: {
    httpStatus: 401,
    title: 'The token is from another issuer',
    actBy: 'you',
    hint: {
      en: 'Get the token from the Maskinporten of the right environment: test and production are separate.',
      nb: 'Hent tokenet fra Maskinporten i riktig miljø: test og produksjon er adskilt.',
    },
  },
  token_signature: {
    httpStatus: 401,
    title: 'The signature of the token is not valid',
    actBy: 'you',
    hint: {
      en: 'Send the access token of Maskinporten itself, unchanged: not your own grant, and not a token of somebody else.',
      nb: 'Send selve access-tokenet fra Maskinporten, uendret: ikke din egen grant, og ikke et token fra noen andre.',
    },
  },
  token_audience: {
    httpStatus: 401,
    title: 'The token is for another audience',
    actBy: 'you',
    hint: {
      en: 'Ask Maskinporten for a token with the resource that the documentation of this API names.',
      nb: 'Be Maskinporten om et token med den resource-verdien som dokumentasjonen til dette API-et oppgir.',
    },
  },
  token_bound: {
    httpStatus: 401,
    title: 'The token is bound to a key',
    actBy: 'you',
    hint: {
      en: 'This API takes ordinary Bearer tokens: ask for a token that is not bound to a key.',
      nb: 'Dette API-et tar imot vanlige Bearer-tokens: be om et token som ikke er bundet til en nøkkel.',
    },
  },
  scope_missing: {
    httpStatus: 403,
    title: 'The token lacks a scope',
    actBy: 'you',
    hint: {
      en: 'Ask for a token with the required scope; if Maskinporten refuses it, ask us to grant your organisation access.',
      nb: 'Be om et token med det scopet som kreves; avslår Maskinporten, be oss gi organisasjonen tilgang.',
    },
  },
  consumer_not_allowed: {
    httpStatus: 403,
    title: 'The organisation may not call this',
    actBy: 'api-owner',
    hint: {
      en: 'Your organisation does not have access to this: contact us if it should.',
      nb: 'Organisasjonen har ikke tilgang til dette: ta kontakt med oss hvis den skal ha det.',
    },
  },
  pid_mismatch: {
    httpStatus: 403,
    title: 'The token is not for this person',
    actBy: 'you',
    hint: {
      en: 'Ask for a token with the pid of the person that the call is about.',
      nb: 'Be om et token med pid til personen som kallet gjelder.',
    },
  },
  consent_missing: {
    httpStatus: 403,
    title: 'There is no consent for this',
    actBy: 'customer',
    hint: {
      en: 'The person or organisation must consent to this in Altinn, and the token must be asked for with that consent.',
      nb: 'Personen eller organisasjonen må samtykke til dette i Altinn, og tokenet må hentes med det samtykket.',
    },
  },
  right_missing: {
    httpStatus: 403,
    title: 'The system user lacks the right',
    actBy: 'customer',
    hint: {
      en: 'The customer must give the system user access to this service in Altinn, and the token must be the system user’s.',
      nb: 'Kunden må gi systembrukeren tilgang til denne tjenesten i Altinn, og tokenet må være systembrukerens.',
    },
  },
  keys_unavailable: {
    httpStatus: 503,
    title: 'The token cannot be verified now',
    actBy: 'api-owner',
    hint: {
      en: 'We cannot fetch the keys of Maskinporten right now: send the same call again in a little while.',
      nb: 'Vi får ikke hentet nøklene til Maskinporten akkurat nå: send det samme kallet på nytt om litt.',
    },
  },
  delegation_unknown: {
    httpStatus: 503,
    title: 'The access cannot be checked now',
    actBy: 'api-owner',
    hint: {
      en: 'We cannot check the access right now: send the same call again in a little while.',
      nb: 'Vi får ikke kontrollert tilgangen akkurat nå: send det samme kallet på nytt om litt.',
    },
  },
};
