import { decodeJwt, decodeProtectedHeader } from 'jose';
import { readProviderEnvironment } from '../../environment/index.js';
import { isMaskinportenError } from '../../errors/index.js';
import type { Consumer, ResourceServerOptions } from '../../resource-server/index.js';
import type { Cli } from '../cli.js';
import { defineCommand } from '../define-command.js';
import { UsageError } from '../exit.js';
import type { Text } from '../language.js';
import { PROXY_VARIABLES, type Variables } from '../settings.js';
import { claimLine } from './token-report.js';

type Members = Readonly<Record<string, unknown>>;

/** Accepted, or why not. The reason is the resource server's own: nothing of the token is in it. */
type Verdict = { readonly consumer: Consumer } | { readonly code: string; readonly reason: string };

export const tokenExplain = defineCommand((cli) => ({
  command: 'explain',
  describe: {
    en: 'Read a token from standard input; say what it is, who it is for, and what would refuse it here',
    nb: 'Les et token fra standard inn; si hva det er, hvem det er for, og hva som ville avvist det her',
  },
  build: (yargs) =>
    yargs
      .option('audience', {
        ...cli.option({
          en: 'The aud that your API requires (default: tokens with an aud are refused)',
          nb: 'Aud som API-et krever (standard: token med aud avvises)',
        }),
        array: true,
      })
      .option(
        'jwks-uri',
        cli.option({
          en: 'Where the issuer publishes its keys (default: what its metadata says)',
          nb: 'Hvor utstederen publiserer nøklene sine (standard: det metadataene sier)',
        }),
      ),
  run: async ({ envFile, audience, jwksUri }) => {
    const options = optionsOf(await cli.environment(typeof envFile === 'string' ? envFile : undefined));
    const token = (await readToken(cli)).trim().replace(/^Bearer\s+/i, '');
    const given = {
      ...options,
      ...(audience === undefined ? {} : { audience }),
      ...(jwksUri === undefined ? {} : { jwksUri }),
    };
    cli.progress(cli.text({ en: 'Checking the token …', nb: 'Kontrollerer tokenet …' }));
    const verdict = await judge(token, given);
    const read = readUnproven(token);
    const accepted = 'consumer' in verdict;
    cli.report(
      { accepted, ...(accepted ? {} : { refusal: verdict }), header: read?.header, claims: read?.claims },
      () => linesOf(cli, verdict, read),
    );
    return accepted ? 0 : 1;
  },
}));

/** @throws UsageError for settings that are missing or wrong: the token is judged as in this environment. */
function optionsOf(variables: Variables): ResourceServerOptions {
  try {
    const proxy = PROXY_VARIABLES.some((name) => (variables[name] ?? '').trim() !== '');
    return { ...readProviderEnvironment(variables), ...(proxy ? { http: { proxy: 'environment' } } : {}) };
  } catch (error) {
    if (!isMaskinportenError(error, 'MP_CONFIG')) throw error;
    throw new UsageError({ en: error.message, nb: error.message });
  }
}

async function readToken({ io }: Cli): Promise<string> {
  const text = await io.readInput?.();
  if (text !== undefined && text.trim() !== '') return text;
  throw new UsageError({
    en: 'Give the token on standard input: token explain < token',
    nb: 'Gi tokenet på standard inn: token explain < token',
  });
}

/** Loaded when it is used: the other commands do without. */
async function judge(token: string, options: ResourceServerOptions): Promise<Verdict> {
  const { ResourceServer, TokenRefusal } = await import('../../resource-server/index.js');
  const server = new ResourceServer(options);
  try {
    return { consumer: await server.verify(token) };
  } catch (error) {
    if (!(error instanceof TokenRefusal)) throw error;
    return { code: error.code, reason: error.message };
  } finally {
    await server.close();
  }
}

/** Header and claims as they stand there, without the signature: what is shown cannot be used. */
function readUnproven(token: string): { readonly header: Members; readonly claims: Members } | undefined {
  try {
    return { header: { ...decodeProtectedHeader(token) }, claims: decodeJwt(token) };
  } catch {
    return undefined;
  }
}

function linesOf(cli: Cli, verdict: Verdict, read: ReturnType<typeof readUnproven>): string[] {
  const members = Object.entries({ ...read?.header, ...read?.claims });
  return [
    ...('consumer' in verdict ? acceptedLines(cli, verdict.consumer) : refusedLines(cli, verdict)),
    '',
    ...(read === undefined
      ? [cli.text({ en: 'It is not a JWT.', nb: 'Det er ikke en JWT.' })]
      : [
          cli.style('bold', cli.text({ en: 'What stands in it', nb: 'Det som står i det' })),
          ...members.map(([name, value]) => claimLine(name, value)),
        ]),
  ];
}

function acceptedLines(cli: Cli, consumer: Consumer): string[] {
  const { organisation, supplier, scopes, audience, expiresAt, systemUser } = consumer;
  const line = (name: Text, value: string): string => `  ${cli.text(name).padEnd(14)}${value}`;
  const until = expiresAt.toISOString();
  return [
    `${cli.style('green', '✔')} ${cli.style('bold', cli.text({ en: 'Accepted here', nb: 'Godtas her' }))}`,
    line({ en: 'organisation', nb: 'organisasjon' }, organisation),
    ...(supplier === undefined ? [] : [line({ en: 'supplier', nb: 'leverandør' }, supplier)]),
    ...(systemUser === undefined
      ? []
      : [
          line(
            { en: 'system user', nb: 'systembruker' },
            cli.text({ en: 'yes, its right is another question', nb: 'ja, retten er et annet spørsmål' }),
          ),
        ]),
    line({ en: 'scopes', nb: 'scopes' }, scopes.join(' ')),
    ...(audience === undefined ? [] : [line({ en: 'audience', nb: 'mottaker' }, audience.join(' '))]),
    line({ en: 'until', nb: 'til' }, until),
  ];
}

function refusedLines(cli: Cli, { code, reason }: { readonly code: string; readonly reason: string }): string[] {
  const head = cli.text({ en: 'Refused here', nb: 'Avvises her' });
  return [`${cli.style('red', '✖')} ${cli.style('bold', head)} (${code})`, `  ${reason}`];
}
