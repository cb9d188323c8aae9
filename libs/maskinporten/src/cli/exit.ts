import type { Text } from './language.js';

/** 0: good. 1: a check failed, or what was asked for could not be had. 2: the command line is wrong, or a setting is missing. */
export type ExitCode = 0 | 1 | 2;

/** The command line is wrong, a file named on it cannot be read, or a setting is missing: exit code 2. */
export class UsageError extends Error {
  readonly text: Text;

  constructor(text: Text) {
    super(text.en);
    this.name = 'UsageError';
    this.text = text;
  }
}

/** What was asked for cannot be done, and the text says why: exit code 1. */
export class CommandFailure extends Error {
  readonly text: Text;

  constructor(text: Text) {
    super(text.en);
    this.name = 'CommandFailure';
    this.text = text;
  }
}
