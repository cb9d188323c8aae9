import { MaskinportenConfigurationError, type Hint } from '../errors/index.js';

/** What is wrong with one variable. The reason goes after its name and never repeats its value. */
export interface VariableProblem {
  readonly variable: string;
  /** `unknown`: a name that is probably a misspelling of another. */
  readonly kind: 'missing' | 'wrong' | 'unknown';
  readonly reason: Hint;
}

/** Everything that is wrong with the variables, in one error: `failures[].field` is the variable. */
export class MaskinportenEnvironmentError extends MaskinportenConfigurationError {
  readonly problems: readonly VariableProblem[];

  constructor(problems: readonly VariableProblem[]) {
    super('MP_CONFIG', {
      message: problems.map(({ variable, reason }) => `${variable} ${reason.en}`).join('; '),
      failures: problems.map(({ variable, reason }) => ({ field: variable, code: 'MP_CONFIG', reason: reason.en })),
    });
    this.problems = problems;
  }
}

const problemOf =
  (kind: VariableProblem['kind']) =>
  (variable: string, en: string, nb: string): VariableProblem => ({ variable, kind, reason: { en, nb } });

export const missing = problemOf('missing');
export const wrong = problemOf('wrong');
export const unknown = problemOf('unknown');

export const besides = (variable: string, first: string): VariableProblem =>
  wrong(variable, `is set besides ${first}: keep one of them`, `er satt i tillegg til ${first}: behold én av dem`);

export const unreadable = (variable: string): VariableProblem =>
  wrong(variable, 'names a file that cannot be read', 'peker på en fil som ikke kan leses');
