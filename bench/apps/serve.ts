import type { Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { AddressInfo } from 'node:net';
import type { AppSettings, CpuAnswer, Listening } from './messages.js';

export const settings = JSON.parse(process.env['BENCH_SETTINGS'] ?? '{}') as AppSettings;

/** Listens, says so to the parent, and ends when the parent lets go. */
export async function serve(module: Type): Promise<void> {
  const app = await NestFactory.create(module, { logger: false });
  const server = (await app.listen(0, '127.0.0.1')) as { address(): AddressInfo };
  const { port } = server.address();
  const listening: Listening = { port, rssBytes: process.memoryUsage.rss() };
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpuMs: (user + system) / 1_000 } satisfies CpuAnswer);
  });
  process.on('disconnect', () => process.exit());
  process.send?.(listening);
}
