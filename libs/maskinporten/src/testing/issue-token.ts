import { ownMembers } from '../basics/index.js';
import { postToOperator, type RunningSimulator } from './running-simulator.js';

/** An organisation number, or an identifier that goes into the token as it is. */
type Party = string | { readonly authority: string; readonly ID: string };

/** What the token should say; the simulator's README explains each member. */
export interface IssueTokenOptions {
  /** The organisation that is entitled. */
  readonly consumer: Party;
  /** The organisation that calls on its behalf. */
  readonly supplier?: Party | undefined;
  readonly scopes: readonly string[];
  /** Claim `aud`. Default: none. */
  readonly audience?: string | readonly string[] | undefined;
  /** Id of a system user that the simulator knows, or its owner. */
  readonly systemUser?:
    | string
    | { readonly orgno: string; readonly id?: string; readonly systemId?: string; readonly externalRef?: string }
    | undefined;
  /** Id of a consent that the simulator knows, or who gave it (`urn:altinn:person:identifier-no:…`) and to what. */
  readonly consent?:
    | string
    | {
        readonly from: string;
        readonly id?: string;
        readonly to?: Party;
        /** ISO 8601. */
        readonly validTo?: string;
        readonly consented?: string;
        readonly consentRights?: readonly object[];
      }
    | undefined;
  /** Eleven digits. */
  readonly pid?: string | undefined;
  readonly clientId?: string | undefined;
  /** Default 120 seconds. */
  readonly expiresInSeconds?: number | undefined;
  /** Spoils the token in one way, such as `signature`, `issuer`, `expired`, `alg-none`, `unknown-kid` or `no-consumer`. */
  readonly tamper?: string | undefined;
}

/**
 * Gets an access token from a running simulator without client, key and grant: for tests of an API that judges them.
 *
 * @throws Error when the simulator does not accept the wish; the message holds its reason.
 * @example
 * const token = await issueToken(simulator, { consumer: '310000019', scopes: ['acme:things.read'] });
 * await request(app.getHttpServer()).get('/things').set('Authorization', `Bearer ${token}`).expect(200);
 */
export async function issueToken(
  simulator: Pick<RunningSimulator, 'operatorUrl' | 'operatorToken'>,
  wish: IssueTokenOptions,
): Promise<string> {
  const response = await postToOperator(simulator, 'tokens', ownMembers(wish));
  const { access_token: token } = (await response.json()) as { readonly access_token: string };
  return token;
}
