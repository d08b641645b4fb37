/** Small pieces of page that several views make, and how views find and redraw theirs. */
import { artistUrl } from "../api/client.js";

/**
 * Return an element that every page of the player has.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id @param {new () => T} [type]
 * @returns {T}
 */
export function byId(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof (type ?? HTMLElement))) throw new Error(`the page has no #${id} of the expected type`);
  return /** @type {T} */ (found);
}

/** @template {Element} T @param {T} element @param {string} selector @returns {HTMLElement} what must be inside an element */
export function inside(element, selector) {
  const found = element.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`nothing matches ${selector}`);
  return found;
}

/** @param {Event} event @param {string} selector @returns {?HTMLElement} what an event came from, or what that is in */
export function closest({ target }, selector) {
  const found = target instanceof Element ? target.closest(selector) : null;
  return found instanceof HTMLElement ? found : null;
}

/**
 * Return a function that draws only when what it shows has changed since it last drew.
 * @template {unknown[]} T
 * @param {() => readonly [...T]} read @param {(...now: NoInfer<T>) => void} draw
 * @returns {() => void}
 */
export function whenChanged(read, draw) {
  /** @type {?readonly unknown[]} */
  let shown = null;
  return () => {
    const now = read();
    if (shown && now.every((value, index) => value === shown?.[index])) return;
    shown = now;
    draw(...now);
  };
}

/** @param {string} tag @param {string} className @param {string} text @returns {HTMLElement} */
export function element(tag, className, text = "") {
  return Object.assign(document.createElement(tag), { className, textContent: text });
}

/** Text from tags, which cannot turn the line around it. @param {string} text */
export function bdi(text) {
  return element("bdi", "", text);
}

/** Who a track is by, with links to their pages. @param {import("../state/types.js").Track} track @returns {(Node | string)[]} */
export function byline({ artist, artists }) {
  if (!artists?.length) return [bdi(artist ?? "Unknown artist")];
  return artists.flatMap(({ id, name }, index) => {
    const link = Object.assign(document.createElement("a"), { href: artistUrl(id) });
    link.append(bdi(name));
    return index ? [", ", link] : [link];
  });
}

/** @param {string} className @param {string} what  the value of `data-do` @param {string} label  for screen readers */
export function button(className, what, label = "") {
  const made = document.createElement("button");
  Object.assign(made, { type: "button", className });
  made.dataset.do = what;
  if (label) made.setAttribute("aria-label", label);
  return made;
}

/** @param {"why" | "close" | "more"} name  of an icon @param {string} what @param {string} label */
export function iconButton(name, what, label) {
  const made = button("icon-button", what, label);
  made.innerHTML = `<svg class="icon" aria-hidden="true"><use href="${document.body.dataset.icons}#${name}"></use></svg>`;
  return made;
}
