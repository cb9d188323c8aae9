import { isRecord } from '../basics/index.js';
import { ownToken, segment, type AltinnApi } from './altinn-api.js';
import { ALTINN_SCOPES, AUTHENTICATION, RESOURCE_REGISTRY } from './altinn-config.js';
import { unusableAnswer } from './refused-answer.js';
import { readPackages, readRights, type Right } from './right.js';
import { readList, readText } from './wire.js';

/** Your entry in Altinn's system register: what customers can be asked for. */
export interface RegisteredSystem {
  readonly id: string;
  readonly rights: readonly Right[];
  /** URNs. */
  readonly accessPackages: readonly string[];
  /** Maskinporten clients that may act for the system. */
  readonly clientIds: readonly string[];
  readonly allowedRedirectUrls: readonly string[];
}

const WHAT = 'system register';

export class SystemRegister {
  readonly #api: AltinnApi;
  readonly #token = ownToken(ALTINN_SCOPES.systemRegister);

  constructor(api: AltinnApi) {
    this.#api = api;
  }

  /**
   * @returns undefined when the system does not exist, was deleted, or is somebody else’s
   * @throws MaskinportenError, also when the client may not read the register (`MP_NOT_GRANTED`, `MP_SCOPE`)
   */
  async get(systemId: string, signal?: AbortSignal): Promise<RegisteredSystem | undefined> {
    const { status, json } = await this.#ask(`/${segment(systemId, 'systemId')}`, [200, 403, 404], signal);
    if (status === 404) return undefined;
    if (status === 403) {
      // Somebody else's system and a missing scope look alike. The list needs the scope alone, and throws without it.
      await this.#ask('', [200], signal);
      return undefined;
    }
    if (!isRecord(json)) throw unusableAnswer(WHAT, 'it is not an object');
    // A deletion is soft: the row is still there.
    if (json['isDeleted'] === true) return undefined;
    const texts = (name: string): string[] =>
      (readList(json, name) ?? []).filter((value): value is string => typeof value === 'string');
    return {
      id: readText(json, 'id') ?? systemId,
      rights: readRights(json, 'rights'),
      accessPackages: readPackages(json, 'accessPackages'),
      clientIds: texts('clientId'),
      allowedRedirectUrls: texts('allowedRedirectUrls'),
    };
  }

  #ask(path: string, accept: readonly number[], signal: AbortSignal | undefined): ReturnType<AltinnApi['call']> {
    return this.#api.call({
      what: WHAT,
      path: `${AUTHENTICATION}/systemregister/vendor${path}`,
      token: this.#token,
      accept,
      maxBytes: 1024 * 1024,
      circuit: 'register',
      signal,
    });
  }

  /**
   * Does the open resource registry know the resource? Asked without a token.
   *
   * @returns undefined when there is no usable answer
   */
  async knowsResource(resource: string, signal?: AbortSignal): Promise<boolean | undefined> {
    const { status, json } = await this.#api.call({
      what: 'resource registry',
      path: `${RESOURCE_REGISTRY}/resource/${segment(resource, 'resource')}`,
      token: undefined,
      accept: [200, 204, 404],
      maxBytes: 1024 * 1024,
      circuit: 'resource-registry',
      signal,
    });
    if (status !== 200) return false;
    return isRecord(json) && readText(json, 'identifier')?.toLowerCase() === resource.toLowerCase() ? true : undefined;
  }
}
