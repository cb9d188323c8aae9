import { EXPIRY, expiryFindings } from '../../findings/index.js';
import { credentialEnds } from '../../keys/index.js';
import type { Check } from '../examination.js';

export const expiry: Check = {
  ...EXPIRY,
  needs: ['key', 'certificate'],
  run: async (examination) => {
    const loaded = await examination.keys();
    if ('error' in loaded) return [];
    const { current, others } = loaded.value.ring;
    // A key that only stands by stops nothing when it has ended.
    const spare = others.flatMap(credentialEnds).map(({ what, endsAt }) => ({ what, endsAt, counts: false }));
    return expiryFindings([...credentialEnds(current), ...spare], examination.clock.wallMs());
  },
};
