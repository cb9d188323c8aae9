/** One thing that is wrong in a configuration: where, and why. */
export interface ConfigurationProblem {
  /** Path of the member, such as `clients[0].jwks.keys[1].alg`. Empty for the document itself. */
  readonly field: string;
  readonly reason: string;
}

/** Thrown for a configuration, or a member sent to the operator API, that cannot be used. It lists every problem. */
export class ConfigurationError extends Error {
  readonly problems: readonly ConfigurationProblem[];

  constructor(problems: readonly ConfigurationProblem[]) {
    super(problems.map(({ field, reason }) => (field === '' ? reason : `${field}: ${reason}`)).join('\n'));
    this.name = 'ConfigurationError';
    this.problems = problems;
  }
}
