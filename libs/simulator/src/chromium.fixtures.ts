import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { needs } from '../../../test/support/needs.js';

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

/** Runs tests that need a browser. */
export function withChromium(tests: () => void): void {
  needs('Chromium', existsSync(CHROMIUM), tests);
}
