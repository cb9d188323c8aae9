import { env } from 'node:process';

/** What the system and its libraries need to find files and to write text; the second half is how Windows has it. */
const SYSTEM_VARIABLES: ReadonlySet<string> = new Set([
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'LANGUAGE',
  'TZ',
  'TMPDIR',
  'LD_LIBRARY_PATH',
  'DYLD_LIBRARY_PATH',
  'XDG_CONFIG_HOME',
  'XDG_RUNTIME_DIR',
  'TMP',
  'TEMP',
  'SYSTEMROOT',
  'WINDIR',
  'USERPROFILE',
  'APPDATA',
  'LOCALAPPDATA',
  'PROGRAMDATA',
  'PROGRAMFILES',
]);

/**
 * The environment of a process beside ours that runs somebody else's code: nothing of the service's secrets, and no
 * `NODE_OPTIONS`, which would load what it names, or open a debugger, there too.
 */
export function systemEnvironment(
  environment: Readonly<Record<string, string | undefined>> = env,
): Record<string, string> {
  const passedOn: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(environment)) {
    const known = SYSTEM_VARIABLES.has(name.toUpperCase()) || /^LC_[A-Z]+$/.test(name);
    if (known && value !== undefined) passedOn[name] = value;
  }
  return passedOn;
}
