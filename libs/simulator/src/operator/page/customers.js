import { call } from './api.js';
import { announce, demands, grouped, h, packageCode, replaceKeepingFocus } from './elements.js';

const STATUS = {
  New: ['waiting', 'Waiting for you'],
  Rejected: ['bad', 'Rejected'],
  Denied: ['bad', 'Denied'],
  Timedout: ['off', 'Timed out'],
};

/** System users whose deletion has been asked for once. */
const doomed = new Set();

async function act(method, path, said, refresh) {
  if (await call(method, path)) announce(said);
  await refresh();
}

const part = (...segments) => segments.map(encodeURIComponent).join('/');

function requestCard(request, customer, refresh) {
  const [tone, label] = STATUS[request.status] ?? ['off', request.status];
  const list = request.kind === 'change' ? 'changeRequests' : 'requests';
  const decide = (verb, said) => () => act('POST', part(list, request.id, verb), said, refresh);
  const unwanted = demands({ rights: request.unwantedRights, accessPackages: request.unwantedAccessPackages });
  const wanted = demands(request);
  const what =
    request.kind === 'change' ? 'a change' : request.userType === 'agent' ? 'access for its clients' : 'access';
  return h(
    'article',
    { class: `request ${tone}`, 'data-request': request.id, 'aria-label': `Request from ${request.systemName}` },
    h(
      'div',
      { class: 'row' },
      h('p', {}, h('strong', {}, request.systemName), ` asks ${customer.name} for ${what}`),
      h('span', { class: `pill ${tone}` }, label),
    ),
    h(
      'p',
      { class: 'meta' },
      request.vendor && `Vendor ${request.vendor.name} (${grouped(request.vendor.orgno)})`,
      request.externalRef && ` · reference ${request.externalRef}`,
    ),
    wanted.length > 0 && h('ul', { class: 'demands' }, wanted),
    unwanted.length > 0 && h('p', { class: 'meta' }, 'and no longer wants'),
    unwanted.length > 0 && h('ul', { class: 'demands less' }, unwanted),
    request.status === 'New' &&
      h(
        'div',
        { class: 'buttons' },
        h(
          'button',
          {
            type: 'button',
            class: 'good',
            'data-key': `approve ${request.id}`,
            onclick: decide('approve', `${customer.name} has approved ${request.systemName}`),
          },
          'Approve',
        ),
        h(
          'button',
          {
            type: 'button',
            class: 'bad',
            'data-key': `reject ${request.id}`,
            onclick: decide('reject', `${customer.name} has rejected ${request.systemName}`),
          },
          'Reject',
        ),
        h(
          'button',
          {
            type: 'button',
            class: 'quiet',
            'data-key': `timeout ${request.id}`,
            onclick: decide('timeout', 'The request has timed out'),
          },
          'Let it time out',
        ),
      ),
  );
}

function rightBox(user, { id, label, note, tag, held, action }, refresh) {
  const path = part('systemUsers', user.id, 'rights', id) + (action ? `?action=${encodeURIComponent(action)}` : '');
  return h(
    'li',
    {},
    h(
      'label',
      { class: 'check' },
      h('input', {
        type: 'checkbox',
        checked: held,
        'data-key': `right ${user.id} ${id} ${action ?? ''}`,
        onchange: (event) =>
          event.target.checked
            ? act('POST', path, `${label} is given`, refresh)
            : act('DELETE', path, `${label} is taken away`, refresh),
      }),
      h(
        'span',
        {},
        tag && h('span', { class: 'tag' }, tag),
        h('code', {}, label),
        action && h('span', { class: 'action' }, action),
        note && h('small', {}, note),
      ),
    ),
  );
}

function clientList(user, refresh) {
  const key = `client ${user.id}`;
  const add = async (event) => {
    event.preventDefault();
    const field = event.target.elements.orgno;
    const orgno = field.value.replaceAll(/\s/g, '');
    if (!(await call('POST', part('systemUsers', user.id, 'clients', orgno)))) return;
    field.value = '';
    announce(`${grouped(orgno)} is now a client`);
    await refresh();
  };
  return h(
    'div',
    { class: 'clients' },
    h('h4', {}, 'Clients'),
    user.clients.length === 0 && h('p', { class: 'empty' }, 'None yet: an agent without clients may do nothing.'),
    h(
      'ul',
      { class: 'plain' },
      user.clients.map((client) =>
        h(
          'li',
          { class: 'row' },
          h('span', {}, client.name, h('small', {}, ` ${grouped(client.orgno)}`)),
          h(
            'button',
            {
              type: 'button',
              class: 'quiet',
              'data-key': `remove ${user.id} ${client.orgno}`,
              'aria-label': `Remove client ${client.name}`,
              onclick: () =>
                act(
                  'DELETE',
                  part('systemUsers', user.id, 'clients', client.orgno),
                  `${client.name} is removed`,
                  refresh,
                ),
            },
            'Remove',
          ),
        ),
      ),
    ),
    h(
      'form',
      { class: 'inline', onsubmit: add },
      h('input', {
        name: 'orgno',
        type: 'text',
        inputmode: 'numeric',
        required: true,
        autocomplete: 'off',
        placeholder: 'Organisation number',
        'aria-label': 'Organisation number of the client',
        'data-key': key,
      }),
      h('button', { type: 'submit' }, 'Add client'),
    ),
  );
}

function deleteButton(user, customer, refresh) {
  const sure = doomed.has(user.id);
  return h(
    'button',
    {
      type: 'button',
      class: sure ? 'bad' : 'quiet',
      'data-key': `delete ${user.id}`,
      onclick: async (event) => {
        if (sure) {
          doomed.delete(user.id);
          await act('DELETE', part('systemUsers', user.id), `${customer.name} has deleted the system user`, refresh);
          return;
        }
        doomed.add(user.id);
        event.currentTarget.replaceWith(deleteButton(user, customer, refresh));
        document.querySelector(`[data-key="${CSS.escape(`delete ${user.id}`)}"]`)?.focus();
      },
    },
    sure ? 'Really delete?' : 'Delete',
  );
}

function userCard(user, customer, refresh) {
  const boxes = [
    ...user.rights.map(({ resource, action, held }) =>
      rightBox(user, { id: resource, label: resource, action, held }, refresh),
    ),
    ...user.accessPackages.map(({ urn, resources, held }) =>
      rightBox(
        user,
        {
          id: urn,
          label: packageCode(urn),
          tag: 'package',
          note: resources.length > 0 ? ` opens ${resources.join(', ')}` : undefined,
          held,
        },
        refresh,
      ),
    ),
  ];
  return h(
    'article',
    { class: 'user', 'data-user': user.id, 'aria-label': `System user of ${user.systemName}` },
    h(
      'div',
      { class: 'row' },
      h(
        'p',
        {},
        h('strong', {}, user.systemName),
        user.externalRef && h('small', {}, ` reference ${user.externalRef}`),
      ),
      h('span', { class: 'pill good' }, user.userType === 'agent' ? 'Agent system user' : 'System user'),
    ),
    !user.systemExists && h('p', { class: 'warning' }, 'Its system is not in the register: grants end in MP-303.'),
    boxes.length === 0
      ? h('p', { class: 'empty' }, 'It has no rights, and its system defines none.')
      : h('ul', { class: 'rights', 'aria-label': 'Rights' }, boxes),
    user.userType === 'agent' && clientList(user, refresh),
    h('div', { class: 'row foot' }, h('code', { class: 'id' }, user.id), deleteButton(user, customer, refresh)),
  );
}

function customerCard(customer, refresh) {
  return h(
    'article',
    { class: 'card', 'data-customer': customer.orgno },
    h('h3', {}, customer.name, h('small', {}, ` ${grouped(customer.orgno)}`)),
    customer.requests.map((request) => requestCard(request, customer, refresh)),
    customer.systemUsers.map((user) => userCard(user, customer, refresh)),
  );
}

const hasPending = ({ requests }) => requests.some(({ status }) => status === 'New');

/** Customers who have something to decide come first. */
export function showCustomers(container, { customers }, refresh) {
  const ordered = [...customers.filter(hasPending), ...customers.filter((customer) => !hasPending(customer))];
  const empty = h(
    'div',
    { class: 'card empty' },
    h('p', {}, 'Nobody has been asked for anything yet.'),
    h(
      'p',
      {},
      'A request that your application sends with ',
      h('code', {}, 'POST …/systemuser/request/vendor'),
      ' appears here at once.',
    ),
  );
  replaceKeepingFocus(
    container,
    ordered.length === 0 ? [empty] : ordered.map((customer) => customerCard(customer, refresh)),
  );
}
