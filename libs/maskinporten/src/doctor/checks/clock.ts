import { CLOCK, clockFinding, skipped, words } from '../../findings/index.js';
import type { Check } from '../examination.js';

export const clock: Check = {
  ...CLOCK,
  needs: ['audience', 'issuer'],
  run: async (examination) => {
    const metadata = await examination.metadata();
    if ('error' in metadata)
      return [
        skipped(
          CLOCK,
          words(
            'Maskinporten did not answer, so there is nothing to compare it with.',
            'Maskinporten svarte ikke, så det er ingenting å sammenligne med.',
          ),
        ),
      ];
    const { state, measuredOffsetMs } = examination.serverClock;
    return [clockFinding({ state, offsetMs: measuredOffsetMs })];
  },
};
