import type { Check } from './examination.js';
import { certificate } from './checks/certificate.js';
import { clientId } from './checks/client-id.js';
import { client } from './checks/client.js';
import { clock } from './checks/clock.js';
import { committedSecrets } from './checks/committed-secrets.js';
import { destinations } from './checks/destinations.js';
import { expiry } from './checks/expiry.js';
import { issuerReachable } from './checks/issuer-reachable.js';
import { issuerSetting } from './checks/issuer-setting.js';
import { keyMaterial } from './checks/key-material.js';
import { right } from './checks/right.js';
import { scopes } from './checks/scopes.js';
import { systemRegister } from './checks/system-register.js';
import { systemUser } from './checks/system-user.js';
import { tokenEndpoint } from './checks/token-endpoint.js';
import { uploadedKey } from './checks/uploaded-key.js';

/** From causes to consequences: what is written down, then who can be reached, then who is known, then what is granted. */
export const ALL_CHECKS: readonly Check[] = [
  issuerSetting,
  clientId,
  keyMaterial,
  certificate,
  expiry,
  uploadedKey,
  destinations,
  issuerReachable,
  clock,
  tokenEndpoint,
  client,
  scopes,
  systemRegister,
  systemUser,
  right,
  committedSecrets,
];
