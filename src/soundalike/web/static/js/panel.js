/** The queue: what plays, what comes next, and out with it. */
import { coverUrl } from "./api.js";
import { bdi, element, icon, named } from "./text.js";

const at = (id) => document.getElementById(id);

/** @param {import("./player.js").Player} player @returns {() => void} opens or closes it */
export function showPanel(player) {
  const [panel, button, list] = ["queue", "queue-button", "queue-list"].map(at);

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
  at("queue-clear").addEventListener("click", () => {
    player.radio.stop();
    player.queue.clear();
    player.changed();
  });
  at("radio-stop").addEventListener("click", () => player.stopRadio());
  list.addEventListener("click", (event) => {
    const pressed = event.target.closest("button");
    const index = Number(pressed?.closest("li").dataset.index);
    if (!pressed) return;
    if (pressed.dataset.do === "remove") remove(index);
    else player.jump(index);
  });

  function remove(index) {
    player.queue.remove(index);
    player.changed();
    const left = list.querySelectorAll("[data-do=remove]");
    (left[Math.min(index - player.queue.index - 1, left.length - 1)] ?? at("queue-close")).focus();
  }

  function show() {
    if (panel.hidden) return;
    const { entries, index } = player.queue;
    const { seed } = player.radio;
    at("queue-radio").hidden = !seed;
    if (seed) at("queue-radio").querySelector("bdi").textContent = seed.title;
    at("queue-empty").hidden = index + 1 < entries.length;
    at("queue-clear").disabled = index + 1 >= entries.length && !seed;
    const focused = document.activeElement?.closest?.("#queue-list li")?.dataset.index;
    list.replaceChildren(...entries.slice(Math.max(0, index)).map((entry, place) => line(entry.track, Math.max(0, index) + place)));
    if (focused) list.querySelector(`[data-index="${focused}"] button`)?.focus();
  }

  function line(track, index) {
    const isCurrent = index === player.queue.index;
    const item = element("li", isCurrent ? "queue-line is-current" : "queue-line");
    item.dataset.index = String(index);
    const cover = element("img", "queue-cover");
    Object.assign(cover, { src: coverUrl(track.id), alt: "", loading: "lazy", width: 40, height: 40 });
    const names = element("span", "track-names");
    names.append(element("span", "track-title"), element("span", "track-artist"));
    names.firstChild.append(bdi(track.title));
    names.lastChild.append(bdi(track.artist ?? "Unknown artist"));
    const jump = element("button", "queue-jump");
    jump.type = "button";
    jump.append(cover, names);
    if (isCurrent) jump.setAttribute("aria-current", "true");
    item.append(jump);
    if (!isCurrent) item.append(remover(track));
    return item;
  }

  player.addEventListener("change", show);
  return toggle;
}

function remover(track) {
  const button = element("button", "icon-button");
  button.type = "button";
  button.dataset.do = "remove";
  button.setAttribute("aria-label", `Remove ${named(track.title)} from the queue`);
  button.append(icon("close"));
  return button;
}
