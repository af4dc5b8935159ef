/** Small helpers around the DOM. Text is only ever set as text. */

/**
 * A new element.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string | boolean>} [attributes] true sets an empty one, false none
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/**
 * The element with an id.
 *
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function byId(id, type) {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`no ${type.name} is called #${id}`);
  return element;
}

/** Set the text, if it is another; screen readers are told of every change. @param {Node} node @param {string} text */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Make what is shown look like `wanted`, and touch only what differs: a button that somebody is
 * about to press stays the same one, and keeps the focus. It keeps its listeners too, so what it
 * does has to stay the same.
 *
 * @template {ChildNode} T
 * @param {T} shown
 * @param {T} wanted
 * @returns {T} what is shown now
 */
export function renew(shown, wanted) {
  if (shown.isEqualNode(wanted)) return shown;
  const [parts, others] = [[...shown.childNodes], [...wanted.childNodes]];
  if (parts.length !== others.length || !renewAttributes(shown, wanted)) {
    shown.replaceWith(wanted);
    return wanted;
  }
  for (const [place, part] of parts.entries()) renew(part, others[place]);
  return shown;
}

/** @param {Node} shown @param {Node} wanted @returns {boolean} false for two of different kinds */
function renewAttributes(shown, wanted) {
  if (!(shown instanceof Element && wanted instanceof Element)) return false;
  if (shown.nodeName !== wanted.nodeName) return false;
  for (const name of shown.getAttributeNames()) {
    if (!wanted.hasAttribute(name)) shown.removeAttribute(name);
  }
  for (const { name, value } of wanted.attributes) {
    if (shown.getAttribute(name) !== value) shown.setAttribute(name, value);
  }
  return true;
}

/**
 * The same for a list whose items come, go and change.
 *
 * @param {HTMLElement} list
 * @param {HTMLElement[]} wanted
 * @param {(item: HTMLElement) => string | undefined} keyOf tells the items of a list apart
 */
export function renewItems(list, wanted, keyOf) {
  const items = [...list.children].filter((item) => item instanceof HTMLElement);
  const shown = new Map(items.map((item) => [keyOf(item), item]));
  const kept = new Set(wanted.map(keyOf));
  for (const item of items) if (!kept.has(keyOf(item))) item.remove();
  for (const [place, item] of wanted.entries()) {
    const old = shown.get(keyOf(item));
    const now = old ? renew(old, item) : item;
    if (list.children[place] !== now) list.insertBefore(now, list.children[place] ?? null);
  }
}

/**
 * Styles that only a part of the page needs.
 *
 * @param {string} href
 * @returns {Promise<void>} when they hold
 */
export function loadStyle(href) {
  if (document.querySelector(`link[href="${href}"]`)) return Promise.resolve();
  const link = h("link", { rel: "stylesheet", href });
  return new Promise((resolve, reject) => {
    link.addEventListener("load", () => resolve());
    link.addEventListener("error", () => {
      link.remove(); // the next time asks again
      reject(new Error(`${href} could not be loaded`));
    });
    document.head.append(link);
  });
}

/**
 * Put text on the clipboard, and say so on the button for a moment.
 *
 * @param {HTMLElement} button
 * @param {string | Promise<string>} text
 */
export async function copyFrom(button, text) {
  try {
    await navigator.clipboard.writeText(await text);
    button.dataset.copied = "yes";
  } catch {
    button.dataset.copied = "no";
  }
  setTimeout(() => delete button.dataset.copied, 1200);
}
