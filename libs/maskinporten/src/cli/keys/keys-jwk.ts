import { isSigningAlgorithm } from '../../key-files/index.js';
import type { InspectedKey } from '../../keys/index.js';
import { defineCommand } from '../define-command.js';
import { CommandFailure, UsageError } from '../exit.js';
import { readKeyInput } from './key-input.js';
import { keyFileOptions } from './command-options.js';
import { keyFindings } from './key-findings.js';
import { checkUploadableKid, publicJwk, type PublicJwk } from './public-jwk.js';

export const keysJwk = defineCommand((cli) => ({
  command: 'jwk [file]',
  describe: {
    en: 'Print the public JWK of a key, ready to be uploaded',
    nb: 'Skriv den offentlige JWK-en til en nøkkel, klar til opplasting',
  },
  build: (yargs) => keyFileOptions(cli, yargs).option('set', cli.flag({ en: 'As a JWK set', nb: 'Som JWK-sett' })),
  run: async ({ file, passphraseFile, kid, envFile, set }) => {
    checkUploadableKid(kid);
    const input = await readKeyInput(cli, { file, passphraseFile, envFile });
    const jwks = choose(input.inspection.keys, kid).map((key) =>
      toJwk(key, kid ?? key.jwk?.kid ?? input.kid ?? key.thumbprint ?? '', cli.io.now()),
    );
    const [only] = jwks;
    const document = set || jwks.length > 1 ? { keys: jwks } : only;
    cli.report(document, () => [JSON.stringify(document, undefined, 2)]);
    return 0;
  },
}));

/** A kid picks one of several keys, and names a single one that has none. */
function choose(keys: readonly InspectedKey[], kid: string | undefined): readonly InspectedKey[] {
  if (keys.length === 1 || kid === undefined) return keys;
  const named = keys.filter(({ jwk, thumbprint }) => jwk?.kid === kid || thumbprint === kid);
  if (named.length === 1) return named;
  const kids = keys.map(({ jwk, thumbprint }) => jwk?.kid ?? thumbprint ?? '?').join(', ');
  throw new UsageError({
    en: `The file holds ${keys.length} keys, and --kid names none of them alone: ${kids}`,
    nb: `Filen har ${keys.length} nøkler, og --kid peker ikke ut én av dem: ${kids}`,
  });
}

function toJwk(key: InspectedKey, kid: string, nowMs: number): PublicJwk {
  const fault = keyFindings(key, { kid, ends: [], nowMs }).find(
    ({ id, state }) => state === 'failed' && ['key-kind', 'key-size'].includes(id),
  );
  if (fault !== undefined) {
    throw new CommandFailure({ en: `The key ${fault.text.en}.`, nb: `Nøkkelen ${fault.text.nb}.` });
  }
  const alg = key.jwk?.alg;
  return publicJwk(key.publicKey, { kid, alg: isSigningAlgorithm(alg) ? alg : 'RS256' });
}
