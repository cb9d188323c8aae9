import type { Hint } from '../errors/index.js';

/** The guard's answers; each has its own next step. */
export type DelegationCode =
  | 'organisation_number_invalid'
  | 'caller_not_allowed'
  | 'system_user_missing'
  | 'system_user_request_pending'
  | 'system_user_request_rejected'
  | 'right_missing'
  | 'client_not_delegated'
  | 'system_user_misconfigured'
  | 'delegation_unknown';

export interface DelegationCodeFacts {
  readonly httpStatus: number;
  readonly title: string;
  /** For the developer who reads the answer. */
  readonly detail: string;
  /** A sentence that a support person can forward to the customer as it is. */
  readonly hint: Hint;
}

/** What `right_missing` says about an agent that asks for its own organisation. */
export const OWN_ORGANISATION: Omit<DelegationCodeFacts, 'httpStatus'> = {
  title: 'The system user may not act for its own organisation',
  detail:
    'The system user is an agent. Its access packages do not cover its own organisation: that has to be delegated to it separately in Altinn, or done with a standard system user.',
  hint: {
    en: 'Our system may act for others on your behalf, but not for your own organisation: somebody who manages access in your organisation has to add that in Altinn.',
    nb: 'Systemet vårt kan handle for andre på vegne av dere, men ikke for deres egen organisasjon: en som styrer tilganger i organisasjonen må legge det til i Altinn.',
  },
};

export const DELEGATION_CODES: Readonly<Record<DelegationCode, DelegationCodeFacts>> = {
  organisation_number_invalid: {
    httpStatus: 400,
    title: 'The organisation number is not valid',
    detail: 'An organisation number is nine digits that pass modulus 11, given once and as text; 0192: may precede it.',
    hint: {
      en: 'The organisation number has nine digits: please check it for typing errors.',
      nb: 'Organisasjonsnummeret har ni siffer: kontroller at det er skrevet riktig.',
    },
  },
  caller_not_allowed: {
    httpStatus: 403,
    title: 'You may not act for this organisation',
    detail: 'The caller is not allowed to act for this organisation in this service. Altinn was not asked.',
    hint: {
      en: 'You are not set up to act for this organisation in our service: ask the person who administers your access.',
      nb: 'Du har ikke tilgang til å handle for denne organisasjonen i tjenesten vår: spør den som administrerer tilgangen din.',
    },
  },
  system_user_missing: {
    httpStatus: 403,
    title: 'The organisation has not approved this system',
    detail:
      'There is no system user of this organisation for this system: send a request for one. If it was created with an externalRef, the same externalRef is needed here; an agent is asked for by the number of the agent, not of its client.',
    hint: {
      en: 'Your organisation has not given our system access in Altinn yet: a request has to be approved there first.',
      nb: 'Organisasjonen har ikke gitt systemet vårt tilgang i Altinn ennå: en forespørsel må godkjennes der først.',
    },
  },
  system_user_request_pending: {
    httpStatus: 403,
    title: 'The request for access has not been answered yet',
    detail: 'A request for a system user waits for the customer: show confirmUrl to somebody who can approve it.',
    hint: {
      en: 'A request waits for approval in Altinn: somebody who manages access in your organisation has to open the link and approve it.',
      nb: 'En forespørsel venter på godkjenning i Altinn: en som styrer tilganger i organisasjonen må åpne lenken og godkjenne.',
    },
  },
  system_user_request_rejected: {
    httpStatus: 403,
    title: 'The organisation has rejected the request for access',
    detail: 'The customer rejected the request. Agree with the customer, delete the old request and send a new one.',
    hint: {
      en: 'Your organisation has rejected the request in Altinn: tell us if we should send a new one.',
      nb: 'Organisasjonen har avslått forespørselen i Altinn: gi oss beskjed hvis vi skal sende en ny.',
    },
  },
  right_missing: {
    httpStatus: 403,
    title: 'The system user lacks the right',
    detail:
      'The system user exists but may not do this for the organisation: the right was never given or has been withdrawn. Send a change request.',
    hint: {
      en: 'Our system has access in Altinn, but not to this service: somebody who manages access in your organisation has to add it.',
      nb: 'Systemet vårt har tilgang i Altinn, men ikke til denne tjenesten: en som styrer tilganger i organisasjonen må legge den til.',
    },
  },
  client_not_delegated: {
    httpStatus: 403,
    title: 'The client is not added to the system user',
    detail:
      'The system user is an agent, and this client has not been added to it: the client administrator of the agent does that in Altinn.',
    hint: {
      en: 'The client has not been added to our system in Altinn: a client administrator in your organisation has to add it.',
      nb: 'Klienten er ikke lagt til på systemet vårt i Altinn: en klientadministrator i organisasjonen må legge den til.',
    },
  },
  system_user_misconfigured: {
    httpStatus: 500,
    title: 'The access could not be checked because of a fault in our set-up',
    detail: 'The set-up of this service towards Maskinporten or Altinn is wrong; failures says what is known.',
    hint: {
      en: 'Something is set up wrong on our side: you do not have to do anything.',
      nb: 'Noe er satt opp feil hos oss: du trenger ikke gjøre noe.',
    },
  },
  delegation_unknown: {
    httpStatus: 503,
    title: 'The access could not be checked now',
    detail: 'No answer could be had about the delegation, so nothing was done. The same call may succeed later.',
    hint: {
      en: 'We cannot check your access in Altinn right now: please try again in a little while.',
      nb: 'Vi kan ikke kontrollere tilgangen i Altinn akkurat nå: prøv igjen om litt.',
    },
  },
};
