import { beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withRun } from '../bench/report/document.js';
import { verdictOf, type Measurement, type TargetId } from '../bench/report/measurement.js';
import { screenTable } from '../bench/report/table.js';
import { sized } from './support/size.js';

const root = join(import.meta.dirname, '..');

/** Without those that start applications, run PostgreSQL or wait for tokens to end; in the soak all of them. */
const RUN: readonly string[] = sized({
  test: ['P1', 'P3', 'P4', 'P5', 'P6', 'P8'],
  soak: ['machine', 'P1', 'P2', 'P3', 'P4', 'P5', 'P6', 'P8', 'P10', 'A1', 'P7'],
});

interface Line {
  readonly target: string;
  readonly measure: string;
  readonly value?: number;
  readonly limit?: object;
  readonly verdict: string;
}

async function execute(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const code = await new Promise<number | null>((resolve) => {
    child.on('close', resolve);
  });
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${output}${errors}`);
  return output;
}

const measured = (target: TargetId, measure: string, value: number): Measurement => ({
  target,
  measure,
  ours: 'a',
  peer: 'b',
  value,
  limit: { atMost: 1 },
  reason: 'because',
});

const run = (document: string, nodeMajor: string, measurements: Measurement[]): string =>
  withRun(document, { nodeMajor, machine: `machine of ${nodeMajor}`, measurements });

const rows = (document: string): (string | undefined)[] =>
  document
    .split('\n')
    .filter((line) => line.startsWith('| P'))
    .map((line) => line.split(' | ').slice(0, 5).join(' '));

describe('the report', () => {
  it('calls a target missed as soon as it is, and gives the reason only then', () => {
    expect(verdictOf(measured('P1', 'x', 1))).toBe('met');
    expect(verdictOf(measured('P1', 'x', 1.001))).toBe('missed');
    expect(verdictOf({ ...measured('P1', 'x', 2), limit: { atLeast: 3, atMost: 5 } })).toBe('missed');
    expect(verdictOf(measured('P1', 'x', Number.NaN))).toBe('not measured');
    expect(screenTable([measured('P1', 'x', 1)])).not.toContain('because');
    expect(screenTable([measured('P1', 'x', 2)])).toContain('because');
  });

  it('replaces the lines of the targets that were run, in the section of the Node version, and nothing else', () => {
    const first = [measured('P10', 'start', 1), measured('P3', 'hit', 1), measured('P3', 'rotation', 1)];
    const before = '# Results\n';
    const both = run(run(before, '20', first), '24', first);
    const again = run(both, '20', [measured('P3', 'hit', 7)]);
    expect(rows(again)).toEqual([
      '| P3 hit a b 7.00 ×',
      '| P10 start a b 1.00 ×',
      '| P3 hit a b 1.00 ×',
      '| P3 rotation a b 1.00 ×',
      '| P10 start a b 1.00 ×',
    ]);
    expect(again.startsWith(before)).toBe(true);
    expect(run(again, '20', [measured('P3', 'hit', 7)])).toBe(again);
  });
});

describe('npm run bench', () => {
  beforeAll(async () => {
    // `npm test` has built the module; a single run of this file may come first.
    if (!existsSync(join(root, 'libs/maskinporten/dist/index.js'))) await execute('npm', ['run', 'build:maskinporten']);
    await execute(process.execPath, ['node_modules/@typescript/native/bin/tsc', '-p', 'bench/tsconfig.json']);
  });

  it('measures every target, judges it, and leaves the written results alone when it is quick', async () => {
    const written = readFileSync(join(root, 'docs/benchmarks.md'), 'utf8');
    const output = await execute(process.execPath, [
      'bench/dist/main.js',
      '--quick',
      '--json',
      '--only',
      RUN.join(','),
    ]);
    const { quick, measurements } = JSON.parse(output) as { quick: boolean; measurements: Line[] };

    expect(quick).toBe(true);
    expect(new Set(measurements.map(({ target }) => target))).toEqual(new Set(RUN));
    const judged = measurements.filter(({ limit }) => limit !== undefined);
    const judgedLines = Object.entries({ P1: 2, P2: 2, P3: 4, P4: 2, P5: 2, P6: 6, P8: 3, P10: 2, P7: 4 }).filter(
      ([target]) => RUN.includes(target),
    );
    expect(judged.map(({ target }) => target)).toEqual(
      judgedLines.flatMap(([target, count]) => Array.from({ length: count }, () => target)),
    );
    const unmeasured = judged.filter(({ value }) => !Number.isFinite(value));
    expect(unmeasured.map(({ measure, verdict }) => [measure, verdict])).toEqual([
      ['hit, one key ÷ webmaxru client', 'not measured'],
    ]);
    // These count events and do not depend on how busy the machine is.
    expect(judged.find(({ measure }) => measure.includes('token requests per key'))?.verdict).toBe('met');
    expect(readFileSync(join(root, 'docs/benchmarks.md'), 'utf8')).toBe(written);
  });
});
