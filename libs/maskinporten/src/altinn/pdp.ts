import { configurationError } from '../errors/index.js';
import { normaliseTokenRequest } from '../grants/index.js';
import type { AltinnApi } from './altinn-api.js';
import { ALTINN_SCOPES, AUTHORIZATION, SUBSCRIPTION_FIELD } from './altinn-config.js';
import { readPdpAnswer, type PdpDecision } from './pdp-decision.js';
import { pdpRequest, type PdpQuestion } from './pdp-question.js';

/** Asks Altinn's policy decision point, with the vendor's own exchanged token and the subscription key. */
export class Pdp {
  readonly #api: AltinnApi;
  /** Secret: private, so that nothing that prints the container shows it (T-06). */
  readonly #subscriptionKey: string | undefined;
  readonly #token = normaliseTokenRequest({ scopes: ALTINN_SCOPES.authorize, exchange: 'altinn' });

  constructor(api: AltinnApi, subscriptionKey: string | undefined) {
    this.#api = api;
    this.#subscriptionKey = subscriptionKey;
  }

  /** One question; see `authorizeAll`. */
  async authorize(question: PdpQuestion, signal?: AbortSignal): Promise<PdpDecision> {
    const [decision] = await this.authorizeAll([question], signal);
    return decision ?? { outcome: 'unknown', reason: 'no result' };
  }

  /**
   * Several questions in one call; the decisions come in the order of the questions.
   *
   * @throws MaskinportenConfigurationError (`MP_CONFIG`) without a subscription key
   * @throws MaskinportenError when the PDP gave no answer; AltinnError (`MP_UPSTREAM_REJECTED`) when it refuses a fresh
   *   token (F-83)
   */
  async authorizeAll(questions: readonly PdpQuestion[], signal?: AbortSignal): Promise<readonly PdpDecision[]> {
    if (questions.length === 0) return [];
    const key = this.#subscriptionKey;
    if (key === undefined) {
      throw configurationError([
        { field: SUBSCRIPTION_FIELD, code: 'MP_CONFIG', reason: 'the PDP cannot be asked without a subscription key' },
      ]);
    }
    const { json } = await this.#api.call({
      what: 'authorize',
      method: 'POST',
      path: `${AUTHORIZATION}/authorize`,
      body: pdpRequest(questions),
      token: this.#token,
      headers: { 'Ocp-Apim-Subscription-Key': key },
      accept: [200],
      renewOn: [401, 403],
      circuit: 'authorization',
      signal,
    });
    return readPdpAnswer(json, questions.length);
  }
}
