import { randomBytes } from 'node:crypto';
import type { ConfigurationProblem } from './configuration-error.js';
import { ConfigurationError } from './configuration-error.js';

/** Where the simulator listens, and by which names others reach it. */
export interface NetworkOptions {
  /** Port; 0 or absent picks a free one. */
  port?: number | undefined;
  /** Address to listen on. Default `127.0.0.1`, which only this machine reaches; `0.0.0.0` in a container. */
  host?: string | undefined;
  /**
   * The origin at which clients reach the simulator, such as `http://simulator:8480`: issuer, metadata and every link
   * follow it. Default: the address it listens on, or `localhost` when that is every address.
   */
  publicUrl?: string | undefined;
  /** The origin at which a person's browser reaches it: `confirmUrl` and the pages follow it. Default: the public one. */
  browserUrl?: string | undefined;
  /**
   * Gives Maskinporten, Altinn's platform, the API, the operator and self-service a port each, so that a test can see
   * which of them a token was sent to. The ports after the first are taken when they are free. Default false: one port.
   */
  separateOrigins?: boolean | undefined;
  /**
   * What programs send as `Authorization: Bearer …` to the operator's API. Default: nothing on loopback; elsewhere a
   * token is made, which the returned simulator names.
   */
  operatorToken?: string | undefined;
  /** More host names at which the operator may be called. */
  allowedHosts?: readonly string[] | undefined;
}

/** {@link NetworkOptions}, checked. */
export interface Network {
  readonly port: number;
  readonly host: string;
  readonly loopback: boolean;
  readonly separateOrigins: boolean;
  readonly publicUrl: string | undefined;
  readonly browserUrl: string | undefined;
  readonly operatorToken: string | undefined;
  readonly allowedHosts: readonly string[];
}

const LOOPBACK = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1)$/i;
const EVERY_ADDRESS = new Set(['0.0.0.0', '::']);
const HOST_NAME = /^[A-Za-z0-9.:_%-]+$/;
/** RFC 6750 §2.1, and not so short that it could be guessed. */
const TOKEN = /^[A-Za-z0-9\-._~+/]{16,}=*$/;

/** @throws ConfigurationError naming each wrong option. */
export function readNetwork(options: NetworkOptions): Network {
  const problems: ConfigurationProblem[] = [];
  const check = (field: string, good: boolean, reason: string): void => {
    if (!good) problems.push({ field, reason });
  };
  const { port = 0, host: given = '127.0.0.1', separateOrigins = false, operatorToken, allowedHosts = [] } = options;
  check('port', Number.isInteger(port) && port >= 0 && port <= 65_535, 'must be a number from 0 to 65535');
  check('host', HOST_NAME.test(bare(given)), 'must be an address or a name of this machine, without http:// and port');
  check(
    'operatorToken',
    operatorToken === undefined || TOKEN.test(operatorToken),
    'must be at least 16 letters, digits, - . _ ~ + or /',
  );
  for (const [index, name] of allowedHosts.entries()) {
    check(`allowedHosts[${index}]`, HOST_NAME.test(bare(name)), 'must be a host name');
  }
  const origin = (field: 'publicUrl' | 'browserUrl'): string | undefined => {
    const value = options[field];
    if (value === undefined) return undefined;
    check(field, isOrigin(value), 'must be an origin such as http://simulator:8480, without a path');
    check(field, !separateOrigins, 'needs one origin; leave out separateOrigins');
    return isOrigin(value) ? new URL(value).origin : undefined;
  };
  const [publicUrl, browserUrl] = [origin('publicUrl'), origin('browserUrl')];
  if (problems.length > 0) throw new ConfigurationError(problems);
  const host = bare(given);
  const loopback = LOOPBACK.test(host);
  return {
    port,
    host,
    loopback,
    separateOrigins,
    publicUrl,
    browserUrl,
    operatorToken: operatorToken ?? (loopback ? undefined : randomBytes(24).toString('base64url')),
    allowedHosts: allowedHosts.map((name) => hostNameOf(name)),
  };
}

/** How others name what listens here. */
export function originOf({ host }: Network, port: number): string {
  const name = EVERY_ADDRESS.has(host) ? 'localhost' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

/** The name in a `Host` header or URL, without port, brackets and capitals. */
export function hostNameOf(host: string): string {
  return bare(host.replace(/:\d{1,5}$/, '')).toLowerCase();
}

/** Whether a request that came with this `Host` meant this machine. */
export function isLoopbackName(name: string): boolean {
  return name === 'localhost' || name === '127.0.0.1' || name === '::1';
}

function bare(host: string): string {
  return /^\[.*\]$/.test(host) ? host.slice(1, -1) : host;
}

function isOrigin(value: unknown): value is string {
  if (typeof value !== 'string' || !URL.canParse(value)) return false;
  const { protocol, pathname, search, hash, username, password, hostname } = new URL(value);
  const plain = pathname === '/' && search === '' && hash === '' && username === '' && password === '';
  return /^https?:$/.test(protocol) && plain && hostname !== '';
}
