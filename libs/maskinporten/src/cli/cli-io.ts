/** Somewhere to write text. */
export interface TextOutput {
  write(text: string): unknown;
}

/** Everything a command touches of the process around it, so that tests run it without one. */
export interface CliIo {
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
  /** Settings come from here, and from the file of `--env-file`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Relative paths start here. */
  readonly cwd: string;
  /** stdout is a terminal: colours and progress make sense. */
  readonly isTerminal: boolean;
  /** Width of the terminal in columns, when it is one. */
  readonly columns?: number;
  /** Wall clock in milliseconds. */
  readonly now: () => number;
  /** Waits `ms` milliseconds. Default: a timer. */
  readonly wait?: (ms: number) => Promise<void>;
  /** Asks for something that is not shown while it is typed; absent where nobody can be asked. */
  readonly askSecret?: (question: string) => Promise<string>;
  /** Everything on standard input; absent where it is a terminal. */
  readonly readInput?: () => Promise<string>;
  /** Runs another Node program with this process's streams, and gives its exit code. */
  readonly runNode: (args: readonly string[]) => Promise<number>;
}
