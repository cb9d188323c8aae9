import type { Check } from '../examination.js';
import { failed, good, words, type Finding, type Topic } from '../../findings/index.js';
import type { DoctorSetup } from '../setup.js';

const TOPIC: Topic = { id: 'client-id', title: words('Client id', 'Klient-id') };

export function checkClientId({ clientId }: DoctorSetup): Finding {
  if (clientId !== undefined && /^[\x21-\x7e]{1,255}$/.test(clientId)) {
    return good(TOPIC, words('There is a client id.', 'Klient-id er satt.'));
  }
  return failed(TOPIC, {
    kind: 'missing',
    cause:
      clientId === undefined || clientId === ''
        ? words('There is no client id.', 'Klient-id mangler.')
        : words(
            'The client id has a space or another character that no id has.',
            'Klient-id har mellomrom eller tegn som ingen id har.',
          ),
    fix: words(
      'Set MASKINPORTEN_CLIENT_ID to the id that Digdir self-service shows for the client.',
      'Sett MASKINPORTEN_CLIENT_ID til id-en som selvbetjeningen hos Digdir viser for klienten.',
    ),
    field: 'MASKINPORTEN_CLIENT_ID',
  });
}

export const clientId: Check = { ...TOPIC, run: ({ setup }) => [checkClientId(setup)] };
