import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { transformFile } from '@swc/core';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startWorld, type World } from './outbound.fixtures.js';

const source = join(import.meta.dirname, '..');
/** Inside the workspace, so that Node finds the packages that the application needs. */
const compiled = join(source, '../../../node_modules/.cache', `graphql-app-${process.pid}`);

const APPLICATION = 'outbound/graphql-app.fixtures.ts';
/** Tests, and rooms that the root of the package does not enter. */
const NOT_LOADED =
  /\.(spec|fixtures)\.ts$|^(audit-postgres|aws-kms|cli|doctor|health|pkcs11|redis|resource-server|self-service|testing)\//;

/** The library and the application as plain JavaScript; types are checked elsewhere. */
async function compile(): Promise<string> {
  const files = (await readdir(source, { recursive: true })).filter(
    (file) => file === APPLICATION || (/^[^.]+(\.[a-z]+)?\.ts$/.test(file) && !NOT_LOADED.test(file)),
  );
  await Promise.all(
    files.map(async (file) => {
      const { code } = await transformFile(join(source, file), {
        configFile: false,
        swcrc: false,
        module: { type: 'es6' },
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
      });
      const target = join(compiled, file.replace(/\.ts$/, '.js'));
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, code);
    }),
  );
  await writeFile(join(compiled, 'package.json'), '{ "type": "module" }');
  return join(compiled, APPLICATION.replace(/\.ts$/, '.js'));
}

describe('@Scopes and the exception filter in GraphQL resolvers', () => {
  let world: World;
  let child: ChildProcess | undefined;
  /** Of each application: its address, or why it did not start. */
  let plain: string;
  let interceptors: string;
  let refusals: string[];

  beforeAll(async () => {
    world = await startWorld();
    child = spawn(process.execPath, [await compile()], { stdio: ['pipe', 'pipe', 'pipe'] });
    const { stdin, stdout, stderr } = child as ChildProcessWithoutNullStreams;
    const said: Buffer[] = [];
    stderr.on('data', (data: Buffer) => said.push(data));
    stdin.end(JSON.stringify({ options: world.options, apiUrl: world.simulator.apiUrl }));
    const [line] = (await Promise.race([
      once(stdout, 'data'),
      once(child, 'close').then(() => {
        throw new Error(`the applications ended: ${Buffer.concat(said).toString()}`);
      }),
    ])) as [Buffer];
    [plain = '', interceptors = '', ...refusals] = JSON.parse(line.toString()) as string[];
  });
  afterAll(async () => {
    child?.kill();
    await rm(compiled, { recursive: true, force: true });
    await world?.close();
  });

  const ask = async (
    query: string,
    application = plain,
  ): Promise<{ data: unknown; errors?: { message: string; extensions: unknown }[] }> => {
    const answer = await fetch(`${application}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
    return (await answer.json()) as Awaited<ReturnType<typeof ask>>;
  };

  it('a field resolver keeps its own scopes where GraphQL runs interceptors around it, and refuses the start elsewhere', async () => {
    expect(await ask('{ first { scope ofField } }', interceptors)).toEqual({
      data: { first: { scope: 'acme:a', ofField: 'acme:c' } },
    });
    const refused = expect.stringMatching(
      /@Scopes on FieldResolver\.ofField: GraphQL runs no interceptors around field resolvers/,
    );
    expect(refusals).toEqual([refused, refused]);
  });

  it('T-47: the resolvers of one query keep their own scopes', async () => {
    expect(await ask('{ first { scope } second { scope } again: first { scope } }')).toEqual({
      data: { first: { scope: 'acme:a' }, second: { scope: 'acme:b acme:c' }, again: { scope: 'acme:a' } },
    });
  });

  it('S-20: a refusal is an error with the problem as extensions', async () => {
    const { data, errors } = await ask('{ first { scope } refused { scope } }');
    expect(data).toEqual({ first: { scope: 'acme:a' }, refused: null });
    expect(errors).toMatchObject([
      { extensions: { status: 500, code: 'SERVER_ERROR', failures: [{ field: 'scope', code: 'MP_SCOPE' }] } },
    ]);
  });
});
