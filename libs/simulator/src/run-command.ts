import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type CommandSettings,
  type Environment,
  InputError,
  OPTION_NAMES,
  USAGE,
  messageOf,
  readCommandSettings,
} from './command-settings.js';
import { ConfigurationError, isRecord } from './kernel/index.js';
import { type Simulator, startSimulator } from './start-simulator.js';

/** What the command needs of the process around it. */
export interface CommandHost {
  readonly environment: Environment;
  writeOut(text: string): void;
  writeError(text: string): void;
  onStop(listener: () => void): void;
}

/**
 * Runs the command until it is stopped.
 * @returns the exit code: 0 after a clean stop, 1 when it could not start, 2 for a wrong command line or configuration.
 */
export async function runCommand(args: readonly string[], host: CommandHost): Promise<number> {
  try {
    const settings = readCommandSettings(args, host.environment);
    if (settings.help || settings.version) {
      host.writeOut(settings.help ? USAGE : `${versionOf()}\n`);
      return 0;
    }
    const simulator = await start(settings);
    host.writeOut(settings.json ? asJson(simulator, settings) : describe(simulator, settings));
    await new Promise<void>((resolve) => {
      host.onStop(resolve);
    });
    await simulator.close();
    return 0;
  } catch (error) {
    host.writeError(`${messageOf(error)}\n`);
    if (error instanceof InputError && error.usage) host.writeError(`\n${USAGE}`);
    return error instanceof InputError ? 2 : 1;
  }
}

function versionOf(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '';
}

async function start({ network, config, configSource }: CommandSettings): Promise<Simulator> {
  try {
    return await startSimulator({ ...network, config });
  } catch (error) {
    if (error instanceof ConfigurationError) throw new InputError(explain(error, configSource));
    throw portError(error, network) ?? error;
  }
}

function explain({ problems }: ConfigurationError, configSource: string): string {
  const named = problems.map(({ field, reason }) => ({
    option: OPTION_NAMES[field.replace(/\[.*$/, '')],
    field,
    reason,
  }));
  const options = named.flatMap(({ option, reason }) => (option === undefined ? [] : [`${option} ${reason}`]));
  if (options.length > 0) return options.join('\n');
  const lines = named.map(({ field, reason }) => (field === '' ? `  ${reason}` : `  ${field}: ${reason}`));
  return `The configuration ${configSource} cannot be used:\n${lines.join('\n')}`;
}

/** What the system said about the port or address, and which option changes it. */
function portError(error: unknown, { port, host = '127.0.0.1' }: CommandSettings['network']): Error | undefined {
  const code = isRecord(error) ? error['code'] : undefined;
  const other = 'Choose another with --port N (SIMULATOR_PORT); --port 0 picks a free one.';
  if (code === 'EADDRINUSE') return new Error(`Port ${port} of ${host} is in use (EADDRINUSE). ${other}`);
  if (code === 'EACCES') return new Error(`This user may not listen on port ${port} (EACCES). ${other}`);
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new Error(`This machine has no address ${host} (${code}). Check --host (SIMULATOR_HOST).`);
  }
  return undefined;
}

/** A token that was made here is known to nobody else yet. */
function madeToken({ operatorToken }: Simulator, { network }: CommandSettings): string | undefined {
  return network.operatorToken === undefined ? operatorToken : undefined;
}

function asJson(simulator: Simulator, settings: CommandSettings): string {
  const { issuer, tokenEndpoint, platformUrl, apiUrl, operatorUrl, selfServiceUrl } = simulator;
  const operatorToken = madeToken(simulator, settings);
  const line = { issuer, tokenEndpoint, platformUrl, apiUrl, operatorUrl, selfServiceUrl, operatorToken };
  return `${JSON.stringify(line)}\n`;
}

function describe(simulator: Simulator, settings: CommandSettings): string {
  const { issuer, tokenEndpoint, platformUrl, apiUrl, selfServiceUrl, operatorUrl, browserUrl } = simulator;
  const { host = '127.0.0.1', publicUrl } = settings.network;
  const open = simulator.operatorToken !== undefined;
  const token = madeToken(simulator, settings);
  const authorization = open ? ` -H "Authorization: Bearer ${token ?? '$SIMULATOR_OPERATOR_TOKEN'}"` : '';
  return `Maskinporten simulator, for development and tests only
${open ? `Listens on ${host}: everybody who reaches it can get tokens.` : 'Only this machine can reach it.'}

  issuer          ${issuer}
  token endpoint  ${tokenEndpoint}
  Altinn platform ${platformUrl}
  API             ${apiUrl}
  self-service    ${selfServiceUrl}
  operator        ${browserUrl}/operator
${token === undefined ? '' : `  operator token  ${token}\n`}${
    open && publicUrl === undefined ? '\nDo clients reach it by another name? Say so with --public-url.\n' : ''
  }
Approve requests and see what each grant was worth: open the operator's page in a browser, or
curl${authorization} ${operatorUrl}/operator/api/log
Stop with Ctrl-C.
`;
}
