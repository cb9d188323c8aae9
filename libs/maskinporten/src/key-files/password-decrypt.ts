import { createDecipheriv, getCipherInfo, pbkdf2, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { OctetString } from '@peculiar/asn1-schema';
import type { AlgorithmIdentifier } from '@peculiar/asn1-x509';
import { readAsn1 } from './asn1.js';
import type { IterationBudget } from './iteration-budget.js';
import { KeyFailure } from './key-failure.js';
import {
  Pbes2Parameters,
  Pbkdf2Parameters,
  Pkcs12PbeParameters,
  ScryptParameters,
} from './password-encryption-parameters.js';
import type { PasswordForm } from './password-form.js';
import { pkcs12Kdf, PURPOSE } from './pkcs12-kdf.js';
import { rc2Decrypt } from './rc2-decrypt.js';
import type { SecretBytes } from './secret-bytes.js';

export interface DecryptContext {
  readonly member: string;
  readonly secrets: SecretBytes;
  readonly budget: IterationBudget;
}

const PBES2 = '1.2.840.113549.1.5.13';
const PBKDF2 = '1.2.840.113549.1.5.12';
const SCRYPT = '1.3.6.1.4.1.11591.4.11';
/** 128 × N × r bytes; OpenSSL's own tools stay below 32 MiB. */
const MAX_SCRYPT_BYTES = 256 * 1024 * 1024;

/** pbeWithSHAAnd… of RFC 7292 appendix C; RC4 is left out: nothing that hands out certificates uses it. */
const PKCS12_PBE: Readonly<Record<string, { readonly cipher: string; readonly keyLength: number }>> = {
  '1.2.840.113549.1.12.1.3': { cipher: 'des-ede3-cbc', keyLength: 24 },
  '1.2.840.113549.1.12.1.4': { cipher: 'des-ede-cbc', keyLength: 16 },
  '1.2.840.113549.1.12.1.5': { cipher: 'rc2', keyLength: 16 },
  '1.2.840.113549.1.12.1.6': { cipher: 'rc2', keyLength: 5 },
};

const PRF: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.8': 'sha224',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
};

const CIPHERS: Readonly<Record<string, string>> = {
  '1.2.840.113549.3.7': 'des-ede3-cbc',
  '2.16.840.1.101.3.4.1.2': 'aes-128-cbc',
  '2.16.840.1.101.3.4.1.22': 'aes-192-cbc',
  '2.16.840.1.101.3.4.1.42': 'aes-256-cbc',
  '1.2.392.200011.61.1.1.1.2': 'camellia-128-cbc',
  '1.2.392.200011.61.1.1.1.3': 'camellia-192-cbc',
  '1.2.392.200011.61.1.1.1.4': 'camellia-256-cbc',
  '1.2.410.200046.1.1.2': 'aria-128-cbc',
  '1.2.410.200046.1.1.7': 'aria-192-cbc',
  '1.2.410.200046.1.1.12': 'aria-256-cbc',
};

const pbkdf2Async = promisify(pbkdf2);
const scryptAsync = promisify<Buffer, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(
  scrypt,
);

/**
 * Decrypts what a password-based scheme of PKCS#5 or PKCS#12 encrypted. Nothing here holds the event loop: PBKDF2 and
 * scrypt run in Node's thread pool, the rest rests between slices.
 *
 * @returns undefined when `password` is not the one.
 * @throws KeyFailure for a scheme that is not read, or that asks for too much.
 */
export async function decryptWithPassword(
  algorithm: AlgorithmIdentifier,
  data: Buffer,
  password: PasswordForm,
  context: DecryptContext,
): Promise<Buffer | undefined> {
  const pbe = PKCS12_PBE[algorithm.algorithm];
  if (pbe !== undefined) return decryptPkcs12(pbe, algorithm, data, password, context);
  if (algorithm.algorithm !== PBES2) throw unsupported(algorithm, context);
  const { keyDerivation, encryption } = readAsn1(parametersOf(algorithm, context), Pbes2Parameters, context.member);
  const cipher = CIPHERS[encryption.algorithm];
  const info = cipher === undefined ? undefined : getCipherInfo(cipher);
  if (cipher === undefined || info === undefined) throw unsupported(encryption, context);
  const iv = readAsn1(parametersOf(encryption, context), OctetString, context.member).buffer;
  const key = await derive(keyDerivation, password.bytes, info.keyLength, context);
  return decipher(cipher, key, new Uint8Array(iv), data, context);
}

async function decryptPkcs12(
  { cipher, keyLength }: { readonly cipher: string; readonly keyLength: number },
  algorithm: AlgorithmIdentifier,
  data: Buffer,
  { bmp }: PasswordForm,
  context: DecryptContext,
): Promise<Buffer | undefined> {
  const { secrets, budget, member } = context;
  const { salt, iterations } = readAsn1(parametersOf(algorithm, context), Pkcs12PbeParameters, member);
  const common = {
    digest: 'sha1',
    password: bmp,
    salt: new Uint8Array(salt.buffer),
    iterations: budget.take(iterations),
    secrets,
  } as const;
  const key = await pkcs12Kdf({ ...common, purpose: PURPOSE.key, length: keyLength });
  const iv = await pkcs12Kdf({ ...common, purpose: PURPOSE.iv, length: 8 });
  if (cipher === 'rc2') {
    const plain = await rc2Decrypt(key, iv, data);
    return plain === undefined ? undefined : secrets.own(plain);
  }
  // OpenSSL has no two-key Triple DES in every build; K1 K2 K1 is the same thing.
  const threeKeys = keyLength === 16 ? secrets.own(Buffer.concat([key, key.subarray(0, 8)])) : key;
  return decipher('des-ede3-cbc', threeKeys, iv, data, context);
}

async function derive(
  algorithm: AlgorithmIdentifier,
  password: Buffer,
  keyLength: number,
  context: DecryptContext,
): Promise<Buffer> {
  const { member, secrets, budget } = context;
  if (algorithm.algorithm === PBKDF2) {
    const parameters = readAsn1(parametersOf(algorithm, context), Pbkdf2Parameters, member);
    const { pseudoRandomFunction } = parameters;
    const digest = pseudoRandomFunction === undefined ? 'sha1' : PRF[pseudoRandomFunction.algorithm];
    if (digest === undefined) throw unsupported(pseudoRandomFunction ?? algorithm, context);
    checkKeyLength(parameters.keyLength, keyLength, member);
    const iterations = budget.take(parameters.iterations);
    const salt = new Uint8Array(parameters.salt.buffer);
    return secrets.own(await pbkdf2Async(password, salt, iterations, keyLength, digest));
  }
  if (algorithm.algorithm !== SCRYPT) throw unsupported(algorithm, context);
  const parameters = readAsn1(parametersOf(algorithm, context), ScryptParameters, member);
  const { cost: N, blockSize: r, parallelization: p } = parameters;
  checkKeyLength(parameters.keyLength, keyLength, member);
  // Memory bounds one lane, the budget the work: N steps of r blocks in each of p lanes, with r = 8 as the usual step.
  if (!(N * r * 128 <= MAX_SCRYPT_BYTES)) throw new KeyFailure(member, 'asks for more memory than is given to scrypt');
  budget.take(Math.ceil((N * r * p) / 8));
  try {
    const salt = Buffer.from(parameters.salt.buffer);
    return secrets.own(await scryptAsync(password, salt, keyLength, { N, r, p, maxmem: 2 * MAX_SCRYPT_BYTES }));
  } catch {
    throw new KeyFailure(member, 'is damaged: its scrypt parameters are not possible');
  }
}

function checkKeyLength(given: number | undefined, needed: number, member: string): void {
  if (given !== undefined && given !== needed) {
    throw new KeyFailure(member, 'is damaged: its key length is not that of its cipher');
  }
}

function decipher(
  cipher: string,
  key: Buffer,
  iv: Uint8Array,
  data: Buffer,
  { secrets, member }: DecryptContext,
): Buffer | undefined {
  let decryption;
  try {
    decryption = createDecipheriv(cipher, key, iv);
  } catch {
    throw new KeyFailure(member, `is damaged: its parameters are not those of ${cipher}`);
  }
  try {
    const plain = secrets.own(decryption.update(data));
    return secrets.own(Buffer.concat([plain, secrets.own(decryption.final())]));
  } catch {
    return undefined;
  }
}

function parametersOf({ parameters }: AlgorithmIdentifier, { member }: DecryptContext): ArrayBuffer {
  if (parameters instanceof ArrayBuffer) return parameters;
  throw new KeyFailure(member, 'is damaged: an encryption algorithm has no parameters');
}

const NAMES: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.5.3': 'pbeWithMD5AndDES',
  '1.2.840.113549.1.5.6': 'pbeWithMD5AndRC2',
  '1.2.840.113549.1.5.10': 'pbeWithSHA1AndDES',
  '1.2.840.113549.1.5.11': 'pbeWithSHA1AndRC2',
  '1.2.840.113549.1.12.1.1': 'pbeWithSHA1And128BitRC4',
  '1.2.840.113549.1.12.1.2': 'pbeWithSHA1And40BitRC4',
  '1.2.840.113549.3.2': 'RC2',
  '1.3.14.3.2.7': 'DES',
};

/** Object identifiers are numbers and dots, and short; anything longer is not a name of something. */
function unsupported({ algorithm }: AlgorithmIdentifier, { member }: DecryptContext): KeyFailure {
  const name = NAMES[algorithm] ?? (algorithm.length <= 64 ? algorithm : 'something unknown');
  return new KeyFailure(
    member,
    `is encrypted with ${name}, which is not read: encrypt it again with AES, as "openssl pkcs8 -topk8 -v2 aes256" does`,
  );
}
