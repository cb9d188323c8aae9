import type { AuditCheckpoint } from '../audit/index.js';

const MEMBERS = ['writer', 'hash', 'at', 'keyId', 'signature'] as const satisfies readonly (keyof AuditCheckpoint)[];

/**
 * The checkpoints in a file of lines. Lines that are something else are passed over: the file may be the log of the
 * service, which has a line for each checkpoint.
 */
export function checkpointsIn(text: string): AuditCheckpoint[] {
  return text.split('\n').flatMap((line) => {
    const start = line.indexOf('{');
    if (start === -1 || !line.includes('"signature"')) return [];
    try {
      const value = JSON.parse(line.slice(start)) as Partial<Record<keyof AuditCheckpoint, unknown>>;
      const isCheckpoint =
        MEMBERS.every((member) => typeof value[member] === 'string') && Number.isSafeInteger(value.seq);
      return isCheckpoint ? [value as AuditCheckpoint] : [];
    } catch {
      return [];
    }
  });
}
