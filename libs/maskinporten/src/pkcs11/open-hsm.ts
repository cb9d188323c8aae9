import { CK, codeOf, loadCryptoki, type Attribute, type Cryptoki, type Handle } from './cryptoki.js';
import { type HsmAddress, type HsmFacts, HsmRefusal } from './hsm-protocol.js';
import { HsmSessions } from './hsm-sessions.js';

/** More objects of one kind than a token of an enterprise holds. */
const MAX_OBJECTS = 64;

/**
 * Opens the library, the token and the key. Runs in the process beside ours, where it may block and crash.
 *
 * @throws HsmRefusal
 */
export function openHsm(address: HsmAddress, pin: string | undefined): { facts: HsmFacts; sessions: HsmSessions } {
  const cryptoki = loadCryptoki(address.library);
  try {
    const { slot, flags } = findToken(cryptoki, address);
    const first = cryptoki.C_OpenSession(slot, CK.flagSerialSession);
    if ((flags & CK.flagLoginRequired) !== 0) logIn(cryptoki, first, pin);
    const key = findKey(cryptoki, first, address);
    const more = Array.from({ length: address.sessions - 1 }, () => cryptoki.C_OpenSession(slot, CK.flagSerialSession));
    const askedEachTime = read(cryptoki, first, key, CK.alwaysAuthenticate)?.[0] === 1;
    const sessions = new HsmSessions(cryptoki, { slot, key, pin: askedEachTime ? pin : undefined }, [first, ...more]);
    return { sessions, facts: factsOf(cryptoki, first, key) };
  } catch (error) {
    throw error instanceof HsmRefusal ? error : new HsmRefusal('cryptoki', codeOf(error));
  }
}

function findToken(cryptoki: Cryptoki, { tokenLabel, tokenSerial }: HsmAddress): { slot: Handle; flags: number } {
  const found = cryptoki.C_GetSlotList(true).flatMap((slot) => {
    const { label, serialNumber, flags } = cryptoki.C_GetTokenInfo(slot);
    const fits =
      (flags & CK.flagTokenInitialised) !== 0 &&
      (tokenLabel === undefined || unpadded(label) === tokenLabel) &&
      (tokenSerial === undefined || unpadded(serialNumber) === tokenSerial);
    return fits ? [{ slot, flags }] : [];
  });
  const [only] = found;
  if (only === undefined) throw new HsmRefusal('token-missing', '');
  if (found.length > 1) throw new HsmRefusal('token-ambiguous', '');
  return only;
}

/** Labels and serial numbers are padded with blanks, by some libraries with NUL. */
const unpadded = (text: string): string => text.replace(/[\0 ]+$/, '');

function logIn(cryptoki: Cryptoki, session: Handle, pin: string | undefined): void {
  try {
    // Without a PIN the token asks for it itself, on its own keypad.
    cryptoki.C_Login(session, CK.user, pin);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'CKR_USER_ALREADY_LOGGED_IN') return;
    throw /PIN|CKR_ARGUMENTS_BAD/.test(code) ? new HsmRefusal('pin', code) : error;
  }
}

function findKey(cryptoki: Cryptoki, session: Handle, { keyLabel, keyId }: HsmAddress): Handle {
  const keys = find(cryptoki, session, [
    { type: CK.class, value: CK.classPrivateKey },
    { type: CK.keyType, value: CK.rsa },
    { type: CK.sign, value: true },
    ...(keyLabel === undefined ? [] : [{ type: CK.label, value: keyLabel }]),
    ...(keyId === undefined ? [] : [{ type: CK.id, value: Buffer.from(keyId, 'hex') }]),
  ]);
  const [only] = keys;
  if (only === undefined) throw new HsmRefusal('key-missing', '');
  if (keys.length > 1) throw new HsmRefusal('key-ambiguous', '');
  return only;
}

function factsOf(cryptoki: Cryptoki, session: Handle, key: Handle): HsmFacts {
  const id = read(cryptoki, session, key, CK.id);
  const [publicKey] =
    id === undefined || id.length === 0
      ? []
      : find(cryptoki, session, [
          { type: CK.class, value: CK.classPublicKey },
          { type: CK.keyType, value: CK.rsa },
          { type: CK.id, value: id },
        ]);
  // A private key may tell its public half itself; where it does not, the object beside it does.
  for (const holder of publicKey === undefined ? [key] : [key, publicKey]) {
    const modulus = read(cryptoki, session, holder, CK.modulus);
    const exponent = read(cryptoki, session, holder, CK.publicExponent);
    if (modulus !== undefined && modulus.length > 0 && exponent !== undefined && exponent.length > 0) {
      return { modulus, exponent, certificates: certificatesOf(cryptoki, session) };
    }
  }
  throw new HsmRefusal('public-half', '');
}

function certificatesOf(cryptoki: Cryptoki, session: Handle): Buffer[] {
  const found = find(cryptoki, session, [
    { type: CK.class, value: CK.classCertificate },
    { type: CK.certificateType, value: CK.x509 },
  ]);
  return found.flatMap((certificate) => read(cryptoki, session, certificate, CK.value) ?? []);
}

function find(cryptoki: Cryptoki, session: Handle, template: readonly Attribute[]): Handle[] {
  cryptoki.C_FindObjectsInit(session, template);
  try {
    return cryptoki.C_FindObjects(session, MAX_OBJECTS);
  } finally {
    cryptoki.C_FindObjectsFinal(session);
  }
}

/** Undefined when the object does not have the attribute, or does not tell it. */
function read(cryptoki: Cryptoki, session: Handle, object: Handle, type: number): Buffer | undefined {
  try {
    return cryptoki.C_GetAttributeValue(session, object, [{ type }])[0]?.value;
  } catch (error) {
    if (codeOf(error).startsWith('CKR_ATTRIBUTE_')) return undefined;
    throw error;
  }
}
