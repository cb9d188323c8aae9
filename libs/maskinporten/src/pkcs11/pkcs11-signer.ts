import { createPublicKey, type KeyObject } from 'node:crypto';
import { untilAborted } from '../basics/index.js';
import { createError, isMaskinportenError, withDetails, type MaskinportenError } from '../errors/index.js';
import { jwkThumbprint, type SigningAlgorithm } from '../key-files/index.js';
import { SignerHealth, type MaskinportenSigner } from '../keys/index.js';
import { awayError, closedError, keyChangedError, startError } from './pkcs11-error.js';
import { checkOptions, type Pkcs11Settings, type Pkcs11SignerOptions } from './pkcs11-options.js';
import { pinOf } from './pin.js';
import { chainOf } from './hsm-certificates.js';
import { HsmConnection, HsmFault } from './hsm-connection.js';
import { type HsmFacts, HsmRefusal } from './hsm-protocol.js';

/** A token that could not be opened is left alone for this long, however many signatures are asked for. */
const PAUSE_MS = 250;

const MARGIN_MS = 250;

const WORKER = new URL('./hsm-worker.js', import.meta.url);

/**
 * A key on an HSM or smart card, through its PKCS#11 library. The key never leaves the token: it is asked to sign, in a
 * process of its own, so that a library that blocks, hangs or crashes does nothing to the service. When the token goes
 * away – unplugged, restarted, its sessions gone – it is opened again by itself.
 *
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) for wrong options, or a library, token, PIN or key that is not right.
 * @throws TokenEndpointUnavailableError (`MP_UPSTREAM`, `MP_TIMEOUT`) when the token does not answer.
 *
 * @example
 * const signer = await pkcs11Signer({
 *   library: '/usr/lib/softhsm/libsofthsm2.so',
 *   token: { label: 'payroll' },
 *   key: { label: 'maskinporten' },
 *   pinFile: '/run/secrets/pin',
 * });
 * MaskinportenModule.forRoot({ environment: 'test', clientId: '…', key: { signer } });
 */
export function pkcs11Signer(options: Pkcs11SignerOptions): Promise<Pkcs11Signer> {
  return Pkcs11Signer.open(options, WORKER);
}

/** Made by `pkcs11Signer`. */
export class Pkcs11Signer implements MaskinportenSigner {
  readonly alg: SigningAlgorithm;
  readonly publicKey: KeyObject;
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly maxWaiting: number;
  readonly health: SignerHealth;
  declare readonly kid?: string;
  declare readonly certificateChain?: string | Buffer;
  readonly #settings: Pkcs11Settings;
  readonly #worker: URL;
  readonly #modulus: Uint8Array;
  #connection: HsmConnection | undefined;
  #opening: { readonly promise: Promise<HsmConnection>; readonly sinceMs: number } | undefined;
  #failure: { readonly error: MaskinportenError; readonly atMs: number } | undefined;
  #refusedPin: { readonly pin: string | undefined; readonly error: MaskinportenError } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(
    settings: Pkcs11Settings,
    worker: URL,
    opened: { readonly connection: HsmConnection; readonly facts: HsmFacts; readonly publicKey: KeyObject },
    presented: { readonly kid: string | undefined; readonly chain: string | Buffer | undefined },
  ) {
    this.#settings = settings;
    this.#worker = worker;
    this.#modulus = opened.facts.modulus;
    this.publicKey = opened.publicKey;
    this.alg = settings.alg;
    // Ours comes first, because it knows what was waited for; the one outside is for when the token is opened again.
    this.timeoutMs = Math.min(settings.timeoutMs + MARGIN_MS, 60_000);
    this.concurrency = settings.address.sessions;
    this.maxWaiting = settings.maxWaiting;
    const { tokenLabel, tokenSerial, keyLabel, keyId } = settings.address;
    this.health = new SignerHealth(['pkcs11', tokenLabel ?? tokenSerial, keyLabel ?? keyId].filter(Boolean).join(':'));
    this.#use(opened.connection);
    if (presented.kid !== undefined) this.kid = presented.kid;
    if (presented.chain !== undefined) this.certificateChain = presented.chain;
  }

  /** @internal The second argument is for tests, which have no compiled process of their own. */
  static async open(options: Pkcs11SignerOptions, worker: URL): Promise<Pkcs11Signer> {
    const settings = checkOptions(options);
    const opened = await openWith(settings, worker, await pinOf(settings)).catch((error: unknown) => {
      throw startError(error);
    });
    const { modulus, exponent, certificates } = opened.facts;
    const [n, e] = [modulus, exponent].map((bytes) => Buffer.from(bytes).toString('base64url'));
    const publicKey = createPublicKey({ key: { kty: 'RSA', n: String(n), e: String(e) }, format: 'jwk' });
    const chain = options.certificateChain ?? chainOf(certificates, publicKey);
    const kid = options.kid ?? (chain === undefined ? await jwkThumbprint(publicKey) : undefined);
    return new Pkcs11Signer(settings, worker, { ...opened, publicKey }, { kid, chain });
  }

  /**
   * Signs on the token. Stale sessions are opened again once within the same call.
   *
   * @throws TokenEndpointUnavailableError (`MP_UPSTREAM`, `MP_TIMEOUT`) while the token is away.
   * @throws MaskinportenConfigurationError (`MP_CONFIG`) when the token has come back with another PIN.
   * @throws SigningCredentialError (`MP_SIGNATURE`) when it does not sign with this key, or holds another one now.
   * @throws OperationAbortedError (`MP_ABORTED`) when `signal` fires, or after `close`.
   */
  async sign(
    data: Uint8Array,
    { alg, signal }: { readonly alg: SigningAlgorithm; readonly signal: AbortSignal },
  ): Promise<Uint8Array> {
    try {
      const signature = await this.#sign(data, alg, signal);
      this.#failure = undefined;
      this.health.succeeded();
      return signature;
    } catch (error) {
      if (signal.aborted) throw createError('MP_ABORTED', { message: 'PKCS#11: the caller stopped waiting.' });
      const known = isMaskinportenError(error) ? error : awayError(error);
      this.health.failed(known);
      if (!this.#closed) this.#lookAgain();
      throw known;
    }
  }

  /** Ends the process that talks to the token. Signatures under way fail. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#connection?.close();
    await this.#opening?.promise.catch(() => undefined);
    this.#connection?.close();
  }

  async #sign(data: Uint8Array, alg: SigningAlgorithm, signal: AbortSignal): Promise<Uint8Array> {
    const { timeoutMs } = this.#settings;
    for (let again = true; ; again = false) {
      signal.throwIfAborted();
      const connection = this.#alive() ?? (await untilAborted(this.#open(), signal, () => signal.reason as Error));
      try {
        return await connection.sign(data, { alg, signal, timeoutMs });
      } catch (error) {
        if (signal.aborted) throw error;
        connection.close();
        if (!again || !(error instanceof HsmFault) || error.kind === 'hung') throw error;
      }
    }
  }

  #alive(): HsmConnection | undefined {
    if (this.#closed) throw closedError();
    return this.#connection?.alive === true ? this.#connection : undefined;
  }

  /** One opening at a time for all callers; while one takes long, or has just failed, nobody waits for it. */
  #open(): Promise<HsmConnection> {
    const nowMs = performance.now();
    if (this.#opening !== undefined) {
      if (nowMs - this.#opening.sinceMs < this.#settings.timeoutMs) return this.#opening.promise;
      return Promise.reject(awayError(new HsmFault('hung', 'TIMEOUT')));
    }
    if (this.#failure !== undefined && nowMs - this.#failure.atMs < PAUSE_MS) {
      return Promise.reject(withDetails(this.#failure.error));
    }
    const promise = this.#openAnew().finally(() => (this.#opening = undefined));
    this.#opening = { promise, sinceMs: nowMs };
    return promise;
  }

  async #openAnew(): Promise<HsmConnection> {
    try {
      const pin = await pinOf(this.#settings);
      if (this.#refusedPin !== undefined && this.#refusedPin.pin === pin) throw withDetails(this.#refusedPin.error);
      const { connection, facts } = await this.#openedWith(pin);
      this.#refusedPin = undefined;
      if (Buffer.compare(facts.modulus, this.#modulus) === 0) return this.#use(connection);
      connection.close();
      throw keyChangedError();
    } catch (error) {
      const known = isMaskinportenError(error) ? error : awayError(error);
      this.#failure = { error: known, atMs: performance.now() };
      this.health.failed(known);
      if (!this.#closed) this.#lookAgain();
      throw known;
    }
  }

  async #openedWith(pin: string | undefined): Promise<{ connection: HsmConnection; facts: HsmFacts }> {
    try {
      return await openWith(this.#settings, this.#worker, pin);
    } catch (error) {
      if (error instanceof HsmRefusal && error.refusal === 'pin') this.#refusedPin = { pin, error: awayError(error) };
      throw error;
    }
  }

  #use(connection: HsmConnection): HsmConnection {
    this.#connection = connection;
    connection.onFault((fault) => {
      this.health.failed(awayError(fault));
      this.#lookAgain();
    });
    if (this.#closed) connection.close();
    return connection;
  }

  /** So that the token is in use again before somebody needs it, and health says so. */
  #lookAgain(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#closed || this.#connection?.alive === true) return;
      this.#open().then(
        () => this.health.succeeded(),
        () => this.#lookAgain(),
      );
    }, this.#settings.reopenEveryMs).unref();
  }
}

function openWith(
  { address, openTimeoutMs }: Pkcs11Settings,
  worker: URL,
  pin: string | undefined,
): Promise<{ connection: HsmConnection; facts: HsmFacts }> {
  return HsmConnection.open(worker, address, { pin, timeoutMs: openTimeoutMs });
}
