import { isWholeNumber, notWholeNumber, ownMembers } from '../basics/index.js';
import { ConfigurationFailures } from '../errors/index.js';
import { isSigningAlgorithm, type SigningAlgorithm } from '../key-files/index.js';
import type { HsmAddress } from './hsm-protocol.js';

export interface Pkcs11SignerOptions {
  /** Path of the vendor's PKCS#11 library: `/usr/lib/softhsm/libsofthsm2.so`. */
  readonly library: string;
  /** The token by its label, its serial number, or both. Default: the only one there is. */
  readonly token?: { readonly label?: string; readonly serial?: string };
  /** The private key by its label, its id (hexadecimal), or both. Default: the only RSA key that may sign. */
  readonly key?: { readonly label?: string; readonly id?: string };
  /** PIN of the user. Without one, the token asks for it on its own keypad. */
  readonly pin?: string;
  /** File that holds the PIN, read each time the token is opened. */
  readonly pinFile?: string;
  /** Default: none when there is a certificate (`x5c` is sent then), else the RFC 7638 thumbprint of the public key. */
  readonly kid?: string;
  /** Default `RS256`. */
  readonly alg?: SigningAlgorithm;
  /** PEM certificates. Default: those on the token that belong to the key and to its chain. */
  readonly certificateChain?: string | Buffer;
  /** Open sessions, and so signatures made at the same time, from 1 to 4. Default 2. */
  readonly sessions?: number;
  /** Signatures that may wait for a session; the next one fails at once. Default 100. */
  readonly maxWaiting?: number;
  /** Longest wait for one signature, in milliseconds, from 50 to 60,000. Default 2000. */
  readonly timeoutMs?: number;
  /** Longest wait for the token to be opened, in milliseconds, from 50 to 120,000. Default 10,000. */
  readonly openTimeoutMs?: number;
  /** While the token is away, it is looked for this often, in milliseconds, from 50 to 3,600,000. Default 5000. */
  readonly reopenEveryMs?: number;
  /**
   * Variables for the library: `{ SOFTHSM2_CONF: '/etc/softhsm2.conf' }`. Of the service's own it gets only those of the
   * system (`PATH`, `HOME`, `LANG`, `TZ`, `LD_LIBRARY_PATH` and the like): a vendor's code has no business with the rest.
   */
  readonly environment?: Readonly<Record<string, string>>;
}

/** The options with their defaults, checked. */
export interface Pkcs11Settings {
  readonly address: HsmAddress;
  readonly pin: string | undefined;
  readonly pinFile: string | undefined;
  readonly alg: SigningAlgorithm;
  readonly maxWaiting: number;
  readonly timeoutMs: number;
  readonly openTimeoutMs: number;
  readonly reopenEveryMs: number;
}

/** @throws MaskinportenConfigurationError (`MP_CONFIG`) that lists every wrong option. */
export function checkOptions(given: Pkcs11SignerOptions): Pkcs11Settings {
  // Own members only: what a polluted prototype adds is not configuration (T-66).
  const options = ownMembers(given);
  const [token, key] = [ownMembers(options.token), ownMembers(options.key)];
  const failures = new ConfigurationFailures();
  const text = (name: string, value: unknown): string | undefined => {
    if (value === undefined || (typeof value === 'string' && value !== '' && !value.includes('\0'))) return value;
    failures.add(`pkcs11.${name}`, 'must be text');
    return undefined;
  };
  const whole = (name: keyof Pkcs11SignerOptions, from: number, to: number, otherwise: number): number => {
    const value: unknown = options[name] ?? otherwise;
    if (isWholeNumber(value, from, to)) return value;
    failures.add(`pkcs11.${name}`, notWholeNumber(from, to));
    return otherwise;
  };
  const library = text('library', options.library);
  if (options.library === undefined) failures.add('pkcs11.library', 'is missing: the path of the PKCS#11 library');
  const keyId = text('key.id', key.id)?.toLowerCase();
  if (keyId !== undefined && !/^(?:[0-9a-f]{2}){1,64}$/.test(keyId))
    failures.add('pkcs11.key.id', 'must be hexadecimal');
  const { alg = 'RS256' } = options;
  if (!isSigningAlgorithm(alg)) failures.add('pkcs11.alg', 'must be RS256, RS384 or RS512');
  const pin = text('pin', options.pin);
  const pinFile = text('pinFile', options.pinFile);
  if (pin !== undefined && pinFile !== undefined) failures.add('pkcs11.pin', 'must not be given together with pinFile');
  const environment: Readonly<Record<string, unknown>> = ownMembers(options.environment);
  for (const [name, value] of Object.entries(environment)) text(`environment.${name.slice(0, 64)}`, value);
  const settings: Pkcs11Settings = {
    address: {
      library: library ?? '',
      tokenLabel: text('token.label', token.label),
      tokenSerial: text('token.serial', token.serial),
      keyLabel: text('key.label', key.label),
      keyId,
      sessions: whole('sessions', 1, 4, 2),
      environment: { ...options.environment },
    },
    pin,
    pinFile,
    alg,
    maxWaiting: whole('maxWaiting', 0, 10_000, 100),
    timeoutMs: whole('timeoutMs', 50, 60_000, 2000),
    openTimeoutMs: whole('openTimeoutMs', 50, 120_000, 10_000),
    reopenEveryMs: whole('reopenEveryMs', 50, 3_600_000, 5000),
  };
  failures.throwIfAny();
  return settings;
}
