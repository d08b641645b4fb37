/** Keyboard shortcuts. No key is taken from a field or button that needs it. */
import { byId } from "./elements.js";
/** @import { App } from "../app.js" */

const STEP_S = 5;
const VOLUME_STEP = 0.05;

/** @param {App} app @param {{toggleQueue: () => void, explain: () => void}} views */
export function listenToKeys({ player, opinions }, { toggleQueue, explain }) {
  const help = byId("help", HTMLDialogElement);
  /** Whether the listener moves by Tab: a click and the key for the queue leave the focus on a button that nobody chose. */
  let isTabbing = true;
  const search = /** @type {HTMLInputElement} */ (byId("search", HTMLFormElement).elements.namedItem("query"));
  /** @type {Record<string, () => unknown>} */
  const keys = {
    " ": () => player.toggle(),
    ArrowLeft: () => player.seek(player.position - STEP_S),
    ArrowRight: () => player.seek(player.position + STEP_S),
    n: () => player.next(),
    p: () => player.previous(),
    l: () => player.track && opinions.like(player.track),
    d: () => player.track && opinions.dislike(player.track),
    x: () => player.track && opinions.less(player.track),
    w: explain,
    m: () => player.toggleMute(),
    q: () => {
      isTabbing = false;
      toggleQueue();
    },
    "/": () => search.select(),
    "?": () => help.showModal(),
    "shift+ArrowUp": () => player.setVolume(player.volume + VOLUME_STEP),
    "shift+ArrowDown": () => player.setVolume(player.volume - VOLUME_STEP),
  };

  addEventListener("pointerdown", () => (isTabbing = false), { capture: true });
  // Where Tab leads into the page from the browser's own buttons, only its release is seen.
  for (const event of /** @type {const} */ (["keydown", "keyup"])) {
    addEventListener(event, ({ key, ctrlKey }) => key === "Tab" && !ctrlKey && (isTabbing = true), { capture: true });
  }
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const shifted = event.shiftKey ? keys[`shift+${event.key}`] : undefined;
    const action = shifted ?? keys[event.key] ?? keys[event.key.toLowerCase()];
    if (!action || isNeeded(event, isTabbing)) return;
    event.preventDefault();
    // A key that is held down acts once, except for the arrows.
    if (!event.repeat || event.key.startsWith("Arrow")) action();
  });
  // Some versions of Firefox press a button when space is released, though we took it when it went down.
  addEventListener("keyup", (event) => event.key === " " && !isNeeded(event, isTabbing) && event.preventDefault());
}

/** Whether what has the focus needs the key. @param {KeyboardEvent} event @param {boolean} isTabbing */
function isNeeded({ target, key }, isTabbing) {
  if (!(target instanceof Element)) return false;
  if (target.matches("input:not([type=range]), textarea, select") || target.closest("dialog, [popover]")) return true;
  if (target.matches("input[type=range]")) return key.startsWith("Arrow") && target.id !== "seek";
  return key === " " && isTabbing && target.matches("button, summary");
}
