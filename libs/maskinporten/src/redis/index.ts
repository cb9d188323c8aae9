// Tokens that the replicas of a service share through Redis or Valkey, sealed.
export { RedisTokenStore } from './redis-token-store.js';
export type { RedisConnection, RedisTokenStoreOptions } from './redis-token-store.js';
