import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ConfigurationError } from './kernel/index.js';
import { type Simulator, startSimulator } from './start-simulator.js';

/** Port of the issuer when none is given. */
const DEFAULT_PORT = 8480;

const USAGE = `Usage: maskinporten-simulator [--port N] [--config file] [--json]

  --port N       port of the issuer (default ${DEFAULT_PORT}; 0 picks a free one); the others take the ports after it
  --config FILE  configuration as JSON: clients, scopes, delegations, faults, …
  --json         print one line of JSON with the URLs, and nothing else
  --help         print this text
`;

/** A wrong configuration: exit code 2. */
class InputError extends Error {}

/** A wrong command line: exit code 2, and the usage is worth printing. */
class UsageError extends InputError {}

interface Arguments {
  readonly port: number;
  readonly configFile: string | undefined;
  readonly json: boolean;
  readonly help: boolean;
}

function readArguments(args: readonly string[]): Arguments {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        port: { type: 'string' },
        config: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const port = values.port ?? String(DEFAULT_PORT);
    if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
      throw new UsageError('--port must be a number from 0 to 65535');
    }
    return { port: Number(port), configFile: values.config, json: values.json, help: values.help };
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(messageOf(error));
  }
}

function readConfig(file: string): object {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new InputError(`Cannot read the configuration ${file}: ${messageOf(error)}`);
  }
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    if (typeof value === 'object' && value !== null) return value;
  } catch (error) {
    throw new InputError(`${file} is not JSON: ${messageOf(error)}`);
  }
  throw new InputError(`${file}: the configuration must be an object`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function describe(simulator: Simulator, json: boolean): string {
  const { issuer, tokenEndpoint, platformUrl, apiUrl, operatorUrl, selfServiceUrl } = simulator;
  if (json) {
    return `${JSON.stringify({ issuer, tokenEndpoint, platformUrl, apiUrl, operatorUrl, selfServiceUrl })}\n`;
  }
  return `Maskinporten simulator, for development and tests only (this machine alone can reach it)

  issuer          ${issuer}
  token endpoint  ${tokenEndpoint}
  Altinn platform ${platformUrl}
  API             ${apiUrl}
  self-service    ${selfServiceUrl}
  operator        ${operatorUrl}/operator

Approve requests and see what each grant was worth: open the operator's page in a browser,
or curl ${operatorUrl}/operator/api/log
Stop with Ctrl-C.
`;
}

async function start(port: number, configFile: string | undefined): Promise<Simulator> {
  const config = configFile === undefined ? {} : readConfig(configFile);
  try {
    return await startSimulator({ port, config });
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const lines = error.message.split('\n').map((line) => `  ${line}`);
    throw new InputError(`The configuration ${configFile ?? ''} cannot be used:\n${lines.join('\n')}`);
  }
}

/** What the command needs of the process around it. */
export interface CommandHost {
  writeOut(text: string): void;
  writeError(text: string): void;
  onStop(listener: () => void): void;
}

/**
 * Runs the command until it is told to stop.
 * @returns the exit code: 0 after a clean stop, 1 when it could not start, 2 for a wrong command line or configuration.
 */
export async function runCommand(args: readonly string[], host: CommandHost): Promise<number> {
  try {
    const { port, configFile, json, help } = readArguments(args);
    if (help) {
      host.writeOut(USAGE);
      return 0;
    }
    const simulator = await start(port, configFile);
    host.writeOut(describe(simulator, json));
    await new Promise<void>((resolve) => {
      host.onStop(resolve);
    });
    await simulator.close();
    return 0;
  } catch (error) {
    host.writeError(`${messageOf(error)}\n`);
    if (error instanceof UsageError) host.writeError(`\n${USAGE}`);
    return error instanceof InputError ? 2 : 1;
  }
}
