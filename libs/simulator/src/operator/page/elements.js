/**
 * Makes an element. Members of `attributes` that begin with `on` are listeners; `false` and `undefined` leave one out.
 * Text goes in as text, never as markup: names and titles come from callers of the simulator.
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'checked') element.checked = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

let announcer;

/** Says to everybody, also to screen readers, what has happened. */
export function announce(text) {
  announcer ??= document.querySelector('#announcer');
  if (!announcer) return;
  announcer.textContent = text;
  announcer.dataset.shown = 'true';
  clearTimeout(announce.timer);
  announce.timer = setTimeout(() => {
    announcer.dataset.shown = 'false';
  }, 4000);
}

/** Puts new children in place and gives the focus back to where it was, by `data-key`. */
export function replaceKeepingFocus(container, children) {
  const active = document.activeElement;
  const key = container.contains(active) ? active?.dataset.key : undefined;
  const typed =
    key !== undefined && active.tagName === 'INPUT' && active.type !== 'checkbox' ? active.value : undefined;
  container.replaceChildren(...children);
  if (key === undefined) return;
  const again = container.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!again) {
    // What had the focus is gone, such as an approved request: the place it was in is the next best.
    container.closest('section')?.focus({ preventScroll: true });
    return;
  }
  again.focus({ preventScroll: true });
  if (typed !== undefined) again.value = typed;
}

/** Organisation numbers are read in groups of three, which stay on one line. */
export const grouped = (orgno) => orgno.replace(/(\d{3})(?=\d)/g, '$1\u00a0');

export const packageCode = (urn) => urn.slice(urn.lastIndexOf(':') + 1);

/** Rights and packages of a request, as one readable list. */
export function demands({ rights = [], accessPackages = [] }) {
  return [
    ...rights.map(({ resource, action }) =>
      h('li', {}, h('code', {}, resource), action && h('span', { class: 'action' }, action)),
    ),
    ...accessPackages.map(({ urn, resources }) =>
      h(
        'li',
        {},
        h('span', { class: 'tag' }, 'package'),
        h('code', {}, packageCode(urn)),
        resources.length > 0 && h('small', {}, ` opens ${resources.join(', ')}`),
      ),
    ),
  ];
}
