import { env } from 'node:process';
import type { Failure } from '../errors/index.js';
import { insecureHosts } from '../http/index.js';
import { environmentOfHost } from './issuer-presets.js';

const FIELD = 'http.allowInsecureHosts';

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
    const [name] = insecureHosts([entry]);
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
