import type { ActBy, Hint, MaskinportenErrorCode } from '../errors/index.js';

/** What one of Altinn's business codes means to us and who has to act. Source: Altinn, source of authentication. */
export interface AuthCodeFacts {
  /** The code of this module that it becomes. */
  readonly code: MaskinportenErrorCode;
  readonly summary: string;
  /** The input or setting to look at. */
  readonly field: string;
  readonly actBy: ActBy;
  readonly hint: Hint;
}

const yours = (field: string, summary: string, en: string, nb: string): AuthCodeFacts => ({
  code: 'MP_REQUEST',
  summary,
  field,
  actBy: 'you',
  hint: { en, nb },
});

const approver = (summary: string): AuthCodeFacts => ({
  code: 'MP_NOT_DELEGATED',
  summary,
  field: 'approver',
  actBy: 'customer',
  hint: {
    en: 'The person who approves must be allowed to delegate everything in the request: somebody else at the customer has to approve it.',
    nb: 'Den som godkjenner må kunne delegere alt i forespørselen: en annen hos kunden må godkjenne den.',
  },
});

const altinnFault = (summary: string): AuthCodeFacts => ({
  code: 'MP_UPSTREAM',
  summary,
  field: 'ALTINN_PLATFORM_URL',
  actBy: 'digdir',
  hint: {
    en: 'Altinn could not do it now: try again, and give the trace id to Altinn if it keeps failing.',
    nb: 'Altinn klarte det ikke nå: prøv igjen, og oppgi trace-id til Altinn hvis det fortsetter.',
  },
});

const requestGone = yours(
  'id',
  'the request does not exist (any more)',
  'The request is unknown, or was removed together with its system user: look whether the system user still exists.',
  'Forespørselen er ukjent, eller den ble slettet sammen med systembrukeren: undersøk om systembrukeren finnes.',
);
const earlierRefusal = yours(
  'externalRef',
  'the customer has said no to an earlier request with this externalRef',
  'Delete the earlier request, agree with the customer, and send a new one.',
  'Slett den forrige forespørselen, avklar med kunden, og send en ny.',
);
const exists = yours(
  'organisation',
  'the customer already has a system user for this system and externalRef',
  'Nothing has to be approved: use the system user, or send a change request for more rights.',
  'Ingenting trenger godkjenning: bruk systembrukeren, eller send en endringsforespørsel for flere rettigheter.',
);
const packages = (summary: string): AuthCodeFacts =>
  yours(
    'accessPackages',
    summary,
    'Ask only for access packages that your system is registered with: assignable ones for an own system, client ones for an agent.',
    'Be bare om tilgangspakker systemet er registrert med: tildelbare for eget system, klientpakker for en agent.',
  );
const redirect = (summary: string): AuthCodeFacts =>
  yours(
    'redirectUrl',
    summary,
    'Use a redirectUrl whose scheme, host and path are registered on the system.',
    'Bruk en redirectUrl der skjema, vert og sti er registrert på systemet.',
  );

/** By the digits of `AUTH-nnnnn`. Codes that are not here are described by their HTTP status. */
export const AUTH_CODES: Readonly<Record<string, AuthCodeFacts>> = {
  '00000': yours(
    'organisation',
    'Altinn does not know the organisation',
    'Check the number, and that the organisation exists in this environment: TT02 knows synthetic organisations only.',
    'Kontroller nummeret, og at organisasjonen finnes i dette miljøet: TT02 kjenner bare syntetiske organisasjoner.',
  ),
  '00001': yours(
    'rights',
    'a right is not among those of the system, or cannot be delegated',
    'Ask only for resources that your system is registered with in Altinn.',
    'Be bare om ressurser systemet er registrert med i Altinn.',
  ),
  '00002': altinnFault('the delegation failed'),
  '00003': altinnFault('the system user could not be created'),
  '00004': exists,
  '00005': altinnFault('Altinn gives no reason'),
  '00006': exists,
  '00007': yours(
    'externalRef',
    'a request is already waiting for the customer',
    'Use the waiting request, or delete it first.',
    'Bruk forespørselen som venter, eller slett den først.',
  ),
  '00008': earlierRefusal,
  '00009': earlierRefusal,
  '00010': requestGone,
  '00011': {
    code: 'MP_CONFIG',
    summary: 'the system is not registered, or belongs to somebody else',
    field: 'ALTINN_SYSTEM_ID',
    actBy: 'you',
    hint: {
      en: 'Check the system id, and that the system is registered in this environment by the organisation that owns the client.',
      nb: 'Kontroller system-id, og at systemet er registrert i dette miljøet av organisasjonen som eier klienten.',
    },
  },
  '00012': altinnFault('the request could not be stored'),
  '00013': yours(
    'id',
    'the request has been answered already',
    'Read the request again: its status is final.',
    'Les forespørselen på nytt: statusen er endelig.',
  ),
  '00014': approver('the approver cannot delegate'),
  '00015': {
    code: 'MP_SYSTEMUSER_MISSING',
    summary: 'there is no such system user, or it is an agent, which cannot be changed',
    field: 'systemUserId',
    actBy: 'customer',
    hint: {
      en: 'Send a new request. An agent system user cannot be changed: the customer deletes it and approves a new one.',
      nb: 'Send en ny forespørsel. En agent-systembruker kan ikke endres: kunden sletter den og godkjenner en ny.',
    },
  },
  '00016': approver('the approver lacks the role to delegate'),
  '00017': yours('systemId', 'the system has no name', 'Give the system a name.', 'Gi systemet et navn.'),
  '00018': approver('the approver cannot delegate directly'),
  '00019': approver('the approver lacks access to the service'),
  '00020': approver('the approver logged in at too low a level'),
  '00021': redirect('the redirectUrl is not one of the system’s'),
  '00022': altinnFault('rights could not be withdrawn'),
  '00023': {
    code: 'MP_UPSTREAM_REJECTED',
    summary: 'the token names no organisation',
    field: 'ALTINN_PLATFORM_URL',
    actBy: 'you',
    hint: {
      en: 'Altinn reads the vendor from the token: check that the client belongs to an organisation.',
      nb: 'Altinn leser leverandøren fra tokenet: kontroller at klienten tilhører en organisasjon.',
    },
  },
  '00024': yours(
    'systemUserId',
    'the system user may not be deleted',
    'Only the customer deletes it.',
    'Bare kunden kan slette den.',
  ),
  '00025': yours(
    'id',
    'it is not an agent request',
    'Read it as an ordinary request.',
    'Les den som en vanlig forespørsel.',
  ),
  '00026': redirect('the system has no registered redirect addresses'),
  '00027': packages('a package cannot be mapped to a role'),
  '00028': yours(
    'organisation',
    'the customer id is not valid',
    'Check the organisation number.',
    'Kontroller organisasjonsnummeret.',
  ),
  '00030': requestGone,
  '00034': yours(
    'systemUserId',
    'the system user is not an agent',
    'Clients belong to agents only.',
    'Bare agenter har klienter.',
  ),
  '00036': yours(
    'systemUserId',
    'the system user is not a standard one',
    'Only standard system users can be changed.',
    'Bare vanlige systembrukere kan endres.',
  ),
  '00041': approver('the party does not match the request'),
  '00042': approver('the party does not match the agent request'),
  '00055': altinnFault('the delegated packages could not be read'),
  '00058': packages('an agent needs at least one access package'),
  '00059': yours(
    'rights',
    'the request names neither rights nor packages',
    'Ask for at least one right or access package.',
    'Be om minst én rettighet eller tilgangspakke.',
  ),
  '00060': altinnFault('the request could not be updated'),
  '00061': yours(
    'correlationId',
    'the change request with this id has been answered already',
    'Send a new change request with a new correlation id.',
    'Send en ny endringsforespørsel med ny korrelasjons-id.',
  ),
  '00062': altinnFault('the delegated rights could not be read'),
  '00063': packages('an access package is not registered on the system'),
  '00064': packages('an access package is for clients only, or cannot be delegated further'),
  '00065': packages('an access package is not meant for clients'),
  '00066': approver('the approver is not an access manager'),
  '00068': approver('the approver cannot delegate an access package'),
  '00069': approver('the resource has an access list that excludes the customer'),
  '00070': approver('a right cannot be delegated'),
  '00071': approver('a Maskinporten schema cannot be delegated by the approver'),
};

const AUTH_CODE = /^AUTH-(\d{5})$/;

export function authCodeFacts(authCode: string | undefined): AuthCodeFacts | undefined {
  const digits = authCode === undefined ? undefined : AUTH_CODE.exec(authCode)?.[1];
  return digits !== undefined && Object.hasOwn(AUTH_CODES, digits) ? AUTH_CODES[digits] : undefined;
}
