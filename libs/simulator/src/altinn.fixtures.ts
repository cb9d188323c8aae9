import { CUSTOMER, type Claims, GrantBench, VENDOR, asClaims, makeClient } from './grants.fixtures.js';
import type { SimulatorConfig, SimulatorOptions } from './index.js';
import { isRecord } from './kernel/index.js';

export const SYSTEM = `${VENDOR}_payroll`;
export const AGENT_SYSTEM = `${VENDOR}_agent`;
export const KB = 'ske-krav-og-betalinger';
export const AMELDING = 'ske-innrapportering-amelding';
export const A_ORDNING = 'urn:altinn:accesspackage:a-ordning';
export const CLIENT_ONLY = 'urn:altinn:accesspackage:regnskapsforer-lonn';
export const REGISTER = 'altinn:authentication/systemregister.write';
export const REQUEST_WRITE = 'altinn:authentication/systemuser.request.write';
export const REQUEST_READ = 'altinn:authentication/systemuser.request.read';
export const PARTIES = 'altinn:accessmanagement/authorizedparties';
export const AUTHORIZE = 'altinn:authorization/authorize';
export const KB_SCOPE = 'skatteetaten:kravogbetalinger';
export const NAV_SCOPE = 'nav:helseytelser/sykepenger';
export const DIALOGPORTEN = 'digdir:dialogporten';
export const INSTANCES_READ = 'altinn:instances.read';
export const INSTANCES_WRITE = 'altinn:instances.write';
export const SERVICE_OWNER = 'altinn:serviceowner/instances.read';
/** A second vendor, with a client of its own. */
export const RIVAL = '310000035';
export const CLIENT_A = '310000043';
export const CLIENT_B = '310000051';
export const SUBUNIT = '310000078';

const SCOPES = [
  REGISTER,
  REQUEST_WRITE,
  REQUEST_READ,
  PARTIES,
  AUTHORIZE,
  KB_SCOPE,
  NAV_SCOPE,
  DIALOGPORTEN,
  INSTANCES_READ,
  INSTANCES_WRITE,
  SERVICE_OWNER,
  'acme:x',
];

export const resourceRight = (value: string, action?: string) => ({
  ...(action !== undefined && { action }),
  resource: [{ id: 'urn:altinn:resource', value }],
});

export const REDIRECT = 'https://vendor.example/altinn/callback';

/** A vendor with one system for customers and one for agents, and a rival with a system too. */
export const ALTINN_CONFIG: SimulatorConfig = {
  clients: [
    makeClient({ scopes: SCOPES }),
    makeClient({ clientId: 'rival', orgno: RIVAL, scopes: SCOPES }),
    makeClient({ clientId: 'unlisted', scopes: SCOPES }),
  ],
  systems: [
    {
      id: SYSTEM,
      vendor: VENDOR,
      clientIds: ['client-1'],
      rights: [resourceRight(KB, 'read'), resourceRight('app_ttd_returns')],
      accessPackages: [A_ORDNING, CLIENT_ONLY],
      allowedRedirectUrls: [REDIRECT],
    },
    { id: AGENT_SYSTEM, vendor: VENDOR, clientIds: [], accessPackages: [A_ORDNING, CLIENT_ONLY, 'lonn'] },
    { id: `${RIVAL}_payroll`, vendor: RIVAL, clientIds: ['rival'], rights: [KB] },
  ],
  accessPackages: [{ urn: 'lonn', delegableToClients: false }],
};

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body when it is a JSON object, else empty. */
  readonly json: Claims;
}

export interface Call {
  readonly method?: string;
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

function parse(text: string): Claims {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

/** A running simulator with hand-made requests to Altinn: nothing here knows the client library. */
export class AltinnBench {
  private constructor(readonly grants: GrantBench) {}

  static async start(config: SimulatorConfig = {}, options: SimulatorOptions = {}): Promise<AltinnBench> {
    return new AltinnBench(await GrantBench.start({ ...ALTINN_CONFIG, ...config }, options));
  }

  get simulator(): GrantBench['simulator'] {
    return this.grants.simulator;
  }

  get operator(): GrantBench['simulator']['operator'] {
    return this.simulator.operator;
  }

  async send(origin: string, path: string, { method, token, body, headers }: Call = {}): Promise<Answer> {
    const response = await fetch(`${origin}${path}`, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      redirect: 'manual',
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parse(text) };
  }

  platform(path: string, call: Call = {}): Promise<Answer> {
    return this.send(this.simulator.platformUrl, path, call);
  }

  authentication(path: string, call: Call = {}): Promise<Answer> {
    return this.platform(`/authentication/api/v1${path}`, call);
  }

  api(path: string, call: Call = {}): Promise<Answer> {
    return this.send(this.simulator.apiUrl, path, call);
  }

  control(path: string, call: Call = {}): Promise<Answer> {
    return this.send(this.simulator.operatorUrl, `/operator/api${path}`, call);
  }

  /** The vendor's own token. */
  async token(scope: string, clientId = 'client-1'): Promise<string> {
    return this.#accessToken({ scope, iss: clientId });
  }

  /** Claims of `authorization_details` for a customer's system user. */
  details(orgno: string, externalRef?: string): readonly object[] {
    return [
      {
        type: 'urn:altinn:systemuser',
        systemuser_org: { authority: 'iso6523-actorid-upis', ID: `0192:${orgno}` },
        ...(externalRef !== undefined && { externalRef }),
      },
    ];
  }

  async systemUserToken(scope: string, orgno = CUSTOMER, externalRef?: string): Promise<string> {
    return this.#accessToken({ scope, authorization_details: this.details(orgno, externalRef) });
  }

  /** MP code of the refusal, or 200. */
  async grantOutcome(orgno: string, externalRef?: string, clientId = 'client-1'): Promise<unknown> {
    const claims = { iss: clientId, scope: 'acme:x', authorization_details: this.details(orgno, externalRef) };
    const { status, json } = await this.grants.grant({ claims });
    return status === 200 ? 200 : String(json['error_uri']).split('/').at(-1);
  }

  async exchange(token: string): Promise<string> {
    const answer = await this.authentication('/exchange/maskinporten', { token });
    if (answer.status !== 200) throw new Error(`no exchange: ${answer.status}`);
    return answer.text;
  }

  async exchanged(scope: string): Promise<string> {
    return this.exchange(await this.token(scope));
  }

  async exchangedSystemUser(scope: string, orgno = CUSTOMER, externalRef?: string): Promise<string> {
    return this.exchange(await this.systemUserToken(scope, orgno, externalRef));
  }

  /** Asks for a system user as the vendor; the body of the answer. */
  async request(members: Record<string, unknown> = {}, path = ''): Promise<Claims> {
    const body = { systemId: SYSTEM, partyOrgNo: CUSTOMER, rights: [resourceRight(KB, 'read')], ...members };
    const token = await this.token(REQUEST_WRITE);
    return (await this.authentication(`/systemuser/request/vendor${path}`, { token, body })).json;
  }

  /** Asks and approves; the id of request and system user. */
  async approved(members: Record<string, unknown> = {}, path = ''): Promise<string> {
    const id = String((await this.request(members, path))['id']);
    this.operator.approve(id);
    return id;
  }

  /** Checks of the newest log entry, as name and verdict. */
  verdicts(): readonly (readonly [string, boolean | undefined])[] {
    return (this.simulator.log.at(-1)?.checks ?? []).map(({ check, ok }) => [check, ok] as const);
  }

  async #accessToken(claims: Claims): Promise<string> {
    const { status, json } = await this.grants.grant({ claims });
    if (status !== 200) throw new Error(`refused: ${JSON.stringify(json)}`);
    return String(asClaims(json)['access_token']);
  }

  close(): Promise<void> {
    return this.grants.close();
  }
}
