import { call, fetchApi } from './api.js';
import { demands, grouped, h } from './elements.js';

const decision = document.querySelector('#decision');
const id = new URLSearchParams(location.search).get('id')?.toLowerCase();

const OUTCOMES = {
  Accepted: ['good', 'Approved', 'The vendor can act from now on.'],
  Rejected: ['bad', 'Rejected', 'Nothing was given. The vendor must delete its request before it can ask again.'],
  Timedout: ['off', 'Timed out', 'Nobody answered in time. The vendor has to ask again.'],
};

function outcome(status, redirectUrl, words = OUTCOMES[status]) {
  const [tone, title, text] = words ?? ['off', status, ''];
  const link =
    redirectUrl && /^https?:/.test(redirectUrl)
      ? h(
          'p',
          {},
          h('a', { class: 'button', href: redirectUrl, rel: 'noreferrer' }, `Back to ${new URL(redirectUrl).host}`),
        )
      : h('p', { class: 'meta' }, 'You can close this page.');
  return h(
    'article',
    { class: `card outcome ${tone}`, 'data-outcome': status },
    h('h1', { tabindex: '-1' }, title),
    h('p', {}, text),
    link,
  );
}

function show(article) {
  decision.replaceChildren(article);
  article.querySelector('h1')?.focus();
}

async function find() {
  const { customers } = await (await fetchApi('overview')).json();
  for (const customer of customers) {
    const request = customer.requests.find((candidate) => candidate.id === id);
    if (request) return { customer, request };
  }
  // What was decided earlier is no longer listed among what waits.
  for (const list of ['requests', 'changeRequests']) {
    const response = await fetchApi(`${list}/${encodeURIComponent(id ?? '')}`);
    if (response.ok) return { decided: await response.json() };
  }
  return undefined;
}

function question({ customer, request }) {
  const list = request.kind === 'change' ? 'changeRequests' : 'requests';
  const decide = (verb, status) => async () => {
    if (await call('POST', `${list}/${encodeURIComponent(id)}/${verb}`)) show(outcome(status, request.redirectUrl));
    else await start();
  };
  const unwanted = demands({ rights: request.unwantedRights, accessPackages: request.unwantedAccessPackages });
  const wanted = demands(request);
  const agent = request.userType === 'agent';
  return h(
    'article',
    { class: 'card' },
    h('p', { class: 'meta' }, `${customer.name} · ${grouped(customer.orgno)}`),
    h('h1', { tabindex: '-1' }, `Give ${request.systemName} access?`),
    h(
      'p',
      {},
      request.vendor ? `${request.vendor.name} (${grouped(request.vendor.orgno)})` : 'The vendor',
      request.kind === 'change' ? ' wants to change what its system may do' : ' wants its system to act',
      agent ? ` for the clients of ${customer.name}.` : ` for ${customer.name}.`,
    ),
    wanted.length > 0 && h('h2', {}, request.kind === 'change' ? 'It will also get' : 'It will get'),
    wanted.length > 0 && h('ul', { class: 'demands' }, wanted),
    unwanted.length > 0 && h('h2', {}, 'It will lose'),
    unwanted.length > 0 && h('ul', { class: 'demands less' }, unwanted),
    h('p', { class: 'meta' }, 'It is all or nothing, and lasts until the system user is deleted.'),
    h(
      'div',
      { class: 'buttons' },
      h('button', { type: 'button', class: 'good', onclick: decide('approve', 'Accepted') }, 'Approve'),
      h('button', { type: 'button', class: 'bad', onclick: decide('reject', 'Rejected') }, 'Reject'),
    ),
    h('p', { id: 'announcer', class: 'announcer', role: 'status' }),
  );
}

/** Where the browser goes back to, with the answer in the query as Altinn appends it. */
function answered(redirectUrl, query) {
  if (!redirectUrl) return undefined;
  const url = new URL(redirectUrl);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url.href;
}

const CONSENT_OUTCOMES = {
  Accepted: ['good', 'Consent given', 'Data may be fetched until the consent ends or is withdrawn.', { Status: 'OK' }],
  Rejected: ['bad', 'Consent refused', 'Nothing was given.', { Status: 'Failed', ErrorMessage: 'Rejected' }],
  Revoked: ['off', 'Consent withdrawn', 'There are no new tokens for it.', { Status: 'OK' }],
  Expired: ['off', 'Consent expired', 'Its time is over.', { Status: 'Failed', ErrorMessage: 'Expired' }],
};

function consentOutcome({ status, redirectUrl }) {
  const [tone, title, text, query] = CONSENT_OUTCOMES[status] ?? ['off', status, '', {}];
  return outcome(status, answered(redirectUrl, query), [tone, title, text]);
}

const withoutUrn = (urn = '') => urn.slice(urn.lastIndexOf(':') + 1);

function consentQuestion(consent) {
  const decide = (verb) => async () => {
    await call('POST', `consents/${encodeURIComponent(consent.id)}/${verb}`);
    await start();
  };
  const rights = (consent.consentRights ?? []).map((right) =>
    h(
      'li',
      {},
      h('code', {}, (right.resource ?? []).map(({ value }) => value).join(' ')),
      Object.entries(right.metaData ?? right.metadata ?? {}).map(([name, value]) =>
        h('small', {}, ` ${name}: ${value}`),
      ),
    ),
  );
  return h(
    'article',
    { class: 'card' },
    h('p', { class: 'meta' }, withoutUrn(consent.from)),
    h('h1', { tabindex: '-1' }, `Let ${grouped(consent.to ?? '')} fetch data?`),
    h('ul', { class: 'demands' }, rights),
    h('p', { class: 'meta' }, `Until ${consent.validTo}. It can be withdrawn before.`),
    h(
      'div',
      { class: 'buttons' },
      h('button', { type: 'button', class: 'good', onclick: decide('approve') }, 'Approve'),
      h('button', { type: 'button', class: 'bad', onclick: decide('reject') }, 'Reject'),
    ),
    h('p', { id: 'announcer', class: 'announcer', role: 'status' }),
  );
}

async function start() {
  if (location.pathname.includes('/consent/')) {
    const response = await fetchApi(`consents/${encodeURIComponent(id ?? '')}`);
    if (response.ok) {
      const consent = await response.json();
      show(consent.status === 'Created' ? consentQuestion(consent) : consentOutcome(consent));
      return;
    }
  }
  const found = await find();
  if (found === undefined) {
    show(
      h(
        'article',
        { class: 'card', 'data-outcome': 'unknown' },
        h('h1', { tabindex: '-1' }, 'No such request'),
        h('p', {}, 'It was deleted, or the simulator was started again since the link was made.'),
      ),
    );
    return;
  }
  if (found.decided) show(outcome(found.decided.status, found.decided.redirectUrl));
  else if (found.request.status === 'New') show(question(found));
  else show(outcome(found.request.status, found.request.redirectUrl));
}

await start();
