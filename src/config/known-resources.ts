/** Skatteetaten's Krav og betalinger in Altinn's resource registry. */
export const KRAV_OG_BETALINGER = 'ske-krav-og-betalinger';

/**
 * The Altinn app whose instances are made here. Its rights are asked for by name, so the address (`ALTINN_APP_URL`) has
 * to lead to the same app: change both together.
 */
export const ALTINN_APP = { org: 'ttd', app: 'returns', resource: 'app_ttd_returns' } as const;

/** End of the app's base address: https://docs.altinn.studio/api/apps/ */
export const ALTINN_APP_PATH = `/${ALTINN_APP.org}/${ALTINN_APP.app}`;
