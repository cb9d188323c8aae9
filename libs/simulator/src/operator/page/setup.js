import { call } from './api.js';
import { announce, grouped, h, replaceKeepingFocus } from './elements.js';

const ADDRESSES = {
  issuer: 'Issuer, and aud of grants',
  tokenEndpoint: 'Token endpoint',
  apiUrl: 'API',
  platformUrl: 'Altinn platform',
  selfServiceUrl: 'Self-service',
};

function address([name, label], urls) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(urls[name]);
      announce(`${label} is copied`);
    } catch {
      announce('The browser does not let this page copy');
    }
  };
  return [
    h('dt', {}, label),
    h(
      'dd',
      {},
      h('code', {}, urls[name]),
      h(
        'button',
        { type: 'button', class: 'quiet', 'data-key': `copy ${name}`, 'aria-label': `Copy ${label}`, onclick: copy },
        'Copy',
      ),
    ),
  ];
}

function clientRow({ clientId, orgno, keys, scopes, active }) {
  const means = keys.length > 0 ? `keys: ${keys.map(({ kid }) => kid).join(', ')}` : 'signs with certificates';
  return h(
    'li',
    {},
    h('code', {}, clientId),
    ` of ${grouped(orgno)}, ${means}`,
    !active && h('span', { class: 'tag' }, 'not active'),
    h('small', {}, scopes.length > 0 ? scopes.join(' · ') : 'no scopes'),
  );
}

function systemRow({ id, vendor, clientIds, isDeleted }) {
  return h(
    'li',
    {},
    h('code', {}, id),
    ` of ${grouped(vendor)}`,
    isDeleted && h('span', { class: 'tag' }, 'deleted'),
    h('small', {}, clientIds.length > 0 ? `clients: ${clientIds.join(', ')}` : 'no clients'),
  );
}

/** What was pasted, as the operator API takes it: PEM, a JWK or a JWKS. */
function keyOf(text) {
  if (text.includes('BEGIN ')) return { pem: text };
  const parsed = JSON.parse(text);
  return { jwks: parsed.keys ? parsed : { keys: [parsed] } };
}

const field = (id, label, attributes) => [
  h('label', { for: id }, label),
  h('input', { id, 'data-key': id, required: true, ...attributes }),
];

const typed = (id) => document.querySelector(`#${id}`).value.trim();

function addForm(refresh) {
  const key = h('textarea', {
    id: 'client-key',
    'data-key': 'client-key',
    rows: '4',
    required: true,
    spellcheck: 'false',
  });
  const file = h('input', {
    id: 'client-file',
    'data-key': 'client-file',
    type: 'file',
    onchange: async () => {
      if (file.files[0]) key.value = await file.files[0].text();
    },
  });
  const form = h(
    'form',
    {
      class: 'stack',
      onsubmit: async (event) => {
        event.preventDefault();
        let given;
        try {
          given = keyOf(key.value.trim());
        } catch {
          announce('The key is neither PEM nor JSON');
          return;
        }
        const scopes = typed('client-scopes')
          .split(/[\s,]+/)
          .filter((scope) => scope !== '');
        const client = { clientId: typed('client-id'), orgno: typed('client-orgno'), scopes, ...given };
        if (await call('POST', 'clients', client)) announce(`${client.clientId} is added`);
        await refresh();
      },
    },
    field('client-id', 'Client id'),
    field('client-orgno', 'Organisation number', { inputmode: 'numeric' }),
    field('client-scopes', 'Scopes, separated by blanks'),
    h('label', { for: 'client-key' }, 'Public key: PEM, certificate, JWK or JWKS'),
    key,
    h('label', { for: 'client-file' }, 'Or a file'),
    file,
    h(
      'div',
      { class: 'buttons' },
      h('button', { type: 'submit', class: 'good', 'data-key': 'client-add' }, 'Add client'),
    ),
  );
  return h('details', {}, h('summary', { 'data-key': 'client-new' }, 'Add a client'), form);
}

const rows = (items, row, none) =>
  items.length > 0 ? h('ul', { class: 'demands' }, items.map(row)) : h('p', { class: 'empty' }, none);

/** Where this simulator is, and which clients and systems it knows. */
export function showSetup(container, { urls, clients, systems }, refresh) {
  replaceKeepingFocus(container, [
    h(
      'dl',
      { class: 'addresses' },
      Object.entries(ADDRESSES).flatMap((entry) => address(entry, urls)),
    ),
    h('h3', {}, 'Clients'),
    rows(clients, clientRow, 'There are no clients yet.'),
    addForm(refresh),
    h('h3', {}, 'Systems'),
    rows(systems, systemRow, 'There are no systems yet.'),
  ]);
}
