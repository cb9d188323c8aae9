import { loadSigningKey } from '../../keys/index.js';
import { createTokenService, type MaskinportenTokenService, type TokenEvent } from '../../tokens/index.js';
import { RecordedGrants, type SignedGrant } from './recorded-grants.js';
import { inVariables, tokenServiceConfig, type Settings, type Variables } from '../settings.js';

/** A token service for one command, which remembers what it has sent. */
export interface TokenClient {
  readonly tokens: MaskinportenTokenService;
  readonly grants: () => readonly SignedGrant[];
  close(): Promise<void>;
}

export interface TokenClientOptions {
  /** Tokens are to be swapped at Altinn. */
  readonly exchange: boolean;
  readonly onEvent: (event: TokenEvent) => void;
}

/** @throws MaskinportenError with the variable that is wrong in `failures`. */
export async function createTokenClient(
  settings: Settings,
  variables: Variables,
  { exchange, onEvent }: TokenClientOptions,
): Promise<TokenClient> {
  try {
    const key = await loadSigningKey(settings.key, {
      environment: settings.environment,
      onWarning: ({ field, message }) => onEvent({ type: 'warning', field, reason: message }),
    });
    const grants = new RecordedGrants();
    const exchanger = exchange ? await createExchanger(settings) : undefined;
    const tokens = await createTokenService({
      ...tokenServiceConfig(settings),
      key: { signer: grants.signer(key) },
      organisation: key.certificateOrganisation,
      exchanger: exchanger?.exchanger,
      onEvent,
    });
    exchanger?.exchanger.renewWith(tokens);
    return {
      tokens,
      grants: () => grants.all,
      close: async () => {
        await tokens.close();
        await exchanger?.close();
      },
    };
  } catch (error) {
    throw inVariables(error, variables);
  }
}

/** Loaded when it is needed: it brings Altinn's side. */
async function createExchanger({ altinn, http }: Settings): Promise<
  | {
      readonly exchanger: InstanceType<(typeof import('../../altinn/index.js'))['AltinnTokenExchanger']>;
      close(): Promise<void>;
    }
  | undefined
> {
  const { platformUrl } = altinn;
  if (platformUrl === undefined) return undefined;
  const [{ AltinnTokenExchanger }, { HttpTransport }] = await Promise.all([
    import('../../altinn/index.js'),
    import('../../http/index.js'),
  ]);
  const transport = new HttpTransport(http ?? {});
  return { exchanger: new AltinnTokenExchanger({ platformUrl, transport }), close: async () => transport.close() };
}
