import { spawnSync } from 'node:child_process';

/** Signatures per second of one core as `openssl speed` measures them, or undefined where there is no OpenSSL. */
export function opensslSignaturesPerSecond(bits: 2048 | 3072, seconds: number): number | undefined {
  const { stdout, status } = spawnSync('openssl', ['speed', '-mr', '-seconds', String(seconds), `rsa${bits}`], {
    encoding: 'utf8',
  });
  if (status !== 0) return undefined;
  // Machine-readable: +F2:<index>:<bits>:<signatures per second>:<verifications per second>
  const figure = /^\+F2:\d+:\d+:([\d.]+):/m.exec(stdout)?.[1];
  return figure === undefined ? undefined : Number(figure);
}
