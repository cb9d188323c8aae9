import type { SettingFailure } from './environment-error.js';
import type { Environment } from './environment.js';
import { ALTINN_APP_PATH } from './known-resources.js';

const NEEDED = {
  ALTINN_SUBSCRIPTION_KEY: 'the key with which Altinn opens its PDP, which is asked about rights',
  KRAV_OG_BETALINGER_URL: 'the base address of Krav og betalinger',
  ALTINN_APP_URL: `the base address of the Altinn app, https://<host>${ALTINN_APP_PATH}`,
} as const;

/** Acting for customers needs a system in Altinn's register; without one those routes do not exist. */
export function checkDelegation(environment: Environment): SettingFailure[] {
  const names = Object.keys(NEEDED) as (keyof typeof NEEDED)[];
  if (environment.ALTINN_SYSTEM_ID === undefined) {
    const given = names.find((name) => environment[name] !== undefined);
    return given === undefined
      ? []
      : [{ variable: 'ALTINN_SYSTEM_ID', reason: `is missing: ${given} is of no use without a system` }];
  }
  return [
    ...names
      .filter((name) => environment[name] === undefined && !isMounted(name, environment))
      .map((variable) => ({ variable, reason: `is missing: it is ${NEEDED[variable]}` })),
    ...checkApp(environment.ALTINN_APP_URL),
  ];
}

/** What the file is worth has been said already. */
const isMounted = (name: keyof typeof NEEDED, { ALTINN_SUBSCRIPTION_KEY_FILE: file }: Environment): boolean =>
  name === 'ALTINN_SUBSCRIPTION_KEY' && file !== undefined;

function checkApp(url: string | undefined): SettingFailure[] {
  if (url === undefined || !URL.canParse(url)) return [];
  if (new URL(url).pathname.replace(/\/$/, '').endsWith(ALTINN_APP_PATH)) return [];
  return [
    {
      variable: 'ALTINN_APP_URL',
      reason: `must end with ${ALTINN_APP_PATH}: that is the app whose rights the service asks about`,
    },
  ];
}
