import type { FastifyInstance } from 'fastify';
import type { MaskinportenState } from './maskinporten-state.js';

/** What a code means, and what to do (Digdir, troubleshooting). */
const MEANINGS: Readonly<Record<string, readonly [meaning: string, fix: string]>> = {
  'MP-011': [
    'The assertion is malformed, or a parameter has a wrong value.',
    'The text of the refusal names the part.',
  ],
  'MP-012': ['The grant was used before.', 'Sign a new assertion with a new jti for each token request.'],
  'MP-100': ['The client is not known, or not active.', 'Check iss: it is the client id of this environment.'],
  'MP-110': ['The audience is wrong.', 'aud is the issuer, as one string, with the slash at its end.'],
  'MP-120': ['The certificate is not an enterprise certificate that is trusted here.', 'Send the whole chain in x5c.'],
  'MP-121': ['The key of the client has expired.', 'Post the key again, or a new one: a key lives for one year.'],
  'MP-122': [
    'The certificate belongs to another organisation than the client.',
    'Use a certificate of the client’s organisation.',
  ],
  'MP-123': [
    'The header x5c cannot be read.',
    'It is a list of certificates in base64, not base64url, the signer’s first.',
  ],
  'MP-124': [
    'The signature is wrong.',
    'Check that the private key belongs to the kid, and that the certificate is in date.',
  ],
  'MP-130': ['The assertion has expired.', 'Sign it right before it is sent, and compare the clocks.'],
  'MP-200': ['A scope is not on the client, or does not exist.', 'Check its spelling, and add it to the client.'],
  'MP-201': ['A scope is not for clients of Maskinporten.', 'Ask the owner of the API.'],
  'MP-250': [
    'The organisation has not been given access to the scope.',
    'Ask the owner of the API. Here: see "ungranted".',
  ],
  'MP-251': [
    'The consumer has not delegated the scope to the supplier.',
    'The consumer delegates it in Altinn. Here: see "delegations".',
  ],
  'MP-301': ['The type in authorization_details is not known.', 'It is urn:altinn:systemuser or urn:altinn:consent.'],
  'MP-302': [
    'authorization_details has a field that is not known, missing or wrong.',
    'The text of the refusal names it.',
  ],
  'MP-303': [
    'Altinn knows no such system user or consent.',
    'It is not approved, rejected, deleted or under another reference, or the client is not on the system.',
  ],
};

const page = (title: string, paragraphs: readonly string[], operator: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>${title}</title><h1>${title}</h1>${paragraphs.map((text) => `<p>${text}</p>`).join('')}<p><a href="${operator}">The log of the simulator</a> shows each check of the grant that was refused.</p>`;

const HEADERS = { 'content-security-policy': "default-src 'none'", 'x-content-type-options': 'nosniff' };

/** Where `error_uri` leads. Nothing of the request is repeated: only codes of the table are written. */
export function errorPageRoutes(app: FastifyInstance, { world }: MaskinportenState): void {
  app.get<{ Params: { code: string } }>('/errors/:code', ({ params: { code } }, reply) => {
    const known = Object.entries(MEANINGS).find(([name]) => name === code);
    const operator = `${world.urls().browserUrl}/operator`;
    const [title, paragraphs] = known === undefined ? ['Unknown code', ['The simulator has no such code.']] : known;
    return reply
      .code(known === undefined ? 404 : 200)
      .headers(HEADERS)
      .type('text/html; charset=utf-8')
      .send(page(title, paragraphs, operator));
  });
}
