// `npm run start:dev`: the service, compiled and started again whenever a source changes. `npm run start:debug` does the
// same with Node's inspector open on port 9229 ("Attach" in .vscode/launch.json). Arguments go to Node.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, watch } from 'node:fs';
import { join } from 'node:path';
import { compile, SOURCE_FOLDERS } from './compile.mjs';

/** Editors write a file in several steps, and a change of branch many files. */
const QUIET_MS = 100;
const root = join(import.meta.dirname, '..');
let service;
let timer;
let isEnding = false;
const watched = new Set();
let working = update();

function start() {
  const flags = ['--enable-source-maps', ...process.argv.slice(2)];
  const started = spawn(process.execPath, [...flags, join(root, '.run/dist/main.js')], { cwd: root, stdio: 'inherit' });
  service = started;
  started.once('exit', (code) => {
    if (service === started) service = undefined;
    if (code !== 0 && !isEnding) console.error('The service has ended. A change of a source starts it again.');
  });
}

/** The folder of the audit log and the port are free when it has ended. */
async function stop() {
  if (service === undefined) return;
  const ended = once(service, 'exit');
  service.kill('SIGTERM');
  await ended;
}

async function update() {
  watchFolders();
  try {
    const changed = await compile(root);
    if (changed.length > 0) console.error(`compiled ${changed.length} files`);
    else if (service !== undefined) return;
    await stop();
    if (!isEnding) start();
  } catch (error) {
    // The service that runs goes on: the source may be half written.
    console.error(error.message);
  }
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => void end());
}

async function end() {
  isEnding = true;
  await stop();
  await working;
  process.exit(0);
}

/** Each folder by itself: Node's own recursive watching loses a file that an editor replaces (Linux, Node 20). */
function watchFolders() {
  const below = SOURCE_FOLDERS.flatMap((top) =>
    readdirSync(join(root, top), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  for (const folder of [...SOURCE_FOLDERS.map((top) => join(root, top)), ...below]) {
    if (watched.has(folder)) continue;
    watched.add(folder);
    const watcher = watch(folder, updateSoon);
    const forget = () => {
      watcher.close();
      watched.delete(folder);
    };
    // Removed, on another branch for example.
    watcher.once('error', forget);
    watcher.on('change', () => {
      if (!existsSync(folder)) forget();
    });
  }
}

function updateSoon() {
  clearTimeout(timer);
  timer = setTimeout(() => {
    working = working.then(update);
  }, QUIET_MS);
}
