import type { MaskinportenError } from '../../errors/index.js';
import { failed, words, type Finding, type Topic } from '../../findings/index.js';

/** A question to Altinn that got no answer. */
export function failedCall(topic: Topic, error: MaskinportenError): Finding {
  const { code, message, hint, failures, actBy, mpCode, traceId } = error;
  return failed(topic, {
    kind: code === 'MP_SCOPE' || code === 'MP_NOT_GRANTED' ? 'scope' : 'unanswered',
    cause: words(message, `Altinn kunne ikke svare på dette: ${message}`),
    fix: hint,
    field: failures[0]?.field ?? 'ALTINN_PLATFORM_URL',
    actBy,
    mpCode,
    traceId,
  });
}
