import { authorizationDetailsRules } from './authorization-details.rules.js';
import { certificateRules } from './certificate.rules.js';
import { claimsRules } from './claims.rules.js';
import { clientRules } from './client.rules.js';
import { headerRules } from './header.rules.js';
import { partyRules } from './party.rules.js';
import { replayRules } from './replay.rules.js';
import type { Rule } from './rule.js';
import { scopeRules } from './scope.rules.js';
import { signatureRules } from './signature.rules.js';
import { targetRules } from './target.rules.js';
import { timeRules } from './time.rules.js';

export { CONSENT, DETAIL_TYPES, SYSTEM_USER } from './authorization-details.rules.js';
export { consumerOf } from './scope.rules.js';
export { established } from './rule.js';

/** Every rule, in the order in which Maskinporten is thought to apply them: form, sender, time, then access. */
export const RULES: readonly Rule[] = [
  ...headerRules,
  ...claimsRules,
  ...clientRules,
  ...certificateRules,
  ...signatureRules,
  ...timeRules,
  ...replayRules,
  ...targetRules,
  ...authorizationDetailsRules,
  ...scopeRules,
  ...partyRules,
];
