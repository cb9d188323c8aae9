// Builds what is shipped, with its types checked: both packages, then the service, which is compiled against their
// declarations. `npm start` does not need it (see compile.mjs). The projects are those of nest-cli.json; `nest build`
// makes the same of them, at five times the cost.
//
//   node scripts/build.mjs [maskinporten | simulator | app]
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
// TypeScript 7. What imports `typescript` for its API gets version 6: version 7 has none.
const COMPILER = 'node_modules/@typescript/native/bin/tsc';

const { projects, ...app } = JSON.parse(readFileSync(join(root, 'nest-cli.json'), 'utf8'));
const known = { ...projects, app };
const asked = process.argv.slice(2);
const wanted = asked.length > 0 ? asked : Object.keys(known);
const unknown = wanted.filter((name) => !Object.hasOwn(known, name));
if (unknown.length > 0) {
  console.error(`Nothing here is called ${unknown.join(', ')}. There are: ${Object.keys(known).join(', ')}`);
  process.exit(2);
}

try {
  for (const name of wanted) build(known[name]);
} catch (error) {
  // The compiler has printed what is wrong; anything else has not been said yet.
  if (typeof error.status !== 'number') throw error;
  process.exitCode = error.status;
}

function build({ root: folder = '.', sourceRoot, compilerOptions: { tsConfigPath, assets = [] } }) {
  rmSync(join(root, folder, 'dist'), { recursive: true, force: true });
  execFileSync(process.execPath, [COMPILER, '-p', tsConfigPath], { cwd: root, stdio: 'inherit' });
  for (const { include, outDir } of assets) {
    const from = dirname(include);
    cpSync(join(root, sourceRoot, from), join(root, outDir, from), { recursive: true });
  }
}
