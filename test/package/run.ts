import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Runs a program and gives what it printed; a failure carries the program's own output, or nobody could tell what broke. */
export async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  try {
    const { stdout } = await execute(command, [...args], { cwd, maxBuffer: 64 * 1024 * 1024, env: cleanEnvironment() });
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout ?? ''}\n${stderr ?? ''}`, { cause: error });
  }
}

/** A user's shell does not have what npm and Jest set for their children. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(npm_(?!config_registry)|JEST_|NODE_OPTIONS|NODE_ENV|MASKINPORTEN_)/.test(name),
    ),
  );
}
