import { existsSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { type Browser, chromium } from 'playwright-core';

/** Where Debian's package puts it. */
const CHROMIUM = '/usr/bin/chromium';

const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function startChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS, timeout: 0 });
}

/** Runs tests that need a browser; without one they are reported as not run, and where everything must be there, fail. */
export function withChromium(tests: () => void): void {
  if (existsSync(CHROMIUM)) return tests();
  it('not run: Chromium is not installed', () => {
    expect(process.env['CI']).toBeUndefined();
  });
}
