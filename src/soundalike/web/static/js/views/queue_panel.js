/** The queue: what plays, what comes next and why, with buttons to change it. */
import { coverUrl } from "../api/client.js";
import { named } from "../state/texts.js";
import { bdi, button, byId, closest, element, iconButton, inside, whenChanged } from "./elements.js";
import { announce } from "./toasts.js";
/** @import { App } from "../app.js" */
/** @import { OverPage } from "./navigation.js" */
/** @import { QueueEntry, Track } from "../state/types.js" */

/**
 * @param {App} app @param {(entry: QueueEntry) => void} explain @param {OverPage} overPage
 * @returns {() => void} opens or closes it
 */
export function showQueue({ player, queue, autoQueue }, explain, overPage) {
  const [panel, opener, closer, list] = ["queue", "queue-button", "queue-close", "queue-list"].map((id) => byId(id));
  /** An entry keeps its line, so that a new line can be told from one that stays. @type {WeakMap<QueueEntry, HTMLElement>} */
  let lines = new WeakMap();
  let nextId = queue.upcoming[0]?.track.id;

  /** @param {boolean} isOpen */
  function setOpen(isOpen) {
    panel.hidden = !isOpen;
    opener.setAttribute("aria-expanded", String(isOpen));
    document.body.classList.toggle("has-queue", isOpen);
    if (isOpen) {
      show();
      closer.focus();
    } else if (panel.contains(document.activeElement) || document.activeElement === document.body) {
      opener.focus();
    }
  }

  opener.addEventListener("click", () => toggle());
  closer.addEventListener("click", () => {
    open(false);
    opener.focus();
  });
  panel.addEventListener("keydown", (event) => event.key === "Escape" && open(false));
  byId("queue-clear").addEventListener("click", () => player.clear());
  byId("queue-go-on").addEventListener("click", () => (player.track ? player.goOn() : player.playForMe()));
  byId("radio-stop").addEventListener("click", () => player.goOn());
  list.addEventListener("click", (event) => {
    const pressed = closest(event, "button");
    const index = Number(closest(event, "li")?.dataset.index);
    if (!pressed || pressed.dataset.do === "menu") return;
    if (pressed.dataset.do === "remove") remove(index);
    else if (pressed.dataset.do === "why") explain(queue.entries[index]);
    else if (event.detail < 2) player.jump(index); // by the second click of a double click, the lines have moved
  });
  list.addEventListener("animationend", (event) => closest(event, "li")?.classList.remove("is-new"));

  /** @param {number} index */
  function remove(index) {
    player.remove(index);
    /** @type {NodeListOf<HTMLElement>} */
    const left = list.querySelectorAll("[data-do=remove]");
    (left[Math.min(index - queue.index - 1, left.length - 1)] ?? closer).focus();
  }

  const showHead = whenChanged(() => [autoQueue.mode, autoQueue.seed, autoQueue.note, queue.upcoming.length > 0], (mode, seed, note, hasNext) => {
    byId("queue-radio").hidden = mode !== "like";
    inside(byId("queue-radio"), "bdi").textContent = seed?.title ?? "";
    byId("queue-note").hidden = !note;
    byId("queue-note").textContent = note ?? "";
    byId("queue-empty").hidden = hasNext;
    byId("queue-go-on").hidden = hasNext || Boolean(mode);
    byId("queue-clear", HTMLButtonElement).disabled = !hasNext && !mode;
  });

  const showEntries = whenChanged(() => [panel.hidden, queue.entries, queue.index], (isHidden, entries, index) => {
    const first = Math.max(0, index);
    if (isHidden) lines = new WeakMap();
    if (isHidden) list.replaceChildren();
    else place(entries.slice(first).map((entry, offset) => lineOf(entry, first + offset)));
  });

  function announceNext() {
    const track = queue.upcoming[0]?.track;
    if (nextId === track?.id) return;
    nextId = track?.id;
    if (track) announce(`Next: ${named(track.title)} by ${named(track.artist ?? "unknown artist")}.`);
  }

  /** Put lines in order and move none that is in its place, so that focus and motion stay with them. @param {HTMLElement[]} wanted */
  function place(wanted) {
    const isFirstTime = !list.children.length;
    const kept = new Set(wanted);
    const focused = document.activeElement?.closest("#queue-list li");
    const position = focused ? [...list.children].indexOf(focused) : -1;
    for (const line of /** @type {HTMLElement[]} */ ([...list.children])) if (!kept.has(line)) line.remove();
    wanted.forEach((line, at) => {
      if (list.children[at] === line) return;
      line.classList.toggle("is-new", !isFirstTime && !line.isConnected);
      list.insertBefore(line, list.children[at] ?? null);
    });
    const line = list.children[position] ?? list.lastElementChild;
    if (focused && !focused.isConnected && line) inside(line, "button").focus();
  }

  /** @param {QueueEntry} entry @param {number} index */
  function lineOf(entry, index) {
    const line = lines.get(entry) ?? newLine(entry.track);
    lines.set(entry, line);
    const isCurrent = index === queue.index;
    const [jump, , why, remover] = line.querySelectorAll("button");
    const reason = inside(line, ".queue-reason");
    const text = entry.reason?.text ?? "";
    line.dataset.index = String(index);
    line.classList.toggle("is-current", isCurrent);
    if (isCurrent) jump.setAttribute("aria-current", "true");
    else jump.removeAttribute("aria-current");
    reason.hidden = !entry.reason;
    if (reason.textContent !== text) reason.textContent = text;
    why.hidden = !entry.reason;
    remover.hidden = isCurrent;
    return line;
  }

  function show() {
    announceNext();
    showEntries();
    if (!panel.hidden) showHead();
  }

  player.addEventListener("change", show);
  const open = overPage(setOpen);
  const toggle = () => open(panel.hidden);
  return toggle;
}

/** @param {Track} track */
function newLine(track) {
  const line = element("li", "queue-line");
  const cover = element("img", "queue-cover");
  Object.assign(cover, { src: coverUrl(track.id), alt: "", loading: "lazy", width: 40, height: 40 });
  const [names, title, artist] = ["track-names", "track-title", "track-artist"].map((name) => element("span", name));
  title.append(bdi(track.title));
  artist.append(bdi(track.artist ?? "Unknown artist"));
  names.append(title, artist, element("span", "queue-reason"));
  const jump = button("queue-jump", "jump");
  jump.append(cover, names);
  line.append(jump);
  line.dataset.track = JSON.stringify(track);
  line.append(iconButton("more", "menu", `More for ${named(track.title)}`));
  line.append(iconButton("why", "why", `Why ${named(track.title)}?`));
  line.append(iconButton("close", "remove", `Remove ${named(track.title)} from the queue`));
  return line;
}
