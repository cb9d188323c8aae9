import type { MaskinportenError } from '../../errors/index.js';
import type { Check, Examination } from '../examination.js';
import { failed, good, words, type Finding, type Topic } from '../../findings/index.js';
import { AUDIENCE, misspelt } from './issuer-setting.js';

const TOPIC: Topic = { id: 'issuer', title: words('Issuer reachable', 'Issuer kan nås') };

/** Fetches the issuer's metadata over verified TLS, and compares what it calls itself byte for byte. */
export async function checkIssuer(examination: Examination): Promise<readonly Finding[]> {
  const { issuer } = examination;
  if ('error' in issuer) return [unresolved(issuer.error)];
  const metadata = await examination.metadata();
  if ('value' in metadata) return [good(TOPIC, reached(metadata.value.issuer))];
  const right = await properSpelling(examination, issuer.value.issuer);
  if (right !== undefined) return [misspelt(issuer.value.issuer, right)];
  if (metadata.error.code === 'MP_CONFIG_ENDPOINT') return [otherIssuer(issuer.value.issuer, metadata.error)];
  return [unreachable(TOPIC, metadata.error, issuer.value.metadataUrl)];
}

/** Asks the same host what it calls itself; only a spelling that its own metadata repeats is believed. */
async function properSpelling(examination: Examination, written: string): Promise<string | undefined> {
  const bare = written.replace(/\/$/, '');
  const { origin } = new URL(written);
  const candidates = new Set([`${bare}/`, bare, `${origin}/`, origin]);
  candidates.delete(written);
  for (const candidate of candidates) {
    const metadata = await examination.metadataOf(candidate);
    if ('value' in metadata) return candidate;
  }
  return undefined;
}

function reached(issuer: string): Finding['cause'] {
  return issuer.startsWith('https:')
    ? words(
        'Its metadata came over verified TLS and names the same issuer.',
        'Metadata kom over verifisert TLS og navngir samme issuer.',
      )
    : words(
        'Its metadata names the same issuer (http, without TLS: for development only).',
        'Metadata navngir samme issuer (http, uten TLS: bare for utvikling).',
      );
}

function unresolved({ failures: [first] }: MaskinportenError): Finding {
  if (first?.field.startsWith('http.allowInsecureHosts') === true) return insecure(first.reason);
  const reason = first === undefined ? '' : `${first.field} ${first.reason}`;
  return failed(AUDIENCE, {
    kind: 'refused',
    cause: words(`The addresses do not fit together: ${reason}.`, `Adressene passer ikke sammen: ${reason}.`),
    fix: words(
      'Set MASKINPORTEN_ENVIRONMENT and remove the addresses that it already gives.',
      'Sett MASKINPORTEN_ENVIRONMENT, og fjern adressene som følger av det.',
    ),
    field: 'MASKINPORTEN_ISSUER',
  });
}

function insecure(reason: string): Finding {
  return failed(AUDIENCE, {
    kind: 'insecure-hosts',
    cause: words(
      `MASKINPORTEN_ALLOW_INSECURE_HOSTS ${reason}.`,
      `MASKINPORTEN_ALLOW_INSECURE_HOSTS kan ikke brukes slik (${reason}).`,
    ),
    fix: words(
      'Remove it; it is for containers of a development machine, which it names exactly.',
      'Fjern den; den er for containere på en utviklingsmaskin, og navngir dem nøyaktig.',
    ),
    field: 'MASKINPORTEN_ALLOW_INSECURE_HOSTS',
  });
}

/** What answers is somebody else, or nobody's metadata: the audience would be wrong. */
function otherIssuer(written: string, { message }: MaskinportenError): Finding {
  return failed(AUDIENCE, {
    kind: 'not-issuer',
    cause: words(
      `What answers at ${written} is not this issuer: ${message}`,
      `Det som svarer på ${written}, er ikke denne issueren: ${message}`,
    ),
    fix: words(
      'Set the issuer to what the server calls itself in its metadata, letter for letter, or set MASKINPORTEN_ENVIRONMENT.',
      'Sett issueren til det tjeneren kaller seg i metadata, bokstav for bokstav, eller sett MASKINPORTEN_ENVIRONMENT.',
    ),
    field: 'MASKINPORTEN_ISSUER',
    pitfall: 1,
  });
}

/** A connection that failed, in the words of its error. */
export function unreachable(topic: Topic, error: MaskinportenError, address: string): Finding {
  const { host } = new URL(address);
  return failed(topic, {
    kind: error.code === 'MP_TLS' ? 'tls' : 'unreachable',
    cause:
      error.code === 'MP_TLS'
        ? words(`${host} could not prove who it is.`, `${host} kunne ikke bevise hvem den er.`)
        : words(
            `${host} did not give a usable answer: ${error.message}`,
            `${host} ga ikke noe brukbart svar: ${error.message}`,
          ),
    fix: error.hint,
    field: error.failures[0]?.field ?? 'MASKINPORTEN_TOKEN_ENDPOINT',
    actBy: error.actBy,
  });
}

export const issuerReachable: Check = { ...TOPIC, needs: ['audience'], run: checkIssuer };
