import { env } from 'node:process';
import type { Failure } from '../errors/index.js';
import { environmentOfHost } from './issuer-presets.js';

/** Names of hosts that may be spoken to over `http:`, as `URL.hostname` writes them. */
export type InsecureHosts = ReadonlySet<string>;

export const NO_INSECURE_HOSTS: InsecureHosts = new Set();

const FIELD = 'http.allowInsecureHosts';

/** The names in `given` that are names of hosts; what is wrong with the others is for `checkInsecureHosts` to say. */
export function insecureHosts(given: unknown): InsecureHosts {
  if (!Array.isArray(given)) return NO_INSECURE_HOSTS;
  return new Set(given.map((entry: unknown) => hostName(entry)).filter((name) => name !== undefined));
}

/**
 * What is wrong with the option `http.allowInsecureHosts`. It is for containers of a developer's machine that have names
 * instead of loopback addresses (`http://simulator:8480`): who listens on the way to such a host reads every token.
 * So it is refused where anything could be lost: for production's issuer, and with `NODE_ENV=production`.
 *
 * @param environment which environment the issuer belongs to, if any
 */
export function checkInsecureHosts(
  given: unknown,
  environment: 'test' | 'prod' | undefined,
  variables: Readonly<Record<string, string | undefined>> = env,
): Failure[] {
  if (given === undefined || (Array.isArray(given) && given.length === 0)) return [];
  if (!Array.isArray(given)) return [refuse(FIELD, "must be a list of host names, such as ['simulator']")];
  if (environment === 'prod') return [refuse(FIELD, 'is refused in production: tokens go over https only')];
  if (variables['NODE_ENV'] === 'production') return [refuse(FIELD, 'is refused with NODE_ENV=production')];
  return given.flatMap((entry: unknown, index) => {
    const name = hostName(entry);
    if (name === undefined) {
      return [
        refuse(`${FIELD}[${index}]`, 'must be the exact name of a host, without scheme, port, path and wildcard'),
      ];
    }
    if (environmentOfHost(name) === undefined) return [];
    return [refuse(`${FIELD}[${index}]`, 'is a host of Maskinporten or Altinn, which is spoken to over https only')];
  });
}

const refuse = (field: string, reason: string): Failure => ({ field, code: 'MP_CONFIG', reason });

function hostName(entry: unknown): string | undefined {
  if (typeof entry !== 'string' || !/^(?:[\w.-]{1,253}|\[[\da-f:.]{2,45}\])$/i.test(entry)) return undefined;
  if (!URL.canParse(`http://${entry}`)) return undefined;
  const { hostname } = new URL(`http://${entry}`);
  // Other spellings of an address, such as 127.1, are not what a URL will say.
  return hostname === entry.toLowerCase() && !hostname.endsWith('.') ? hostname : undefined;
}
