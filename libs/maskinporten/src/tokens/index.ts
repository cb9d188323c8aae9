// The token service: cached, refreshed before it matters, fetched once however many ask.
export { MaskinportenTokenService, DEFAULT_MAX_ENTRIES, checkPriority } from './token-service.js';
export type { GetTokenOptions, TokenServiceParts } from './token-service.js';
export type { TokenCounts, TokenServiceStatus } from './token-service-status.js';
export type { Priority } from '../token-endpoint/index.js';
export { keyMismatches } from './check-key.js';
export type { KeyPurpose } from './check-key.js';
export { checkSettings } from './check-settings.js';
export { TokenStoreRefusal } from './token-store.js';
export type { TokenStore } from './token-store.js';
export type { TokenStoreStatus } from './shared-tokens.js';
export { createTokenService } from './create-token-service.js';
export type { TokenServiceConfig } from './create-token-service.js';
export { MaskinportenToken } from './maskinporten-token.js';
export type { TokenParts } from './maskinporten-token.js';
export { DEFAULT_REFRESH_WINDOW } from './token-entry.js';
export type { RefreshWindow } from './token-entry.js';
export type { TokenEvent, TokenEventListener } from './token-events.js';
export type { ExchangedToken, TokenExchanger } from './token-exchanger.js';
