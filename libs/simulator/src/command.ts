#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ConfigurationError } from './kernel/index.js';
import { type Simulator, startSimulator } from './start-simulator.js';

const DEFAULT_PORT = 8480;

const USAGE = `Usage: maskinporten-simulator [--port N] [--config file] [--json]

  --port N       port of the issuer (default ${DEFAULT_PORT}; 0 picks a free one); the others take the ports after it
  --config FILE  configuration as JSON: clients, scopes, delegations, faults, …
  --json         print one line of JSON with the URLs, and nothing else
  --help         print this text
`;

/** A wrong command line or configuration: exit code 2. */
class UsageError extends Error {}

interface Arguments {
  readonly port: number;
  readonly configFile: string | undefined;
  readonly json: boolean;
  readonly help: boolean;
}

function readArguments(): Arguments {
  try {
    const { values } = parseArgs({
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
    throw new UsageError(`Cannot read the configuration ${file}: ${messageOf(error)}`);
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch (error) {
    throw new UsageError(`${file} is not JSON: ${messageOf(error)}`);
  }
  throw new UsageError(`${file}: the configuration must be an object`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function report(simulator: Simulator, json: boolean): void {
  const { issuer, tokenEndpoint, platformUrl, apiUrl, operatorUrl } = simulator;
  if (json) {
    process.stdout.write(`${JSON.stringify({ issuer, tokenEndpoint, platformUrl, apiUrl, operatorUrl })}\n`);
    return;
  }
  process.stdout.write(`Maskinporten simulator, for development and tests only (this machine alone can reach it)

  issuer          ${issuer}
  token endpoint  ${tokenEndpoint}
  Altinn platform ${platformUrl}
  API             ${apiUrl}
  operator        ${operatorUrl}/operator/api/

See what each grant was worth:  curl ${operatorUrl}/operator/api/log
Stop with Ctrl-C.
`);
}

async function main(): Promise<void> {
  const { port, configFile, json, help } = readArguments();
  if (help) {
    process.stdout.write(USAGE);
    return;
  }
  const config = configFile === undefined ? {} : readConfig(configFile);
  const simulator = await startSimulator({ port, config }).catch((error: unknown) => {
    if (!(error instanceof ConfigurationError)) throw error;
    const lines = error.message.split('\n').map((line) => `  ${line}`);
    throw new UsageError(`The configuration ${configFile ?? ''} cannot be used:\n${lines.join('\n')}`);
  });
  report(simulator, json);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      void simulator.close();
    });
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  if (error instanceof UsageError) process.stderr.write(`\n${USAGE}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
