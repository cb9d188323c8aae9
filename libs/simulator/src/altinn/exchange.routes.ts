import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { SignJWT } from 'jose';
import { logEntryOf, sendProblem } from '../kernel/index.js';
import { TokenFailure } from '../maskinporten/index.js';
import type { AltinnState } from './altinn-state.js';
import { type Caller, emptyAnswer, identify, note } from './caller.js';

const LIFETIME_SECONDS = 30 * 60;
const PROVIDERS = ['maskinporten', 'id-porten'];
const RETIRED_HEADER = 'x-altinn-enterpriseuser-authentication';
/** Digdir, whose tokens `?test=true` turns into those of the test service owner. */
const DIGDIR = '991825827';

function exchangedClaims({ claims, vendor, scopes }: Caller, test: boolean, altinn: AltinnState): object {
  const { authorization_details: details, aud: _aud, client_amr: _amr, ...kept } = claims;
  const iat = Math.floor(altinn.world.clock.nowSeconds());
  const owner = scopes.some((scope) => scope.startsWith('altinn:serviceowner'))
    ? altinn.organisations.get(vendor ?? '')?.serviceOwner
    : undefined;
  const org = test && vendor === DIGDIR ? 'ttd' : owner;
  return {
    // The list of one became an object (Altinn, token exchange).
    ...(details !== undefined && { authorization_details: Array.isArray(details) ? (details[0] as unknown) : details }),
    ...kept,
    exp: iat + LIFETIME_SECONDS,
    iat,
    nbf: iat,
    'urn:altinn:orgNumber': vendor,
    'urn:altinn:authenticatemethod': 'maskinporten',
    'urn:altinn:authlevel': 3,
    ...(org !== undefined && { 'urn:altinn:org': org }),
    iss: altinn.issuer,
    jti: randomUUID(),
    sid: randomUUID(),
  };
}

/** Altinn's own tokens for Maskinporten's, and the keys to check them with (Altinn, token exchange). */
export function exchangeRoutes(app: FastifyInstance, altinn: AltinnState): void {
  const openid = '/authentication/api/v1/openid/.well-known/openid-configuration';
  app.get(openid, (_request, reply) =>
    reply.send({ issuer: altinn.issuer, jwks_uri: `${altinn.world.urls().platformUrl}${openid}/jwks` }),
  );
  app.get(`${openid}/jwks`, async (_request, reply) => reply.send(await altinn.signingKeys.jwks()));

  app.get<{ Params: { provider: string }; Querystring: { test?: string } }>(
    '/authentication/api/v1/exchange/:provider',
    async (request, reply) => {
      logEntryOf(request).kind = 'call';
      if (!PROVIDERS.includes(request.params.provider.toLowerCase())) {
        return reply
          .code(400)
          .type('text/plain; charset=utf-8')
          .send(`Invalid token provider: ${request.params.provider}. Trusted token providers: ${PROVIDERS.join(', ')}`);
      }
      if (request.headers[RETIRED_HEADER] !== undefined) {
        note(request, 'enterprise_user', false, 'the enterprise user is retired');
        return sendProblem(reply, 410, 'Gone', {
          detail: 'Enterprise users are no longer supported. Use a system user instead.',
        });
      }
      const caller = await identify(request, altinn);
      if (caller instanceof TokenFailure) return emptyAnswer(reply, 401);
      const ours = caller.kind === 'maskinporten' && request.params.provider.toLowerCase() === 'maskinporten';
      note(request, 'token.maskinporten', ours, ours ? undefined : 'only a token of Maskinporten can be exchanged');
      note(request, 'token.consumer', caller.vendor !== undefined);
      if (!ours || caller.vendor === undefined) return emptyAnswer(reply, 401);
      const claims = exchangedClaims(caller, request.query.test === 'true', altinn);
      const { kid, privateKey } = await altinn.signingKeys.current();
      const token = await new SignJWT({ ...claims })
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid })
        .sign(privateKey);
      return altinn.settings.current.exchangeAnswer === 'quoted'
        ? reply.type('application/json; charset=utf-8').send(JSON.stringify(token))
        : reply.type('text/plain; charset=utf-8').send(token);
    },
  );
}
