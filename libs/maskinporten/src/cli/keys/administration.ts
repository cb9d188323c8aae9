import { isMaskinportenError, withDetails } from '../../errors/index.js';
import { HttpTransport } from '../../http/index.js';
import { ClientKeysApi, SELF_SERVICE_URLS } from '../../self-service/index.js';
import { createTokenService } from '../../tokens/index.js';
import type { Cli } from '../cli.js';
import { UsageError } from '../exit.js';
import type { Text } from '../language.js';
import { inVariables, readSettings, tokenServiceConfig, type Settings, type Variables } from '../settings.js';

/** An open way to the self-service API, and the client whose keys are looked after. */
export interface Administration {
  readonly api: ClientKeysApi;
  readonly clientId: string;
  /** How tokens are asked for in the same environment; `clientId` and `key` are the administration client's. */
  readonly settings: Settings;
  close(): Promise<void>;
}

/** Settings that the administration client has of its own, with `MASKINPORTEN_ADMIN_` before them. */
const OWN = [
  'CLIENT_ID',
  'KID',
  'PRIVATE_KEY',
  'PRIVATE_KEY_FILE',
  'PRIVATE_KEY_PASSPHRASE',
  'PRIVATE_KEY_PASSPHRASE_FILE',
  'PKCS12_FILE',
  'PKCS12_PASSPHRASE',
  'PKCS12_PASSPHRASE_FILE',
  'CERTIFICATE_FILE',
] as const;

/** None of the managed client's own settings may stand in for one that the administration client lacks. */
const NOT_THEIRS = ['CLIENT_JWK', 'CLIENT_JWK_FILE', 'KEY_REGISTERED_AT', 'DESTINATIONS'] as const;

/**
 * @throws UsageError that lists what is missing, by the names of the variables.
 * @throws MaskinportenError when the administration client's key cannot be used.
 */
export async function openAdministration(
  cli: Cli,
  variables: Variables,
  given: { readonly clientId: string | undefined },
): Promise<Administration> {
  const theirs = administratorVariables(variables);
  const settings = administratorSettings(cli, theirs);
  const clientId = given.clientId ?? variables['MASKINPORTEN_CLIENT_ID']?.trim();
  if (clientId === undefined || clientId === '') {
    throw new UsageError({
      en: 'MASKINPORTEN_CLIENT_ID is missing: the client whose keys are changed (or --client-id).',
      nb: 'MASKINPORTEN_CLIENT_ID mangler: klienten som får nøklene endret (eller --client-id).',
    });
  }
  const baseUrl = selfServiceUrl(variables, settings);
  const blamed = (error: unknown): unknown => inAdministratorVariables(error, theirs);
  const tokens = await createTokenService(tokenServiceConfig(settings)).catch((error: unknown) => {
    throw blamed(error);
  });
  const transport = new HttpTransport(settings.http);
  const rename = async <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw blamed(error);
    });
  const api = new ClientKeysApi({
    baseUrl,
    transport,
    tokens: {
      getToken: async (...args) => rename(tokens.getToken(...args)),
      renew: async (...args) => rename(tokens.renew(...args)),
      status: tokens.status,
    },
  });
  return {
    api,
    clientId,
    settings,
    close: async () => {
      await Promise.all([tokens.close(), transport.close()]);
    },
  };
}

function administratorSettings(cli: Cli, theirs: Variables): Settings {
  try {
    return readSettings(theirs, (path) => cli.path(path));
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(mapText(error.text, named)) : error;
  }
}

function administratorVariables(variables: Variables): Variables {
  const own = OWN.map((name) => [`MASKINPORTEN_${name}`, variables[`MASKINPORTEN_ADMIN_${name}`]] as const);
  const none = NOT_THEIRS.map((name) => [`MASKINPORTEN_${name}`, undefined] as const);
  return { ...variables, ...Object.fromEntries([...own, ...none]) };
}

const OWN_NAME = new RegExp(`\\bMASKINPORTEN_(${OWN.join('|')})\\b`, 'g');
const named = (text: string): string => text.replaceAll(OWN_NAME, 'MASKINPORTEN_ADMIN_$1');

const mapText = ({ en, nb }: Text, change: (text: string) => string): Text => ({ en: change(en), nb: change(nb) });

function inAdministratorVariables(error: unknown, variables: Variables): unknown {
  const renamed = inVariables(error, variables);
  if (!isMaskinportenError(renamed)) return renamed;
  const failures = renamed.failures.map(({ field, code, reason }) => ({ field: named(field), code, reason }));
  return withDetails(renamed, { failures });
}

function selfServiceUrl(variables: Variables, { environment }: Settings): string {
  const given = variables['MASKINPORTEN_SELF_SERVICE_URL']?.trim();
  if (given !== undefined && given !== '') return given;
  if (environment !== undefined) return SELF_SERVICE_URLS[environment];
  throw new UsageError({
    en: 'MASKINPORTEN_SELF_SERVICE_URL is missing: this issuer is neither test nor prod, so the address of its self-service API is not known.',
    nb: 'MASKINPORTEN_SELF_SERVICE_URL mangler: denne utstederen er verken test eller prod, så adressen til selvbetjenings-API-et er ikke kjent.',
  });
}
