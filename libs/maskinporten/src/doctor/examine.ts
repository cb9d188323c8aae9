import type { Hint } from '../errors/index.js';
import { ALL_CHECKS } from './all-checks.js';
import { type Check, Examination } from './examination.js';
import { skipped, topicOf, words, type Finding, type FindingLevel } from '../findings/index.js';
import type { DoctorSetup } from './setup.js';

export interface ExamineOptions {
  /** Default: every check. */
  readonly checks?: readonly Check[];
  /** Called before each check. */
  readonly onProgress?: (step: { readonly title: Hint; readonly index: number; readonly total: number }) => void;
}

export interface Diagnosis {
  /** Nothing failed; warnings may be there. */
  readonly healthy: boolean;
  /** What to fix first: the first failure in the order of causes, else the first warning. */
  readonly cause?: Finding;
  /** Failures first, in the order of causes; then warnings, what was skipped, and what is good. */
  readonly findings: readonly Finding[];
}

const ORDER: readonly FindingLevel[] = ['failed', 'warning', 'skipped', 'good'];

/**
 * Looks at a whole set-up. Checks run from causes to consequences; one whose ground has failed already is skipped and
 * says so, so that the first failure is what has to be fixed.
 *
 * @example const { healthy, cause } = await examine({ environment: 'test', clientId, key, scopes: ['altinn:broker.read'] });
 */
export async function examine(setup: DoctorSetup, options: ExamineOptions = {}): Promise<Diagnosis> {
  const { checks = ALL_CHECKS, onProgress } = options;
  const examination = new Examination(setup);
  const findings: Finding[] = [];
  /** Topics that cannot be relied upon, with the failure that is to blame. */
  const broken = new Map<string, Finding>();
  try {
    for (const [index, check] of checks.entries()) {
      onProgress?.({ title: check.title, index, total: checks.length });
      const blamed = (check.needs ?? []).map((topic) => broken.get(topic)).find((finding) => finding !== undefined);
      if (blamed !== undefined) {
        findings.push(skipped(check, consequence(blamed), blamed));
        broken.set(check.id, blamed);
        continue;
      }
      const found = await check.run(examination);
      for (const finding of found) add(findings, finding);
      // A check may find out that something deeper is wrong, which it then reports under that topic.
      for (const finding of found.filter(({ level }) => level === 'failed')) {
        const deeper = topicOf(finding);
        if (deeper !== check.id) takeBack(findings, deeper);
        for (const topic of [deeper, check.id]) if (!broken.has(topic)) broken.set(topic, finding);
      }
    }
  } finally {
    await examination.close();
  }
  const sorted = ORDER.flatMap((level) => findings.filter((finding) => finding.level === level));
  const cause = sorted.find(({ level }) => level === 'failed' || level === 'warning');
  return {
    healthy: !findings.some(({ level }) => level === 'failed'),
    ...(cause === undefined ? {} : { cause }),
    findings: sorted,
  };
}

const consequence = ({ title }: Finding): Hint =>
  words(`Not looked at, because this failed: ${title.en}.`, `Ikke undersøkt, fordi dette feilet: ${title.nb}.`);

/** What was only suspected is not reported again when it has proved to be the cause. */
function add(findings: Finding[], finding: Finding): void {
  const suspicion = findings.findIndex(({ id, level }) => id === finding.id && level === 'warning');
  if (finding.level === 'failed' && suspicion !== -1) findings.splice(suspicion, 1);
  findings.push(finding);
}

/** That something looked good from here is not worth saying once Maskinporten has refused it. */
function takeBack(findings: Finding[], topic: string): void {
  const praise = findings.findIndex(({ id, level }) => id === topic && level === 'good');
  if (praise !== -1) findings.splice(praise, 1);
}
