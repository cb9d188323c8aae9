import type { Text } from './language.js';

/** What `keys publish` and `keys rotate` need; apart, so that the help loads nothing of what they use. */
export const ADMINISTRATION_HELP: Text = {
  en: `Needs the administration client that servicedesk@digdir.no hands out, with the scopes idporten:dcr.read and idporten:dcr.write:
  MASKINPORTEN_ADMIN_CLIENT_ID, MASKINPORTEN_ADMIN_PKCS12_FILE and _PASSPHRASE (or MASKINPORTEN_ADMIN_PRIVATE_KEY_FILE and _KID).
The client whose keys are changed is MASKINPORTEN_CLIENT_ID or --client-id. MASKINPORTEN_SELF_SERVICE_URL overrides the address of the API.`,
  nb: `Trenger administrasjonsklienten som servicedesk@digdir.no utleverer, med scopene idporten:dcr.read og idporten:dcr.write:
  MASKINPORTEN_ADMIN_CLIENT_ID, MASKINPORTEN_ADMIN_PKCS12_FILE og _PASSPHRASE (eller MASKINPORTEN_ADMIN_PRIVATE_KEY_FILE og _KID).
Klienten som får nøklene endret, er MASKINPORTEN_CLIENT_ID eller --client-id. MASKINPORTEN_SELF_SERVICE_URL overstyrer adressen til API-et.`,
};
