import { readFile } from 'node:fs/promises';
import { Injectable } from '@nestjs/common';
import type { KeySource, MaskinportenOptions, MaskinportenOptionsFactory } from 'nestjs-maskinporten';
import { DemoSimulator } from '../demo/index.js';
import { EnvironmentError } from './environment-error.js';
import { Environment } from './environment.js';
import { environmentName, issuerOf } from './issuer.js';

/** Gives `MaskinportenModule` its options: from the environment, or from the simulator in demo mode. */
@Injectable()
export class MaskinportenConfig implements MaskinportenOptionsFactory {
  constructor(
    private readonly environment: Environment,
    private readonly demo: DemoSimulator,
  ) {}

  async createMaskinportenOptions(): Promise<MaskinportenOptions> {
    return this.demo.takeOptions() ?? (await maskinportenOptions(this.environment));
  }
}

/**
 * Translates the settings of the environment. What the module itself checks is left to it.
 *
 * @throws EnvironmentError when the certificate file cannot be read.
 */
export async function maskinportenOptions(environment: Environment): Promise<MaskinportenOptions> {
  const name = environmentName(environment);
  const issuer = issuerOf(environment);
  const {
    MASKINPORTEN_TOKEN_ENDPOINT: tokenEndpoint,
    MASKINPORTEN_DESTINATIONS: destinations,
    MASKINPORTEN_ALLOW_INSECURE_HOSTS: allowInsecureHosts,
    ALTINN_PLATFORM_URL: platformUrl,
    ALTINN_SYSTEM_ID: systemId,
    ALTINN_SUBSCRIPTION_KEY: subscriptionKey,
  } = environment;
  const altinn = {
    ...(platformUrl === undefined ? {} : { platformUrl }),
    ...(systemId === undefined ? {} : { systemId }),
    ...(subscriptionKey === undefined ? {} : { subscriptionKey: subscriptionKey.reveal() }),
  };
  return {
    clientId: environment.MASKINPORTEN_CLIENT_ID ?? '',
    key: await keySource(environment),
    ...(name === undefined ? {} : { environment: name }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(tokenEndpoint === undefined ? {} : { tokenEndpoint }),
    ...(destinations === undefined ? {} : { destinations }),
    ...(allowInsecureHosts === undefined ? {} : { http: { allowInsecureHosts } }),
    ...(Object.keys(altinn).length === 0 ? {} : { altinn }),
  };
}

async function keySource(environment: Environment): Promise<KeySource> {
  const {
    MASKINPORTEN_KID: kid,
    MASKINPORTEN_PRIVATE_KEY: inline,
    MASKINPORTEN_PRIVATE_KEY_PASSPHRASE: secretPassphrase,
    MASKINPORTEN_CERTIFICATE_FILE: certificateFile,
    MASKINPORTEN_KEY_REGISTERED_AT: registeredAt,
    MASKINPORTEN_CLIENT_JWK: jwk,
  } = environment;
  const passphrase = secretPassphrase?.reveal();
  const common = {
    ...(kid === undefined ? {} : { kid }),
    ...(registeredAt === undefined ? {} : { registeredAt }),
  };
  if (jwk !== undefined) return { jwk: jwk.reveal(), ...common };
  if (environment.MASKINPORTEN_CLIENT_JWK_FILE !== undefined) {
    return { file: environment.MASKINPORTEN_CLIENT_JWK_FILE, ...common };
  }
  if (environment.MASKINPORTEN_PKCS12_FILE !== undefined) return pkcs12Source(environment, common);
  const withPassphrase = { ...common, ...(passphrase === undefined ? {} : { passphrase }) };
  if (inline === undefined) {
    return {
      file: environment.MASKINPORTEN_PRIVATE_KEY_FILE ?? '',
      ...withPassphrase,
      ...(certificateFile === undefined ? {} : { certificateFile }),
    };
  }
  return {
    // The module finds out whether this is PEM, a JWK or the base64 of either.
    pem: inline.reveal(),
    ...withPassphrase,
    ...(certificateFile === undefined ? {} : { certificateChain: await certificateChain(certificateFile) }),
  };
}

/** The file holds its certificates too; without a kid they go along with each grant. */
function pkcs12Source(
  { MASKINPORTEN_PKCS12_FILE: file = '', MASKINPORTEN_PKCS12_PASSPHRASE: passphrase }: Environment,
  common: { readonly kid?: string; readonly registeredAt?: string },
): KeySource {
  return { file, ...common, ...(passphrase === undefined ? {} : { passphrase: passphrase.reveal() }) };
}

async function certificateChain(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    throw new EnvironmentError([
      { variable: 'MASKINPORTEN_CERTIFICATE_FILE', reason: 'names a file that cannot be read' },
    ]);
  }
}
