import { announce, h } from './elements.js';

/** Kept by the browser for this origin, so that a person is asked once and not in every tab. */
const STORED = 'simulator-operator-token';

let asking;

/** Asks for the token that the simulator printed; all callers wait for one answer. */
function askForToken(refused) {
  asking ??= new Promise((resolve) => {
    const field = h('input', {
      id: 'operator-token',
      type: 'password',
      required: true,
      autocomplete: 'current-password',
    });
    const dialog = h(
      'dialog',
      { class: 'card', 'aria-labelledby': 'operator-token-title' },
      h(
        'form',
        { method: 'dialog', class: 'stack' },
        h('h2', { id: 'operator-token-title' }, 'Operator token'),
        h(
          'p',
          {},
          'Others can reach this simulator, so its operator needs a token. The simulator printed it when it started, or it is SIMULATOR_OPERATOR_TOKEN.',
        ),
        refused && h('p', { role: 'alert', class: 'refused' }, 'That token is not right.'),
        h('label', { for: 'operator-token' }, 'Token'),
        field,
        h('div', { class: 'buttons' }, h('button', { type: 'submit', class: 'good' }, 'Continue')),
      ),
    );
    // Nothing on the page works without it, so Escape does not close it.
    dialog.addEventListener('cancel', (event) => event.preventDefault());
    dialog.addEventListener('close', () => {
      dialog.remove();
      localStorage.setItem(STORED, field.value.trim());
      asking = undefined;
      resolve();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
  return asking;
}

/** `fetch` of a path under /operator/api/, with the token when one is needed. */
export async function fetchApi(path, init = {}) {
  for (;;) {
    const token = localStorage.getItem(STORED);
    const headers = { ...init.headers, ...(token && { authorization: `Bearer ${token}` }) };
    const response = await fetch(`/operator/api/${path}`, { ...init, headers });
    if (response.status !== 401) return response;
    // Another call may have been given the right one meanwhile.
    if (localStorage.getItem(STORED) === token) await askForToken(token !== null);
  }
}

/** Calls the operator's API; says so when it is refused, and whether it worked. */
export async function call(method, path, body) {
  try {
    const response = await fetchApi(path, {
      method,
      ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    if (response.ok) return true;
    const problem = await response.json().catch(() => ({}));
    announce(problem.detail ?? `The simulator answered ${response.status}`);
  } catch {
    announce('The simulator does not answer');
  }
  return false;
}
