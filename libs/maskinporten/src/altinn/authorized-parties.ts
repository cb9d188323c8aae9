import { normaliseTokenRequest } from '../grants/index.js';
import type { AltinnAnswer, AltinnApi } from './altinn-api.js';
import { ACCESS_MANAGEMENT, ALTINN_SCOPES } from './altinn-config.js';
import { isPackageUrn, readParties, type AuthorizedParty } from './authorized-party.js';
import { pages } from './pages.js';
import type { SystemUserKey } from './system-user-lookup.js';

const WHAT = 'authorized parties';
/** An agent can have thousands of clients. */
const MAX_BYTES = 8 * 1024 * 1024;

export interface PartiesAnswer {
  readonly parties: readonly AuthorizedParty[];
  /** What is known from it is not known for longer than this. */
  readonly tokenExpiresAt: Date | undefined;
}

/** For whom may a system user act? Asked as that system user, with an exchanged token (Altinn, access management). */
export class AuthorizedParties {
  readonly #api: AltinnApi;

  constructor(api: AltinnApi) {
    this.#api = api;
  }

  /**
   * The parties for which the system user may use `resource`: exactly one per call, because Altinn answers for *any* of
   * several. An access package (`urn:altinn:accesspackage:…`) is looked for in what each party has.
   *
   * @throws AccessNotGrantedError (`MP_SYSTEMUSER_MISSING`) when Maskinporten knows no such system user
   */
  async withResource(key: SystemUserKey, resource: string, signal?: AbortSignal): Promise<PartiesAnswer> {
    return isPackageUrn(resource)
      ? this.#ask(key, { includeAccessPackages: 'true' }, signal)
      : this.#ask(key, { anyOfResourceIds: resource }, signal);
  }

  /** All parties, whatever they may be used for; for an agent, its clients. */
  async all(key: SystemUserKey, signal?: AbortSignal): Promise<PartiesAnswer> {
    return this.#ask(key, {}, signal);
  }

  async #ask(
    { organisation, externalRef }: SystemUserKey,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<PartiesAnswer> {
    const token = normaliseTokenRequest({
      scopes: ALTINN_SCOPES.authorizedParties,
      systemUser: { organisation, externalRef },
      exchange: 'altinn',
    });
    const parties: AuthorizedParty[] = [];
    let tokenExpiresAt: Date | undefined;
    const page = async (next: string | undefined): Promise<AltinnAnswer> => {
      const answer = await this.#api.call({
        what: WHAT,
        path: `${ACCESS_MANAGEMENT}/enduser/authorizedparties`,
        query: { ...query, token: next },
        token,
        accept: [200],
        renewOn: [401, 403],
        maxBytes: MAX_BYTES,
        circuit: 'access-management',
        signal,
      });
      ({ tokenExpiresAt } = answer);
      return answer;
    };
    for await (const records of pages(WHAT, page)) parties.push(...readParties(records));
    return { parties, tokenExpiresAt };
  }
}
