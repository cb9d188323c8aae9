import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { transformFile } from '@swc/core';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startWorld, type World } from './outbound.fixtures.js';

const source = join(import.meta.dirname, '..');
/** Inside the workspace, so that Node finds the packages that the application needs. */
const compiled = join(source, '../../../node_modules/.cache', `graphql-app-${process.pid}`);

/** The library and the application as plain JavaScript; types are checked elsewhere. */
async function compile(): Promise<string> {
  const files = (await readdir(source, { recursive: true })).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'),
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
  return join(compiled, 'outbound/graphql-app.fixtures.js');
}

describe('@Scopes and the exception filter in GraphQL resolvers', () => {
  let world: World;
  const children: ChildProcess[] = [];
  let application: string;
  let url: string;

  /** @returns the address of the application, once it answers */
  const start = async (fieldResolverEnhancers?: readonly string[]): Promise<string> => {
    const child = spawn(process.execPath, [application], { stdio: ['pipe', 'pipe', 'pipe'] });
    children.push(child);
    const said: Buffer[] = [];
    child.stderr?.on('data', (data: Buffer) => said.push(data));
    child.stdin?.end(
      JSON.stringify({ options: world.options, apiUrl: world.simulator.apiUrl, fieldResolverEnhancers }),
    );
    const [line] = (await Promise.race([
      once(child.stdout ?? child, 'data'),
      once(child, 'close').then(() => {
        throw new Error(`the application ended: ${Buffer.concat(said).toString()}`);
      }),
    ])) as [Buffer];
    return `${line.toString().trim()}/graphql`;
  };

  beforeAll(async () => {
    world = await startWorld();
    application = await compile();
    url = await start();
  });
  afterAll(async () => {
    for (const child of children) child.kill();
    await rm(compiled, { recursive: true, force: true });
    await world?.close();
  });

  const ask = async (
    query: string,
  ): Promise<{ data: unknown; errors?: { message: string; extensions: unknown }[] }> => {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
    return (await answer.json()) as Awaited<ReturnType<typeof ask>>;
  };

  it('a field resolver keeps its own scopes where GraphQL runs interceptors around it, and refuses the start elsewhere', async () => {
    url = await start(['interceptors']);
    expect(await ask('{ first { scope ofField } }')).toEqual({
      data: { first: { scope: 'acme:a', ofField: 'acme:c' } },
    });
    for (const enhancers of [[], ['guards']]) {
      await expect(start(enhancers)).rejects.toThrow(
        /@Scopes on FieldResolver\.ofField: GraphQL runs no interceptors around field resolvers/,
      );
    }
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
