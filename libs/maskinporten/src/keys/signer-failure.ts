import { createError, type MaskinportenError } from '../errors/index.js';

/** What to do about a key service that does not sign, whatever the service. */
export const UNAVAILABLE_HINT = {
  en: 'The key service (KMS or HSM) did not sign: check that it is up, reachable and that this service may use the key.',
  nb: 'Nøkkeltjenesten (KMS eller HSM) signerte ikke: kontroller at den er oppe, kan nås, og at tjenesten har lov til å bruke nøkkelen.',
};

const unavailable = new WeakSet<Error>();

/**
 * Marks the failure of a signer that says nothing about its key: the device is away or locked, the service is slow.
 * `MP_SIGNATURE` says that the key itself is of no use, and moves a key ring to its next key for good.
 */
export function markUnavailable(error: MaskinportenError): MaskinportenError {
  if (error.category !== 'aborted' && error.code !== 'MP_SIGNATURE') unavailable.add(error);
  return error;
}

/** True for a grant that could not be signed because the signer was away: nothing has been sent, another key may sign. */
export const isSignerUnavailable = (error: unknown): boolean => error instanceof Error && unavailable.has(error);

export const queueFull = (maxWaiting: number): MaskinportenError =>
  markUnavailable(
    createError('MP_THROTTLED', {
      message: `More than ${maxWaiting} signatures wait for the remote signer already.`,
      field: 'key.signer',
      actBy: 'you',
      hint: {
        en: 'The key service signs more slowly than tokens are asked for: look at its latency, raise concurrency, or ask for fewer different tokens.',
        nb: 'Nøkkeltjenesten signerer langsommere enn det bes om tokener: se på svartiden, øk concurrency, eller be om færre ulike tokener.',
      },
    }),
  );
