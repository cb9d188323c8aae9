import { createRequire } from 'node:module';
import { HsmRefusal } from './hsm-protocol.js';

/** Handles of slots, sessions and objects are bytes that only the library understands. */
export type Handle = Buffer;

export interface Attribute {
  readonly type: number;
  readonly value?: number | boolean | string | Buffer;
}

/**
 * What we use of `pkcs11js`, written down here because it is optional: without a compiler for its native part, this
 * module and its type declarations still have to build.
 */
export interface Cryptoki {
  load(library: string): void;
  C_Initialize(options: { readonly flags: number }): void;
  C_GetSlotList(tokenPresent: boolean): Handle[];
  C_GetTokenInfo(slot: Handle): { readonly label: string; readonly serialNumber: string; readonly flags: number };
  C_GetMechanismList(slot: Handle): number[];
  C_GetMechanismInfo(slot: Handle, mechanism: number): { readonly flags: number };
  C_OpenSession(slot: Handle, flags: number): Handle;
  C_Login(session: Handle, userType: number, pin?: string): void;
  C_FindObjectsInit(session: Handle, template: readonly Attribute[]): void;
  C_FindObjects(session: Handle, maxObjectCount: number): Handle[];
  C_FindObjectsFinal(session: Handle): void;
  C_GetAttributeValue(session: Handle, object: Handle, template: readonly Attribute[]): { readonly value: Buffer }[];
  C_SignInit(session: Handle, mechanism: { readonly mechanism: number }, key: Handle): void;
  C_SignAsync(session: Handle, data: Buffer, room: Buffer): Promise<Buffer>;
}

/** Numbers of PKCS #11 v2.40 (OASIS), the version that every library speaks. */
export const CK = {
  flagSerialSession: 0x4,
  flagOsLockingOk: 0x2,
  flagLoginRequired: 0x4,
  flagTokenInitialised: 0x400,
  flagSign: 0x800,
  user: 1,
  contextSpecific: 2,
  classCertificate: 1,
  classPublicKey: 2,
  classPrivateKey: 3,
  class: 0x0,
  label: 0x3,
  value: 0x11,
  certificateType: 0x80,
  keyType: 0x100,
  id: 0x102,
  sign: 0x108,
  modulus: 0x120,
  publicExponent: 0x122,
  alwaysAuthenticate: 0x202,
  rsa: 0,
  x509: 0,
} as const;

/** @throws HsmRefusal `module` when `pkcs11js` is not installed or its native part was not built. */
export function loadCryptoki(library: string): Cryptoki {
  const cryptoki = bindings();
  try {
    cryptoki.load(library);
    cryptoki.C_Initialize({ flags: CK.flagOsLockingOk });
    return cryptoki;
  } catch (error) {
    throw new HsmRefusal('library', codeOf(error));
  }
}

function bindings(): Cryptoki {
  try {
    const { PKCS11 } = createRequire(import.meta.url)('pkcs11js') as { PKCS11: new () => Cryptoki };
    return new PKCS11();
  } catch {
    throw new HsmRefusal('module', '');
  }
}

/** The name of a Cryptoki return value. Nothing else of an error leaves the process: vendors write what they like there. */
export function codeOf(error: unknown): string {
  const text = error instanceof Error ? error.message : '';
  return /\bCKR_[A-Z0-9_]{1,60}\b/.exec(text)?.[0] ?? 'CKR_UNKNOWN';
}
