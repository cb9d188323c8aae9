import type { SettingFailure } from './environment-error.js';
import type { Environment } from './environment.js';

export const isPostgresUrl = (text: string): boolean => /^postgres(?:ql)?:\/\/\S+$/.test(text) && URL.canParse(text);

/** Where the audit log is; whether it can be opened is found out at start. */
export function checkAudit(environment: Environment): SettingFailure[] {
  return [
    ...(['DATABASE_URL', 'DATABASE_MIGRATION_URL'] as const).flatMap((name) => checkAddress(name, environment)),
    ...(environment.NODE_ENV === 'production' && environment.AUDIT_DATA_DIR.startsWith('memory:')
      ? [fail('AUDIT_DATA_DIR', 'is memory://, which forgets: name a folder, or set DATABASE_URL')]
      : []),
  ];
}

function checkAddress(name: 'DATABASE_URL' | 'DATABASE_MIGRATION_URL', environment: Environment): SettingFailure[] {
  const url = environment[name];
  if (url === undefined) return [];
  if (!isPostgresUrl(url.reveal())) return [fail(name, 'must be postgresql://…')];
  const file = `${name}_FILE` as const;
  return environment[file] === undefined ? [] : [fail(file, `is set besides ${name}: keep one of them`)];
}

const fail = (variable: string, reason: string): SettingFailure => ({ variable, reason });
