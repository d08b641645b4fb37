/** Short words at the edge of the page. */
import { element } from "./elements.js";

const SHOWN_MS = 6000;
const MAX_TOASTS = 3;

/** Say something to those who hear the page, and nobody else; what is said just before is heard too. @param {string} text */
export function announce(text) {
  const list = document.getElementById("announcer");
  list.append(element("p", "", text));
  while (list.children.length > MAX_TOASTS) list.firstElementChild.remove();
}

/** @param {string} text @param {?() => void} undo  what a button takes back */
export function toast(text, undo = null) {
  const list = document.getElementById("toasts");
  const shown = element("div", "toast-word", text);
  if (undo) shown.append(undoButton(() => (shown.remove(), undo())));
  list.append(shown);
  while (list.children.length > MAX_TOASTS) list.firstElementChild.remove();
  setTimeout(() => shown.remove(), SHOWN_MS);
}

function undoButton(act) {
  const button = element("button", "toast-undo", "Undo");
  button.type = "button";
  button.addEventListener("click", act);
  return button;
}
