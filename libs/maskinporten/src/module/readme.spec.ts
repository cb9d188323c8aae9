import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { ERROR_CODES } from '../errors/index.js';

const root = join(import.meta.dirname, '../../../..');
const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
const blocks = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code);

/** What the compiler says about the blocks, as files of this workspace. */
function diagnostics(codes: readonly string[]): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: unknown;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const sources = new Map(codes.map((code, index) => [join(import.meta.dirname, `readme-${index}.ts`), code]));
  const host = ts.createCompilerHost({ ...options, noEmit: true });
  const withBlocks: ts.CompilerHost = {
    ...host,
    fileExists: (file) => sources.has(file) || host.fileExists(file),
    readFile: (file) => sources.get(file) ?? host.readFile(file),
    getSourceFile: (file, version, ...rest) => {
      const code = sources.get(file);
      return code === undefined ? host.getSourceFile(file, version, ...rest) : ts.createSourceFile(file, code, version);
    },
  };
  const program = ts.createProgram([...sources.keys()], { ...options, noEmit: true }, withBlocks);
  return [...sources.keys()].flatMap((file) => {
    const source = program.getSourceFile(file);
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return found.map(({ messageText, start = 0 }) => {
      const line = (source?.getLineAndCharacterOfPosition(start).line ?? 0) + 1;
      return `${basename(file)}:${line} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
  });
}

describe('README', () => {
  it('its code compiles', () => {
    expect(blocks.length).toBeGreaterThan(5);
    const wrong = "export const wrong: number = 'text';";
    expect(diagnostics([...blocks, wrong])).toEqual([
      expect.stringContaining(`readme-${blocks.length}.ts:1 Type 'string'`),
    ]);
  });

  it('lists every error code, with the status and the hint it really has', () => {
    for (const [code, { httpStatus, hint }] of Object.entries(ERROR_CODES)) {
      const row = readme.split('\n').find((line) => line.startsWith(`| \`${code}\` |`)) ?? '';
      expect(row).toContain(`| ${httpStatus} |`);
      expect(row).toContain(hint.en);
    }
  });
});
