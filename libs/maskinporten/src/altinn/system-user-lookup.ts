import { isRecord } from '../basics/index.js';
import type { AltinnApi } from './altinn-api.js';
import { ownToken, segment } from './altinn-api.js';
import { ALTINN_SCOPES, AUTHENTICATION } from './altinn-config.js';
import { pages } from './pages.js';
import { unusableAnswer } from './refused-answer.js';
import { readSystemUser, type SystemUser } from './system-user.js';

/** Which system user: its owner, and the reference it was created with if it had one. */
export interface SystemUserKey {
  /** Nine digits. */
  readonly organisation: string;
  readonly externalRef?: string | undefined;
}

const BY_QUERY = 'system user by query';
const BY_SYSTEM = 'system users by system';
/** A page holds 50 (Altinn, system users). */
const MAX_PAGE_BYTES = 1024 * 1024;

/** Is there a live system user? Asked on behalf of the vendor, with a token that is not a system user's. */
export class SystemUserLookup {
  readonly #api: AltinnApi;
  readonly #lookup = ownToken(ALTINN_SCOPES.requestWrite);
  readonly #list = ownToken(ALTINN_SCOPES.systemRegister);

  constructor(api: AltinnApi) {
    this.#api = api;
  }

  /**
   * `GET systemuser/vendor/byquery`.
   *
   * @returns undefined when there is none: never approved, deleted, another externalRef, or not your system
   * @throws MaskinportenError when the question got no answer, or one about somebody else
   */
  async find(systemId: string, key: SystemUserKey, signal?: AbortSignal): Promise<SystemUser | undefined> {
    const { status, json } = await this.#api.call({
      what: BY_QUERY,
      path: `${AUTHENTICATION}/systemuser/vendor/byquery`,
      query: { 'system-id': systemId, orgno: key.organisation, 'external-ref': key.externalRef },
      token: this.#lookup,
      accept: [200, 404],
      circuit: 'authentication',
      signal,
    });
    if (status === 404) return undefined;
    if (!isRecord(json)) throw unusableAnswer(BY_QUERY, 'it is not an object');
    const found = readSystemUser(BY_QUERY, json);
    if (found === undefined) return undefined;
    // An answer about another customer must never be taken for this one's (T-54).
    const sameSystem = found.systemId === undefined || found.systemId === systemId;
    const sameRef = found.externalRef === (key.externalRef ?? key.organisation);
    if (found.organisation !== key.organisation || !sameSystem || !sameRef) {
      throw unusableAnswer(BY_QUERY, 'it is about another system user than was asked for');
    }
    return found;
  }

  /** `GET systemuser/vendor/bysystem/{systemId}`, page by page as they are read. */
  async *list(systemId: string, signal?: AbortSignal): AsyncGenerator<SystemUser, void, undefined> {
    const path = `${AUTHENTICATION}/systemuser/vendor/bysystem/${segment(systemId, 'systemId')}`;
    const page = async (token: string | undefined): ReturnType<AltinnApi['call']> =>
      this.#api.call({
        what: BY_SYSTEM,
        path,
        query: { token },
        token: this.#list,
        accept: [200],
        maxBytes: MAX_PAGE_BYTES,
        circuit: 'authentication',
        signal,
      });
    for await (const records of pages(BY_SYSTEM, page)) {
      for (const record of records) {
        const systemUser = readSystemUser(BY_SYSTEM, record);
        if (systemUser !== undefined) yield systemUser;
      }
    }
  }
}
