import { call, fetchApi } from './api.js';
import { showControls } from './controls.js';
import { showCustomers } from './customers.js';

import { showLog } from './log.js';
import { showSetup } from './setup.js';

const POLL_MS = 700;

const state = document.querySelector('#state');
const customers = document.querySelector('#customer-list');
const setup = document.querySelector('#setup');
const log = document.querySelector('#log');
const controls = document.querySelector('#controls');
const onlyRefused = document.querySelector('#only-refused');

let latest;
/** What each region was last made of: a region is only remade when its own part changed. */
const made = new Map();

function changed(name, value) {
  const text = JSON.stringify(value);
  if (made.get(name) === text) return false;
  made.set(name, text);
  return true;
}

function show(overview) {
  latest = overview;
  if (changed('customers', overview.customers)) showCustomers(customers, overview, refresh);
  if (changed('setup', [overview.urls, overview.clients, overview.systems])) showSetup(setup, overview, refresh);
  if (changed('controls', [overview.offsetSeconds, overview.faults, overview.settings])) {
    showControls(controls, overview, refresh);
  }
  showLog(log, overview, onlyRefused.checked);
}

function live(yes) {
  state.dataset.live = String(yes);
  state.lastElementChild.textContent = yes ? 'Live' : 'The simulator does not answer';
}

async function refresh() {
  try {
    const response = await fetchApi(`overview?known=${encodeURIComponent(latest?.version ?? '')}`);
    if (response.status === 200) show(await response.json());
    live(response.ok);
  } catch {
    live(false);
  }
}

async function poll() {
  if (!document.hidden) await refresh();
  setTimeout(() => void poll(), POLL_MS);
}

onlyRefused.addEventListener('change', () => {
  if (latest) showLog(log, latest, onlyRefused.checked);
});
document.querySelector('#clear-log').addEventListener('click', () => {
  void call('DELETE', 'log').then(refresh);
});
document.addEventListener('visibilitychange', () => {
  void refresh();
});
await poll();
