import { arch, availableParallelism, cpus, platform, totalmem } from 'node:os';

/** What a reader needs to compare with; no names, no paths. */
export function describeMachine(date: Date): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const memory = Math.round(totalmem() / 2 ** 30);
  return [
    `Node ${process.versions.node} (OpenSSL ${process.versions.openssl})`,
    `${availableParallelism()} cores (${model})`,
    `${memory} GiB memory, ${platform()} ${arch()}`,
    date.toISOString().slice(0, 10),
  ].join(' · ');
}

export const nodeMajor = (): string => process.versions.node.split('.')[0] ?? '';
