/** Short messages at the edge of the page. */
import { SHOWN_MS } from "../state/texts.js";
import { button, byId, element } from "./elements.js";

const MAX_SHOWN = 3;

/** Say something to screen readers only; what was said just before is read too. @param {string} text */
export function announce(text) {
  append(byId("announcer"), element("p", "", text));
}

/** @param {string} text @param {() => unknown} [undo]  what a button takes back */
export function toast(text, undo) {
  const shown = element("div", "toast-word", text);
  if (undo) {
    const undoing = button("toast-undo", "undo");
    undoing.textContent = "Undo";
    undoing.addEventListener("click", () => (shown.remove(), undo()));
    shown.append(undoing);
  }
  append(byId("toasts"), shown);
  setTimeout(() => shown.remove(), SHOWN_MS);
}

/** @param {HTMLElement} list @param {HTMLElement} line */
function append(list, line) {
  list.append(line);
  while (list.children.length > MAX_SHOWN) list.firstElementChild?.remove();
}
