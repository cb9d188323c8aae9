import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { answerIn, answerOf, detach } from './axios-answer.js';
import { BearerCall, type Transport } from './bearer-call.js';
import { addressOf, isPlainAddress } from './call-address.js';
import type { StreamRules } from './detached-stream.js';
import { revealAgents } from './hidden-agent.js';
import type { OutboundCaller, OutboundPolicy } from './outbound-policy.js';
import { destinationRefused } from './outbound-url.js';
import { hasOwnAuthorization, removeMarker } from './private-config.js';
import { cleanFailure, cleanResponse, type Trace } from './transport-traces.js';

/**
 * Sends one call with a bearer token. It runs as the adapter, the innermost step of axios: what is checked here is what is
 * sent, whatever interceptors did before (T-24).
 *
 * @param caller who the call is for, as it was settled before any interceptor ran; undefined to find out now
 */
// eslint-disable-next-line typescript/promise-function-async -- a cached token is attached without a tick in between
export function sendWithToken(
  config: InternalAxiosRequestConfig,
  transport: Transport,
  policy: OutboundPolicy,
  caller?: OutboundCaller,
): Promise<AxiosResponse> {
  if (hasOwnAuthorization(config)) return sendAsItIs(config, transport);
  try {
    if (config.socketPath) throw destinationRefused('a socketPath goes around the destination that was checked');
    const { maskinporten } = config;
    const known = caller ?? policy.identify(maskinporten);
    const address = addressOf(config);
    const decision = policy.decide(known, maskinporten, address);
    const ownAddress = transport.isForeign && isPlainAddress(config, (text) => policy.allows(known, text));
    return new BearerCall(config, decision, transport, policy, ownAddress).run();
  } catch (error) {
    return Promise.reject(error);
  }
}

/** A call with credentials of its own; only what it could show of others – sockets, requests – is taken away. */
async function sendAsItIs(config: InternalAxiosRequestConfig, transport: Transport): Promise<AxiosResponse> {
  removeMarker(config.headers);
  // As axios merges it: without a prototype.
  const sent = Object.assign(Object.create(null) as InternalAxiosRequestConfig, config);
  revealAgents(sent);
  const trace = { config, sent, token: undefined };
  try {
    const response = answerOf(await transport.adapterFor(sent)(sent), config);
    detach(response, unlimited(trace));
    return cleanResponse(response, trace);
  } catch (error) {
    const response = answerIn(error);
    if (response !== undefined) detach(response, unlimited(trace));
    throw cleanFailure(error, trace);
  }
}

const unlimited = (trace: Trace): StreamRules => ({
  limit: Infinity,
  tooLarge: () => new Error('this answer has no limit'),
  clean: (error) => cleanFailure(error, trace),
  over: () => undefined,
});
