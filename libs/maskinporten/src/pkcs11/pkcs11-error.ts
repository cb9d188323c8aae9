import { createError, type Hint, type MaskinportenError } from '../errors/index.js';
import { UNAVAILABLE_HINT } from '../keys/index.js';
import { type HsmRefusalKind, HsmRefusal } from './hsm-protocol.js';
import { HsmFault } from './hsm-connection.js';

interface RefusalFacts {
  readonly field: string;
  readonly reason: string;
  readonly hint: Hint;
}

const REFUSALS: Readonly<Record<Exclude<HsmRefusalKind, 'cryptoki'>, RefusalFacts>> = {
  module: {
    field: 'pkcs11js',
    reason: 'the package pkcs11js is not installed, or its native part was not built',
    hint: {
      en: 'Run "npm install pkcs11js" where a C++ compiler and Python are installed, and do not pass --ignore-scripts for it.',
      nb: 'Kjør «npm install pkcs11js» der en C++-kompilator og Python er installert, uten --ignore-scripts.',
    },
  },
  library: {
    field: 'pkcs11.library',
    reason: 'the PKCS#11 library cannot be loaded',
    hint: {
      en: 'Check the path, that the file is readable, built for this processor, and that what it needs (its own settings, other libraries) is there.',
      nb: 'Kontroller stien, at filen kan leses og er bygd for denne prosessoren, og at det den trenger (egne innstillinger, andre biblioteker) er på plass.',
    },
  },
  'token-missing': {
    field: 'pkcs11.token',
    reason: 'no such token is present',
    hint: {
      en: 'Check label and serial number ("pkcs11-tool --module … --list-slots" shows them), and that the device is connected and reachable.',
      nb: 'Kontroller navn og serienummer («pkcs11-tool --module … --list-slots» viser dem), og at enheten er tilkoblet og kan nås.',
    },
  },
  'token-ambiguous': {
    field: 'pkcs11.token',
    reason: 'more than one token fits: nothing is guessed',
    hint: { en: 'Name one token by its label or serial number.', nb: 'Oppgi ett token med navn eller serienummer.' },
  },
  pin: {
    field: 'pkcs11.pin',
    reason: 'the token refuses the PIN, or asks for one',
    hint: {
      en: 'Give the right PIN. It is not tried again until it has changed, because tokens lock after a few wrong ones.',
      nb: 'Oppgi riktig PIN. Den prøves ikke igjen før den er endret, fordi et token låses etter noen få feil.',
    },
  },
  'key-missing': {
    field: 'pkcs11.key',
    reason: 'the token holds no such RSA private key that may sign',
    hint: {
      en: 'Check label and id ("pkcs11-tool --module … --login --list-objects" shows them) and that the key is RSA and made for signing.',
      nb: 'Kontroller navn og id («pkcs11-tool --module … --login --list-objects» viser dem), og at nøkkelen er RSA og laget for signering.',
    },
  },
  'key-ambiguous': {
    field: 'pkcs11.key',
    reason: 'more than one RSA private key that may sign fits: nothing is guessed',
    hint: { en: 'Name one key by its label or id.', nb: 'Oppgi én nøkkel med navn eller id.' },
  },
  'public-half': {
    field: 'pkcs11.key',
    reason: 'the token does not tell the public half of the key',
    hint: {
      en: 'Store the public key on the token under the same id as the private key.',
      nb: 'Legg den offentlige nøkkelen på tokenet med samme id som den private.',
    },
  },
  mechanism: {
    field: 'pkcs11.library',
    reason: 'the token offers neither RSA with SHA-2 nor plain RSA signatures (PKCS #1 v1.5)',
    hint: {
      en: 'Allow CKM_SHA256_RSA_PKCS or CKM_RSA_PKCS on the token; Maskinporten takes nothing else.',
      nb: 'Tillat CKM_SHA256_RSA_PKCS eller CKM_RSA_PKCS på tokenet; Maskinporten godtar ikke noe annet.',
    },
  },
};

/** Return values that say that this key will not sign however often one asks. */
const KEY_UNUSABLE = /^CKR_(?:KEY_FUNCTION_NOT_PERMITTED|KEY_TYPE_INCONSISTENT|KEY_SIZE_RANGE|MECHANISM_INVALID)$/;

/** What failed, for those who start the service: settings are wrong, or the token does not answer. */
export function startError(error: unknown): MaskinportenError {
  if (!(error instanceof HsmRefusal) || error.refusal === 'cryptoki') return awayError(error);
  const { field, reason, hint } = REFUSALS[error.refusal];
  return createError('MP_CONFIG', { message: `PKCS#11: ${reason}${inBrackets(error.code)}.`, field, hint });
}

/** What failed, for a service that has signed with this token before: all but the PIN may come back by itself. */
export function awayError(error: unknown): MaskinportenError {
  if (error instanceof HsmRefusal && error.refusal === 'pin') return startError(error);
  if (error instanceof HsmFault && KEY_UNUSABLE.test(error.code)) {
    return createError('MP_SIGNATURE', {
      message: `PKCS#11: the token does not sign with this key (${error.code}).`,
      field: 'pkcs11.key',
      hint: REFUSALS['key-missing'].hint,
    });
  }
  const hung = error instanceof HsmFault && error.kind === 'hung';
  return createError(hung ? 'MP_TIMEOUT' : 'MP_UPSTREAM', {
    message: hung ? 'PKCS#11: the token did not answer in time.' : `PKCS#11: the token is away: ${whyAway(error)}.`,
    field: 'pkcs11.token',
    actBy: 'you',
    hint: UNAVAILABLE_HINT,
  });
}

/** Another key answers under the same label: its signatures would be those of somebody Maskinporten does not know. */
export const keyChangedError = (): MaskinportenError =>
  createError('MP_SIGNATURE', {
    message: 'PKCS#11: the token now holds another key under the same label or id.',
    field: 'pkcs11.key',
    hint: {
      en: 'Register the public half of the new key, and start the service again.',
      nb: 'Registrer den offentlige halvdelen av den nye nøkkelen, og start tjenesten på nytt.',
    },
  });

export const closedError = (): MaskinportenError =>
  createError('MP_ABORTED', { message: 'PKCS#11: the signer has been closed.', field: 'key.signer' });

function whyAway(error: unknown): string {
  if (error instanceof HsmFault) return error.code;
  if (!(error instanceof HsmRefusal)) return 'it could not be opened';
  return error.refusal === 'cryptoki' ? error.code : REFUSALS[error.refusal].reason;
}

const inBrackets = (code: string): string => (code === '' ? '' : ` (${code})`);
