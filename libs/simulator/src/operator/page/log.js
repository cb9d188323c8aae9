import { grouped, h } from './elements.js';

const SERVERS = { maskinporten: 'Maskinporten', platform: 'Altinn', api: 'API', 'self-service': 'Digdir' };
const TIME = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

function verdictOf({ status, refusal, fault }) {
  if (status === undefined) return fault === undefined ? ['off', '…'] : ['bad', 'reset'];
  if (status >= 500) return ['bad', String(status)];
  if (status >= 400 || refusal !== undefined) return ['bad', String(status)];
  return ['good', String(status)];
}

/** One sentence that says who wanted what, and what came of it. */
function sentence(entry) {
  const who = entry.clientId ?? 'Somebody';
  const whom = entry.onBehalfOf === undefined ? '' : ` for ${grouped(entry.onBehalfOf)}`;
  if (entry.kind === 'grant') return `${who} asks for ${entry.scope ?? 'a token'}${whom}`;
  return `${who} calls ${SERVERS[entry.server] ?? entry.server}${whom}`;
}

function reason({ refusal, fault, checks }) {
  if (fault !== undefined) return `Fault: ${fault}`;
  const first = checks.find(failed);
  if (refusal === undefined && first === undefined) return undefined;
  const code = refusal?.mpCode ?? (refusal?.error.startsWith('AUTH') ? refusal.error : undefined);
  return [code, first?.words ?? refusal?.errorDescription].filter(Boolean).join(' · ');
}

function checkLine({ ok, words, detail }) {
  const tone = ok === undefined ? 'off' : ok ? 'good' : 'bad';
  const mark = ok === undefined ? '–' : ok ? '✓' : '✗';
  const said = ok === undefined ? 'not judged' : ok ? 'passed' : 'failed';
  return h(
    'li',
    { class: tone },
    h('span', { class: 'mark', role: 'img', 'aria-label': said }, mark),
    h('span', {}, words, detail && h('small', {}, ` ${detail}`)),
  );
}

const failed = ({ ok }) => ok === false;
const passed = (check) => !failed(check);

function line(entry) {
  const [tone, verdict] = verdictOf(entry);
  const why = reason(entry);
  return h(
    'li',
    { 'data-entry': String(entry.id), 'data-tone': tone },
    h(
      'details',
      {},
      h(
        'summary',
        { 'data-key': `log ${entry.id}` },
        h('span', { class: `pill ${tone}` }, verdict),
        h(
          'span',
          { class: 'what' },
          h('span', { class: 'sentence' }, sentence(entry)),
          h('code', {}, `${entry.method} ${entry.path}`),
          why && h('span', { class: 'why' }, why),
        ),
        h('time', { datetime: entry.at }, TIME.format(new Date(entry.at))),
      ),
      // What failed is what a reader looks for.
      h(
        'ul',
        { class: 'checks' },
        entry.checks.filter(failed).map(checkLine),
        entry.checks.filter(passed).map(checkLine),
      ),
      entry.refusal?.errorDescription && h('p', { class: 'meta' }, entry.refusal.errorDescription),
      entry.claims && h('pre', {}, JSON.stringify(entry.claims, undefined, 2)),
    ),
  );
}

const shown = new Map();

/** Adds what is new and leaves the rest, so that what a reader has opened stays open. */
export function showLog(container, { log }, onlyRefused) {
  const wanted = log.filter((entry) => !onlyRefused || verdictOf(entry)[0] === 'bad');
  const items = wanted.map((entry) => {
    const text = JSON.stringify(entry);
    const known = shown.get(entry.id);
    if (known?.text === text) return known.item;
    const item = line(entry);
    if (known?.item.querySelector('details')?.open) item.querySelector('details').open = true;
    shown.set(entry.id, { text, item });
    return item;
  });
  const ids = new Set(log.map(({ id }) => id));
  for (const id of shown.keys()) if (!ids.has(id)) shown.delete(id);
  if (items.length === 0) {
    const text = onlyRefused ? 'Nothing was refused.' : 'Nobody has called yet.';
    container.replaceChildren(h('li', { class: 'empty' }, text));
    return;
  }
  items.forEach((item, index) => {
    if (container.children[index] !== item) container.insertBefore(item, container.children[index] ?? null);
  });
  while (container.children.length > items.length) container.lastElementChild.remove();
}
