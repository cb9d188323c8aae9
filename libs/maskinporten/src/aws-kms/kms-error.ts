import { createError, type Hint, type MaskinportenError, type MaskinportenErrorCode } from '../errors/index.js';
import { UNAVAILABLE_HINT } from '../keys/index.js';

/** What is read of an error of the SDK. Nothing else of it leaves: it holds requests, headers and credentials. */
interface SdkFacts {
  readonly name: string;
  readonly code: string;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
}

interface Verdict {
  readonly code: MaskinportenErrorCode;
  readonly field: string;
  readonly hint: Hint;
}

const KEY_HINT: Hint = {
  en: 'Check that the key exists in this account and region, is enabled, is an RSA key for SIGN_VERIFY, and that this role has kms:Sign and kms:GetPublicKey on it.',
  nb: 'Kontroller at nøkkelen finnes i denne kontoen og regionen, er aktivert, er en RSA-nøkkel for SIGN_VERIFY, og at rollen har kms:Sign og kms:GetPublicKey på den.',
};
const CREDENTIALS_HINT: Hint = {
  en: 'Check the AWS credentials of this service: that they are found, belong to this account, and have not expired.',
  nb: 'Kontroller AWS-legitimasjonen til tjenesten: at den finnes, hører til denne kontoen og ikke er utløpt.',
};
const THROTTLED_HINT: Hint = {
  en: 'KMS limits how often keys are used: ask for fewer different tokens, or have the request quota raised.',
  nb: 'KMS begrenser hvor ofte nøkler brukes: be om færre ulike tokener, eller få kvoten hevet.',
};

const unavailable = (code: MaskinportenErrorCode): Verdict => ({ code, field: 'awsKms', hint: UNAVAILABLE_HINT });
const KEY: Verdict = { code: 'MP_CONFIG', field: 'awsKms.keyId', hint: KEY_HINT };
const CREDENTIALS: Verdict = { code: 'MP_CONFIG', field: 'awsKms.credentials', hint: CREDENTIALS_HINT };

/** Names of errors, of KMS and of the SDK, that say who must act. Everything else goes by status and code. */
const BY_NAME: ReadonlyMap<string, Verdict> = new Map<string, Verdict>(
  Object.entries({
    ThrottlingException: { code: 'MP_THROTTLED', field: 'awsKms', hint: THROTTLED_HINT },
    LimitExceededException: { code: 'MP_THROTTLED', field: 'awsKms', hint: THROTTLED_HINT },
    TooManyRequestsException: { code: 'MP_THROTTLED', field: 'awsKms', hint: THROTTLED_HINT },
    KMSInternalException: unavailable('MP_UPSTREAM'),
    DependencyTimeoutException: unavailable('MP_UPSTREAM'),
    KeyUnavailableException: unavailable('MP_UPSTREAM'),
    AbortError: unavailable('MP_TIMEOUT'),
    TimeoutError: unavailable('MP_TIMEOUT'),
    AccessDeniedException: KEY,
    DisabledException: KEY,
    InvalidArnException: KEY,
    InvalidKeyUsageException: KEY,
    KMSInvalidStateException: KEY,
    NotFoundException: KEY,
    UnsupportedOperationException: KEY,
    CredentialsProviderError: CREDENTIALS,
    ExpiredTokenException: CREDENTIALS,
    IncompleteSignatureException: CREDENTIALS,
    InvalidClientTokenId: CREDENTIALS,
    InvalidSignatureException: CREDENTIALS,
    MissingAuthenticationTokenException: CREDENTIALS,
    TokenProviderError: CREDENTIALS,
    UnrecognizedClientException: CREDENTIALS,
  } satisfies Record<string, Verdict>),
);

const NETWORK = /^(?:ECONN|EHOST|ENET|ENOTFOUND|EAI_|EPIPE|UND_ERR_SOCKET)/;
const CERTIFICATE = /^(?:CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL|EPROTO)/;

/** What an error of the SDK means for a grant that was to be signed. */
export function kmsError(error: unknown): MaskinportenError {
  const facts = factsOf(error);
  const { code, field, hint } = verdictOf(facts);
  const said = [facts.name, facts.code, facts.status].filter((part) => part !== '' && part !== undefined);
  return createError(code, {
    message: `AWS KMS did not sign${said.length === 0 ? '' : `: ${said.join(', ')}`}.`,
    field,
    hint,
    actBy: 'you',
    status: facts.status,
    traceId: facts.requestId,
  });
}

/** A key in KMS that cannot make our signatures, or is not the one that was registered. */
export const keyError = (reason: string): MaskinportenError =>
  createError('MP_CONFIG', { message: `AWS KMS: ${reason}.`, field: 'awsKms.keyId', hint: KEY_HINT });

function verdictOf({ name, code, status }: SdkFacts): Verdict {
  // The SDK calls a reset connection a TimeoutError: what Node says is nearer to the cause.
  if (NETWORK.test(code)) return unavailable('MP_NETWORK');
  const known = BY_NAME.get(name);
  if (known !== undefined) return known;
  if (CERTIFICATE.test(code)) return unavailable('MP_TLS');
  if (code === 'ETIMEDOUT') return unavailable('MP_TIMEOUT');
  if (status === 429) return { code: 'MP_THROTTLED', field: 'awsKms', hint: THROTTLED_HINT };
  // A status of ours to fix; without one, nobody has answered properly.
  if (status !== undefined && status >= 400 && status < 500 && status !== 408) return { ...KEY, field: 'awsKms' };
  return unavailable('MP_UPSTREAM');
}

function factsOf(error: unknown): SdkFacts {
  const metadata = member(error, '$metadata');
  const status = member(metadata, 'httpStatusCode');
  return {
    name: word(member(error, 'name'), /^[A-Z][A-Za-z]{2,60}$/),
    code: word(member(error, 'code'), /^[A-Z][A-Z0-9_]{2,60}$/),
    status: typeof status === 'number' ? status : undefined,
    requestId: word(member(metadata, 'requestId'), /^[\w-]{8,64}$/) || undefined,
  };
}

const word = (value: unknown, form: RegExp): string => (typeof value === 'string' && form.test(value) ? value : '');

function member(holder: unknown, name: string): unknown {
  return typeof holder === 'object' && holder !== null ? (Reflect.get(holder, name) as unknown) : undefined;
}
