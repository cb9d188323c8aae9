// Compiles what `npm start` runs into `.run`, without checking types: only the sources that changed since the last time,
// by content. `.run` has the shape of the workspace, so that everything in it finds what it finds in the workspace.
// `npm run build` makes `dist`, for packages, CI and the image; neither reads what the other wrote.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { swcOptions } from './swc-options.mjs';

const LIBRARIES = { maskinporten: 'nestjs-maskinporten', simulator: 'maskinporten-simulator' };
const MANIFEST = 'manifest.json';
const NOT_RUN = /\.(?:spec|fixtures)\.ts$/;

/**
 * Brings `.run` up to date. When it was interrupted, or another version of the compiler wrote it, everything is compiled.
 *
 * @param {string} root the repository
 * @returns {Promise<readonly string[]>} what was compiled, copied or removed, relative to the root
 * @throws {Error} for a source that cannot be parsed: nothing was written then
 */
export async function compile(root) {
  const run = join(root, '.run');
  const manifest = join(run, MANIFEST);
  const compiler = compilerOf(root);
  const known = knownFiles(manifest, compiler);
  const sources = sourcesOf(root);
  const changed = sources.filter(({ path, hash }) => known?.[path] !== hash);
  const present = new Set(sources.map(({ path }) => path));
  const gone = Object.keys(known ?? {}).filter((path) => !present.has(path));
  if (known !== undefined && changed.length === 0 && gone.length === 0) return [];
  const outputs = await Promise.all(changed.map((source) => outputOf(root, source)));
  // Until it is written again, nothing counts as compiled.
  rmSync(manifest, { force: true });
  for (const { target, content } of outputs) write(run, target, content);
  removeOthers(run, new Set(sources.map(({ path }) => targetOf(path))));
  linkPackages(root, run);
  const files = Object.fromEntries(sources.map(({ path, hash }) => [path, hash]));
  write(run, MANIFEST, JSON.stringify({ compiler, files }));
  return [...changed.map(({ path }) => path), ...gone];
}

/** Folders whose content is compiled, relative to the root. */
export const SOURCE_FOLDERS = ['src', ...Object.keys(LIBRARIES).map((name) => `libs/${name}/src`)];

function sourcesOf(root) {
  const inFolders = SOURCE_FOLDERS.flatMap((folder) => filesIn(root, folder)).filter((path) => !NOT_RUN.test(path));
  const manifests = ['package.json', ...Object.keys(LIBRARIES).map((name) => `libs/${name}/package.json`)];
  return [...inFolders, ...manifests].map((path) => {
    const content = readFileSync(join(root, path));
    return { path, content, hash: sha256(content) };
  });
}

/** `src/main.ts` is compiled to `dist/main.js`, as the type-checked build does; everything else keeps its name. */
const targetOf = (path) => path.replace(/^(libs\/[^/]+\/)?src\//, '$1dist/').replace(/\.ts$/, '.js');

async function outputOf(root, { path, content }) {
  const target = targetOf(path);
  if (!path.endsWith('.ts')) return { target, content };
  // Not loaded when there is nothing to compile.
  const { transform } = await import('@swc/core');
  const { code } = await transform(content.toString(), {
    ...swcOptions,
    filename: join(root, path),
    sourceFileName: relative(dirname(join('.run', target)), path).replaceAll('\\', '/'),
    sourceMaps: 'inline',
    inlineSourcesContent: false,
    configFile: false,
    swcrc: false,
  });
  return { target, content: code };
}

/** Packages of the workspace are links in `.run` too, and have the same packages below them. */
function linkPackages(root, run) {
  mkdirSync(join(run, 'node_modules'), { recursive: true });
  for (const [folder, name] of Object.entries(LIBRARIES)) {
    link(join(run, 'libs', folder), join(run, 'node_modules', name));
    link(join(root, 'libs', folder, 'node_modules'), join(run, 'libs', folder, 'node_modules'));
  }
}

/** Junctions, which is what Windows allows to everybody, are absolute; other links survive a move of the folder. */
function link(to, at) {
  try {
    symlinkSync(process.platform === 'win32' ? to : relative(dirname(at), to), at, 'junction');
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
}

/** In one step, so that a service that starts meanwhile reads the old file or the new one. */
function write(run, target, content) {
  const file = join(run, target);
  mkdirSync(dirname(file), { recursive: true });
  const made = join(run, `writing-${process.pid}`);
  writeFileSync(made, content);
  renameSync(made, file);
}

/** What was compiled from sources that are gone, on another branch for example. */
function removeOthers(run, targets) {
  for (const folder of ['dist', ...Object.keys(LIBRARIES).map((name) => `libs/${name}/dist`)]) {
    for (const target of filesIn(run, folder)) if (!targets.has(target)) rmSync(join(run, target), { force: true });
  }
}

/** Relative to `root`, with `/` on every system. */
const filesIn = (root, folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));

function knownFiles(manifest, compiler) {
  try {
    const { compiler: used, files } = JSON.parse(readFileSync(manifest, 'utf8'));
    return used === compiler ? files : undefined;
  } catch {
    return undefined;
  }
}

/** The program that compiles, and how: this file, its options, and the version of swc. */
function compilerOf(root) {
  const swc = createRequire(join(root, 'package.json')).resolve('@swc/core/package.json');
  const parts = [import.meta.filename, join(import.meta.dirname, 'swc-options.mjs'), swc];
  return sha256(parts.map((file) => readFileSync(file, 'utf8')).join('\0'));
}

const sha256 = (content) => createHash('sha256').update(content).digest('hex');

if (process.argv[1] === import.meta.filename) {
  const done = await compile(join(import.meta.dirname, '..'));
  if (done.length > 0) console.log(`compiled ${done.length} files`);
}
