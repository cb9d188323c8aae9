import { CLOCK, clockFinding, skipped, words } from '../../findings/index.js';
import type { Check } from '../examination.js';

export const clock: Check = {
  ...CLOCK,
  needs: ['audience', 'issuer'],
  run: async (examination) => {
    const metadata = await examination.metadata();
    if ('error' in metadata)
      return [skipped(CLOCK, words('No answer to measure it by.', 'Ikke noe svar å måle den mot.'))];
    const { state, measuredOffsetMs } = examination.serverClock;
    return [clockFinding({ state, offsetMs: measuredOffsetMs })];
  },
};
