/** The queue: what plays, what comes next and why, and out with it. */
import { coverUrl } from "../api/client.js";
import { bdi, element, iconButton, named } from "./elements.js";
import { announce } from "./toasts.js";

const at = (id) => document.getElementById(id);

/**
 * @param {import("../state/player.js").Player} player
 * @param {(entry: import("../state/queue.js").Entry) => void} explain
 * @returns {() => void} opens or closes it
 */
export function showPanel(player, explain) {
  const [panel, button, list] = ["queue", "queue-button", "queue-list"].map(at);
  /** An entry keeps its line, so that a line that is new can be seen to be. @type {WeakMap<object, HTMLElement>} */
  let lines = new WeakMap();
  let nextId = player.queue.upcoming[0]?.track.id;

  function toggle(isOpen = panel.hidden) {
    panel.hidden = !isOpen;
    button.setAttribute("aria-expanded", String(isOpen));
    document.body.classList.toggle("has-queue", isOpen);
    if (isOpen) {
      show();
      at("queue-close").focus();
    } else if (panel.contains(document.activeElement) || document.activeElement === document.body) {
      button.focus();
    }
  }

  button.addEventListener("click", () => toggle());
  at("queue-close").addEventListener("click", () => {
    toggle(false);
    button.focus();
  });
  panel.addEventListener("keydown", (event) => event.key === "Escape" && toggle(false));
  at("queue-clear").addEventListener("click", () => player.clear());
  at("queue-go-on").addEventListener("click", () => (player.track ? player.goOn() : player.playForMe()));
  at("radio-stop").addEventListener("click", () => player.goOn());
  list.addEventListener("click", (event) => {
    const pressed = event.target.closest("button");
    const index = Number(pressed?.closest("li").dataset.index);
    if (!pressed) return;
    if (pressed.dataset.do === "remove") remove(index);
    else if (pressed.dataset.do === "why") explain(player.queue.entries[index]);
    else player.jump(index);
  });

  function remove(index) {
    const entry = player.queue.entries[index];
    player.queue.remove(index);
    if (entry?.reason) player.guide.refuse(entry.track);
    player.changed();
    const left = list.querySelectorAll("[data-do=remove]");
    (left[Math.min(index - player.queue.index - 1, left.length - 1)] ?? at("queue-close")).focus();
  }

  function show() {
    const { entries, index, upcoming } = player.queue;
    const { mode, seed, note } = player.guide;
    announceNext(upcoming[0]?.track);
    if (panel.hidden) {
      lines = new WeakMap();
      list.replaceChildren();
      return;
    }
    at("queue-radio").hidden = mode !== "like";
    if (mode === "like") at("queue-radio").querySelector("bdi").textContent = seed.title;
    at("queue-note").hidden = !note;
    at("queue-note").textContent = note ?? "";
    at("queue-empty").hidden = upcoming.length > 0;
    at("queue-go-on").hidden = upcoming.length > 0 || Boolean(mode);
    at("queue-clear").disabled = !upcoming.length && !mode;
    const first = Math.max(0, index);
    showLines(entries.slice(first).map((entry, place) => lineOf(entry, first + place)));
  }

  /** Put lines where they belong, moving none that is there already, so that focus and motion stay with them. */
  function showLines(wanted) {
    const isFirstTime = !list.children.length;
    const kept = new Set(wanted);
    const focused = document.activeElement?.closest?.("#queue-list li");
    const place = [...list.children].indexOf(focused);
    for (const line of [...list.children]) if (!kept.has(line)) line.remove();
    wanted.forEach((line, position) => {
      if (list.children[position] === line) return;
      line.classList.toggle("is-new", !isFirstTime && !line.isConnected);
      list.insertBefore(line, list.children[position] ?? null);
    });
    if (focused && !focused.isConnected) (list.children[place] ?? list.lastElementChild)?.querySelector("button").focus();
  }

  function lineOf(entry, index) {
    if (!lines.has(entry)) lines.set(entry, newLine(entry.track));
    const line = lines.get(entry);
    const isCurrent = index === player.queue.index;
    const [jump, why, remover] = line.querySelectorAll("button");
    const reason = line.querySelector(".queue-reason");
    line.dataset.index = String(index);
    line.classList.toggle("is-current", isCurrent);
    if (isCurrent) jump.setAttribute("aria-current", "true");
    else jump.removeAttribute("aria-current");
    reason.hidden = !entry.reason;
    if (reason.textContent !== (entry.reason?.text ?? "")) reason.textContent = entry.reason?.text ?? "";
    why.hidden = !entry.reason;
    remover.hidden = isCurrent;
    return line;
  }

  function announceNext(track) {
    if (nextId === track?.id) return;
    nextId = track?.id;
    if (track) announce(`Next: ${named(track.title)} by ${named(track.artist ?? "unknown artist")}.`);
  }

  list.addEventListener("animationend", (event) => event.target.classList.remove("is-new"));
  player.addEventListener("change", show);
  return toggle;
}

function newLine(track) {
  const line = element("li", "queue-line");
  const cover = element("img", "queue-cover");
  Object.assign(cover, { src: coverUrl(track.id), alt: "", loading: "lazy", width: 40, height: 40 });
  const names = element("span", "track-names");
  names.append(element("span", "track-title"), element("span", "track-artist"), element("span", "queue-reason"));
  names.children[0].append(bdi(track.title));
  names.children[1].append(bdi(track.artist ?? "Unknown artist"));
  const jump = element("button", "queue-jump");
  jump.type = "button";
  jump.append(cover, names);
  line.append(jump);
  line.append(iconButton("why", "why", `Why ${named(track.title)}?`));
  line.append(iconButton("close", "remove", `Remove ${named(track.title)} from the queue`));
  return line;
}
