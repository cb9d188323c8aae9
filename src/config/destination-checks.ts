import type { SettingFailure } from './environment-error.js';
import type { Environment } from './environment.js';
import { brokerUrl, environmentName, presetPlatform } from './issuer.js';

/** Apps of all service owners; the one form with a wildcard, and one label only. */
const APP_HOSTS = {
  test: /^https:\/\/[a-z\d-]+\.apps\.tt02\.altinn\.no$/,
  prod: /^https:\/\/[a-z\d-]+\.apps\.altinn\.no$/,
} as const;

/** Addresses to which calls would be stopped before they are sent, because no token may go there. */
export function checkDestinations(environment: Environment): SettingFailure[] {
  const { KRAV_OG_BETALINGER_URL, ALTINN_APP_URL } = environment;
  const addresses = { BROKER_URL: brokerUrl(environment), KRAV_OG_BETALINGER_URL, ALTINN_APP_URL };
  const missing = Object.entries(addresses)
    .map(([variable, url]) => ({ variable, origin: originOf(url) }))
    .filter(({ origin }) => origin !== undefined && !mayReceiveTokens(origin, environment));
  if (missing.length === 0) return [];
  const origins = [...new Set(missing.map(({ origin }) => origin))].join(', ');
  const variables = missing.map(({ variable }) => variable).join(', ');
  return [
    {
      variable: 'MASKINPORTEN_DESTINATIONS',
      reason: `does not list ${origins}, so calls to ${variables} would be stopped before they are sent`,
    },
  ];
}

function mayReceiveTokens(origin: string, environment: Environment): boolean {
  const listed = [presetPlatform(environment), ...(environment.MASKINPORTEN_DESTINATIONS ?? [])];
  if (listed.some((entry) => originOf(entry) === origin)) return true;
  const name = environmentName(environment);
  return name !== undefined && APP_HOSTS[name].test(origin);
}

const originOf = (url: string | undefined): string | undefined =>
  url !== undefined && URL.canParse(url) ? new URL(url).origin : undefined;
