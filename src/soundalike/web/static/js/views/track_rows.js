/** Tracks on a page: play them, queue them, and mark the one that plays. */
import { pageUrl } from "../api/client.js";
import { toast } from "./toasts.js";
import { named } from "./elements.js";

const LEFT_BEHIND_PX = 40;

const trackOf = (holder) => JSON.parse(holder.dataset.track);

/**
 * @param {import("../state/player.js").Player} player
 * @param {import("../state/opinions.js").Opinions} opinions
 * @param {(url: string) => void} visit
 * @returns {() => void} marks anew
 */
export function showRows(player, opinions, visit) {
  const menu = document.getElementById("menu");
  let opener = null;
  let openedAt = 0;

  document.getElementById("main").parentElement.addEventListener("click", (event) => {
    if (event.target.closest("[data-do=play-for-me]")) player.playForMe();
    const holder = event.target.closest("[data-track]");
    if (!holder || event.target.closest("a")) return;
    const pressed = event.target.closest("[data-do]");
    if (pressed?.dataset.do === "menu") openMenu(pressed);
    else act(pressed?.dataset.do ?? (holder.matches("li") ? "play" : ""), holder);
  });

  menu.addEventListener("click", (event) => {
    const pressed = event.target.closest("[data-do]");
    if (!pressed || !opener) return;
    menu.hidePopover();
    act(pressed.dataset.do, opener.closest("[data-track]"));
  });
  menu.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const items = [...menu.children].filter((item) => !item.hidden);
    items.at((items.indexOf(document.activeElement) + step) % items.length).focus();
  });
  addEventListener("scroll", () => Math.abs(scrollY - openedAt) > LEFT_BEHIND_PX && menu.hidePopover(), { passive: true });

  function act(what, holder) {
    const track = trackOf(holder);
    if (what === "play") play(track, holder);
    else if (what === "order") player.playList(...listFrom(holder));
    else if (what === "like") opinions.like(track);
    else if (what === "dislike") opinions.dislike(track);
    else if (what === "less") opinions.less(track);
    else if (what === "radio") player.playLike(track);
    else if (what === "open") visit(pageUrl(track.id));
    else if (what === "next") tell(track, "plays next", () => player.playNext(track));
    else if (what === "add") tell(track, "is in the queue", () => player.add(track));
  }

  function tell(track, what, put) {
    put();
    toast(`${named(track.title)} ${what}.`);
  }

  /** The one that plays already is paused or goes on. */
  function play(track, holder) {
    if (player.track?.id === track.id) {
      player.toggle();
      return;
    }
    const [tracks, index] = listFrom(holder);
    player.play(track, tracks.slice(index + 1));
  }

  function openMenu(button) {
    opener = button;
    openedAt = scrollY;
    const { id } = trackOf(button.closest("[data-track]"));
    menu.querySelector("[data-do=open]").hidden = location.pathname === pageUrl(id);
    check();
    menu.showPopover();
    const [box, size] = [button.getBoundingClientRect(), menu.getBoundingClientRect()];
    const hasRoom = box.bottom + size.height < innerHeight - 100;
    menu.style.top = `${Math.max(8, hasRoom ? box.bottom : box.top - size.height)}px`;
    menu.style.left = `${Math.max(8, box.right - size.width)}px`;
    menu.firstElementChild.focus();
  }

  /** Show what is thought of the track that the menu is about, however late the server says so. */
  function check() {
    const { id } = trackOf(opener.closest("[data-track]"));
    for (const [what, kind] of [["like", "liked"], ["dislike", "disliked"]]) {
      menu.querySelector(`[data-do=${what}]`).setAttribute("aria-checked", String(opinions.judgements.of(id) === kind));
    }
  }

  function listFrom(holder) {
    const holders = [...document.querySelectorAll("[data-track]")];
    return [holders.map(trackOf), holders.indexOf(holder)];
  }

  function mark() {
    for (const holder of document.querySelectorAll("[data-track]")) {
      const isCurrent = holder.dataset.id === player.track?.id;
      holder.classList.toggle("is-current", isCurrent);
      holder.classList.toggle("is-playing", isCurrent && player.isWanted);
    }
  }

  player.addEventListener("change", mark);
  opinions.judgements.addEventListener("change", () => opener && check());
  mark();
  return mark;
}
