import { readFileSync } from 'node:fs';
import type { Environment } from './environment.js';

/** Version of the rules by which the service decides: what the setting says, or else the version of this package. */
export const rulebookVersion = ({ RULEBOOK_VERSION }: Environment): string => RULEBOOK_VERSION ?? packageVersion();

function packageVersion(): string {
  // As far from the root in `dist` as in `src`.
  const content = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(content) as { version: string }).version;
}
