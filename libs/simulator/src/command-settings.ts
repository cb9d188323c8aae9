import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { NetworkOptions } from './kernel/index.js';

/** Port when none is given. */
export const DEFAULT_PORT = 8480;

/** Something that the user has to change: exit code 2. With `usage`, the list of options is worth printing. */
export class InputError extends Error {
  readonly usage: boolean;

  constructor(message: string, { usage = false }: { usage?: boolean } = {}) {
    super(message);
    this.usage = usage;
  }
}

export interface CommandSettings {
  readonly network: NetworkOptions;
  readonly config: object;
  /** Where the configuration came from, for messages. */
  readonly configSource: string;
  readonly json: boolean;
  readonly help: boolean;
  readonly version: boolean;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = 'SIMULATOR_';
/** Name in the environment → option of the command line, when there is one. */
const VARIABLES: Readonly<Record<string, string | undefined>> = {
  SIMULATOR_PORT: '--port',
  SIMULATOR_HOST: '--host',
  SIMULATOR_PUBLIC_URL: '--public-url',
  SIMULATOR_BROWSER_URL: '--browser-url',
  SIMULATOR_CONFIG: undefined,
  SIMULATOR_CONFIG_FILE: '--config',
  SIMULATOR_OPERATOR_TOKEN: undefined,
  SIMULATOR_ALLOWED_HOSTS: undefined,
};
/** What Kubernetes gives every pod for a Service whose name begins with `simulator`. */
const SERVICE_LINK = /_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)$/;
const SERVICE_ADDRESS = /^(?:tcp|udp|sctp):\/\//;

/** How the user names an option of {@link NetworkOptions}. */
export const OPTION_NAMES: Readonly<Record<string, string>> = {
  port: '--port (SIMULATOR_PORT)',
  host: '--host (SIMULATOR_HOST)',
  publicUrl: '--public-url (SIMULATOR_PUBLIC_URL)',
  browserUrl: '--browser-url (SIMULATOR_BROWSER_URL)',
  operatorToken: 'SIMULATOR_OPERATOR_TOKEN',
  allowedHosts: 'SIMULATOR_ALLOWED_HOSTS',
};

export const USAGE = `Usage: maskinporten-simulator [--port N] [--host H] [--public-url URL] [--config FILE] [--json]

  --port N           port (default ${DEFAULT_PORT}; 0 picks a free one)
  --host H           address to listen on (default 127.0.0.1; 0.0.0.0 is every address, as in a container)
  --public-url URL   how clients reach the simulator: issuer and links follow it
  --browser-url URL  how a person's browser reaches it, when that differs
  --config FILE      configuration as JSON: clients, scopes, delegations, faults, …
  --json             print one line of JSON with the URLs, and nothing else
  --version          print the version
  --help             print this text

Each option is also a variable, which the option overrides: SIMULATOR_PORT, SIMULATOR_HOST, SIMULATOR_PUBLIC_URL,
SIMULATOR_BROWSER_URL, SIMULATOR_CONFIG_FILE. Further variables: SIMULATOR_CONFIG (the JSON itself),
SIMULATOR_OPERATOR_TOKEN and SIMULATOR_ALLOWED_HOSTS (names separated by commas).
`;

/** @throws InputError for a wrong option, variable or file. */
export function readCommandSettings(args: readonly string[], environment: Environment): CommandSettings {
  const options = readOptions(args);
  const variables = readVariables(environment);
  const { help, version, json } = options;
  const network: NetworkOptions = {
    port: readPort(options.port ?? variables['SIMULATOR_PORT']),
    host: options.host ?? variables['SIMULATOR_HOST'],
    publicUrl: options['public-url'] ?? variables['SIMULATOR_PUBLIC_URL'],
    browserUrl: options['browser-url'] ?? variables['SIMULATOR_BROWSER_URL'],
    operatorToken: variables['SIMULATOR_OPERATOR_TOKEN'],
    allowedHosts: variables['SIMULATOR_ALLOWED_HOSTS']
      ?.split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  };
  const needsConfig = !help && !version;
  const [configSource, config] = needsConfig ? readConfig(options.config, variables) : ['', {}];
  return { network, config, configSource, json, help, version };
}

function readOptions(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        port: { type: 'string' },
        host: { type: 'string' },
        'public-url': { type: 'string' },
        'browser-url': { type: 'string' },
        config: { type: 'string' },
        json: { type: 'boolean', default: false },
        version: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    return values;
  } catch (error) {
    throw new InputError(messageOf(error), { usage: true });
  }
}

/** The variables that are set, without those that Kubernetes sets. */
function readVariables(environment: Environment): Environment {
  const known = Object.keys(VARIABLES);
  const own = Object.entries(environment).filter(
    ([name, value]) =>
      name.startsWith(PREFIX) &&
      value !== undefined &&
      value !== '' &&
      !SERVICE_ADDRESS.test(value) &&
      !(SERVICE_LINK.test(name) && !known.includes(name)),
  );
  const unknown = own.map(([name]) => name).filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new InputError(`${unknown.join(', ')}: no such setting. The settings are ${known.join(', ')}.`);
  }
  return Object.fromEntries(own);
}

function readPort(port = String(DEFAULT_PORT)): number {
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new InputError('--port (SIMULATOR_PORT) must be a number from 0 to 65535', { usage: true });
  }
  return Number(port);
}

function readConfig(option: string | undefined, variables: Environment): readonly [source: string, config: object] {
  const text = variables['SIMULATOR_CONFIG'];
  const file = option ?? variables['SIMULATOR_CONFIG_FILE'];
  if (option === undefined && text !== undefined && file !== undefined) {
    throw new InputError('SIMULATOR_CONFIG and SIMULATOR_CONFIG_FILE are both set. Set one of them.');
  }
  if (file !== undefined) return [file, parseConfig(readText(file), file)];
  if (text !== undefined) return ['SIMULATOR_CONFIG', parseConfig(text, 'SIMULATOR_CONFIG')];
  return ['', {}];
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new InputError(`Cannot read the configuration ${file}: ${messageOf(error)}`);
  }
}

function parseConfig(text: string, source: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new InputError(`${source} is not JSON: ${messageOf(error)}`);
  }
  if (typeof value === 'object' && value !== null) return value;
  throw new InputError(`${source}: the configuration must be an object`);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
