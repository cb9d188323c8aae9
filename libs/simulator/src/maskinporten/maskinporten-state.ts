import { Collection, type World, record, text } from '../kernel/index.js';
import { delegationCollection, ungrantedCollection } from './access.js';
import { clientCollection } from './clients.js';
import { Consents } from './consents.js';
import { scopeCollection } from './scopes.js';
import { SigningKeys } from './signing-keys.js';
import { systemCollection, systemUserCollection } from './systems.js';
import { toleranceCollection } from './tolerance.js';
import { UsedGrants } from './used-grants.js';

/** Access tokens that the APIs refuse although they are in date, by `jti`. */
export interface RevokedTokenInput {
  jti: string;
}

/** Everything that Maskinporten knows. The system tables are Altinn's, which Maskinporten asks. */
export class MaskinportenState {
  readonly world: World;
  readonly clients;
  readonly scopes = scopeCollection();
  readonly ungranted = ungrantedCollection();
  readonly delegations = delegationCollection();
  readonly systems = systemCollection();
  readonly systemUsers = systemUserCollection();
  readonly consents = new Consents();
  readonly revokedTokens = new Collection<{ readonly jti: string }, RevokedTokenInput>({
    name: 'revokedTokens',
    read: record({ jti: text() }),
    key: ({ jti }) => jti,
  });
  readonly tolerate = toleranceCollection();
  readonly usedGrants = new UsedGrants();
  readonly signingKeys = new SigningKeys();

  constructor(world: World) {
    this.world = world;
    this.clients = clientCollection(world.clock);
  }
}
