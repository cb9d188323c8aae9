import { call } from './api.js';
import { announce, h, replaceKeepingFocus } from './elements.js';

const FAULTS = {
  'Answers 503': { status: 503, retryAfter: 1 },
  'Answers 429': { status: 429, retryAfter: 2 },
  'Answers 401': { status: 401 },
  'Answers 5 s late': { delayMs: 5000 },
  'Resets the connection': { reset: true },
  'Answers a web page': { html: true },
  'Stops half way': { truncate: true },
};
const ENDPOINTS = {
  'Maskinporten token': '/token',
  'Altinn token exchange': '/authentication/api/v1/exchange/maskinporten',
  'System users and requests': '/authentication/api/v1/systemuser/*',
  'Authorized parties': '/accessmanagement/*',
  PDP: '/authorization/*',
  'Krav og betalinger': '/kravogbetalinger/*',
  Everything: '/*',
};
const SWITCHES = {
  pdpCacheSeconds: ['PDP remembers rights for 5 minutes', 300, 0],
  exchangeAnswer: ['Exchange answers in quotes', 'quoted', 'plain'],
  packageForm: ['Packages are written as URN', 'urn', 'code'],
  nestedData: ['authorizedparties nests its data', true, false],
  internalHostInNext: ['Next page names an internal host', true, false],
  pdpCase: ['PDP writes PascalCase', 'pascal', 'camel'],
};

const options = (from) => Object.keys(from).map((name) => h('option', { value: name }, name));

function clockForm({ offsetSeconds }, refresh) {
  const set = async (seconds) => {
    if (await call('POST', 'clock', { offsetSeconds: seconds })) announce(`The clock is off by ${seconds} seconds`);
    await refresh();
  };
  const step = (label, seconds) =>
    h(
      'button',
      { type: 'button', class: 'quiet', 'data-key': `clock ${label}`, onclick: () => set(offsetSeconds + seconds) },
      label,
    );
  return h(
    'fieldset',
    { class: 'card' },
    h('legend', {}, 'Clock'),
    h(
      'p',
      { class: 'row' },
      h(
        'span',
        {},
        offsetSeconds === 0 ? 'On time' : `${offsetSeconds > 0 ? 'Ahead' : 'Behind'} by ${Math.abs(offsetSeconds)} s`,
      ),
      h(
        'span',
        { class: 'buttons' },
        step('−1 min', -60),
        step('+1 min', 60),
        step('+1 h', 3600),
        offsetSeconds !== 0 &&
          h('button', { type: 'button', 'data-key': 'clock reset', onclick: () => set(0) }, 'On time'),
      ),
    ),
  );
}

function faultForm({ faults }, refresh) {
  const add = async (event) => {
    event.preventDefault();
    const { endpoint, fault, times } = event.target.elements;
    const count = Number(times.value);
    const body = { path: ENDPOINTS[endpoint.value], ...FAULTS[fault.value], ...(count > 0 && { times: count }) };
    if (await call('POST', 'faults', body)) announce(`${endpoint.value}: ${fault.value.toLowerCase()}`);
    await refresh();
  };
  const remove = (id) => async () => {
    if (await call('DELETE', `faults/${encodeURIComponent(id)}`)) announce('The fault is gone');
    await refresh();
  };
  return h(
    'fieldset',
    { class: 'card' },
    h('legend', {}, 'Faults'),
    h(
      'ul',
      { class: 'plain' },
      faults.map(({ id, path, hits, times, ...rest }) =>
        h(
          'li',
          { class: 'row' },
          h(
            'span',
            {},
            h('code', {}, path),
            h(
              'small',
              {},
              ` ${Object.entries(rest)
                .map(([key, value]) => `${key} ${String(value)}`)
                .join(', ')} · met ${hits}${times ? ` of ${times}` : ''}`,
            ),
          ),
          h('button', { type: 'button', class: 'quiet', 'data-key': `fault ${id}`, onclick: remove(id) }, 'Remove'),
        ),
      ),
    ),
    h(
      'form',
      { class: 'inline', onsubmit: add },
      h('label', {}, 'Endpoint', h('select', { name: 'endpoint', 'data-key': 'fault endpoint' }, options(ENDPOINTS))),
      h('label', {}, 'Fault', h('select', { name: 'fault', 'data-key': 'fault kind' }, options(FAULTS))),
      h(
        'label',
        { class: 'short' },
        'Times',
        h('input', { name: 'times', type: 'number', min: '0', placeholder: '∞', 'data-key': 'fault times' }),
      ),
      h('button', { type: 'submit' }, 'Break it'),
    ),
  );
}

function switches({ settings }, refresh) {
  return h(
    'fieldset',
    { class: 'card' },
    h('legend', {}, 'Where Altinn is documented one way and seen another'),
    h(
      'ul',
      { class: 'rights' },
      Object.entries(SWITCHES).map(([name, [label, on, off]]) =>
        h(
          'li',
          {},
          h(
            'label',
            { class: 'check' },
            h('input', {
              type: 'checkbox',
              checked: settings[name] !== off,
              'data-key': `switch ${name}`,
              onchange: async (event) => {
                await call('POST', 'altinn', { [name]: event.target.checked ? on : off });
                await refresh();
              },
            }),
            label,
          ),
        ),
      ),
    ),
  );
}

export function showControls(container, state, refresh) {
  // A choice that is being made in the form must survive news from elsewhere.
  const chosen = [...container.querySelectorAll('select, input[type=number]')].map(({ dataset, value }) => [
    dataset.key,
    value,
  ]);
  const reset = async () => {
    if (await call('POST', 'reset')) announce('Back to the configuration at start');
    await refresh();
  };
  replaceKeepingFocus(container, [
    clockForm(state, refresh),
    faultForm(state, refresh),
    switches(state, refresh),
    h(
      'p',
      {},
      h(
        'button',
        { type: 'button', class: 'quiet', 'data-key': 'reset', onclick: reset },
        'Reset everything to the start',
      ),
    ),
  ]);
  for (const [key, value] of chosen) {
    const field = container.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (field) field.value = value;
  }
}
