/** Tracks on a page: play them, queue them, and mark the one that plays. */
import { albumUrl, artistUrl, genreUrl, pageUrl } from "../api/client.js";
import { named } from "../state/texts.js";
import { byId, closest, inside, whenChanged } from "./elements.js";
import { toast } from "./toasts.js";
/** @import { App } from "../app.js" */
/** @import { Track } from "../state/types.js" */

const LEFT_BEHIND_PX = 40;

/** @param {HTMLElement} holder @returns {Track} */
const trackOf = (holder) => JSON.parse(holder.dataset.track ?? "");
/** @returns {NodeListOf<HTMLElement>} those of the page that can be played */
const holders = () => document.querySelectorAll("#main [data-track]:not(.is-unplayable)");
/** @param {HTMLElement} button @returns {URLSearchParams} what asks for those of the list that the page does not show yet */
function moreOf(button) {
  const more = /** @type {?HTMLAnchorElement} */ (document.querySelector("#main a[data-more]"));
  const cursor = more && new URL(more.href).searchParams.get("cursor");
  return new URLSearchParams(`${button.dataset.list}&limit=100&cursor=${encodeURIComponent(cursor ?? "")}`);
}
/** What a click does: what its button says, or else, on a row, play. @param {HTMLElement} on @param {?HTMLElement} pressed */
const whatOf = (on, pressed) => pressed?.dataset.do ?? (on.matches("li") ? "play" : undefined);
/** @param {Track} track @returns {[string, ?string | undefined][]} the pages that the menu leads to */
const pagesOf = ({ id, artists, album_id, genres }) => [
  ["open", id],
  ["artist", artists?.[0]?.id],
  ["album", album_id],
  ["genre", genres?.[0]?.id],
];
/** @type {Record<string, (id: string) => string>} */
const URLS = { open: pageUrl, artist: artistUrl, album: albumUrl, genre: genreUrl };

/**
 * @param {App} app @param {(url: string) => void} visit
 * @returns {() => void} marks anew, after the page has changed
 */
export function showRows({ player, judgements, opinions }, visit) {
  const menu = byId("menu");
  /** The track that the menu is about, and where it stands. @type {?HTMLElement} */
  let holder = null;
  let openedAt = 0;

  document.addEventListener("click", (event) => {
    const pressed = closest(event, "[data-do]");
    const track = closest(event, "[data-track]");
    if (closest(event, "a")) return;
    if (track && pressed?.dataset.do === "menu") openMenu(pressed, track);
    else if (event.detail > 1) keepPlaying(track, pressed);
    else if (pressed?.dataset.do === "play-for-me") player.playForMe();
    else if (pressed?.dataset.do === "play-all") player.playAll([...holders()].map(trackOf), moreOf(pressed));
    else if (track?.matches("li.is-unplayable")) act("open", track);
    else if (track?.closest("#main")) act(whatOf(track, pressed), track);
  });
  document.addEventListener("mousedown", (event) => {
    // A double click on a row plays; it would select the word under the pointer, too.
    if (event.detail > 1 && closest(event, "#main li[data-track]")) event.preventDefault();
  });
  menu.addEventListener("click", (event) => {
    const pressed = closest(event, "[data-do]");
    if (!pressed || !holder) return;
    menu.hidePopover();
    act(pressed.dataset.do, holder);
  });
  menu.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const items = /** @type {HTMLElement[]} */ ([...menu.children]).filter((item) => !item.hidden);
    items.at((items.findIndex((item) => item === document.activeElement) + step) % items.length)?.focus();
  });
  addEventListener("scroll", () => Math.abs(scrollY - openedAt) > LEFT_BEHIND_PX && menu.hidePopover(), { passive: true });

  /** What `data-do` of a row or of its menu does. @type {Record<string, (track: Track, on: HTMLElement) => unknown>} */
  const actions = {
    play,
    order: (_, on) => player.playList(...listFrom(on)),
    like: (track) => opinions.like(track),
    dislike: (track) => opinions.dislike(track),
    less: (track) => opinions.less(track),
    radio: (track) => player.playLike(track),
    ...Object.fromEntries(Object.keys(URLS).map((page) => [page, (/** @type {Track} */ track) => open(page, track)])),
    next: (track) => (player.playNext(track), toast(`${named(track.title)} plays next.`)),
    add: (track) => (player.add(track), toast(`${named(track.title)} is in the queue.`)),
  };
  /** @param {string | undefined} what @param {HTMLElement} on */
  const act = (what, on) => actions[what ?? ""]?.(trackOf(on), on);

  /** @param {string} page @param {Track} track */
  function open(page, track) {
    const id = new Map(pagesOf(track)).get(page);
    if (id) visit(URLS[page](id));
  }

  /** A track that plays already is paused or goes on. @param {Track} track @param {HTMLElement} on */
  function play(track, on) {
    if (player.track?.id === track.id) {
      player.toggle();
      return;
    }
    const [tracks, index] = listFrom(on);
    player.play(track, tracks.slice(index + 1));
  }

  /** The second click of a double click begins nothing anew, and undoes a pause by the first. @param {?HTMLElement} on @param {?HTMLElement} pressed */
  function keepPlaying(on, pressed) {
    if (!on?.closest("#main") || whatOf(on, pressed) !== "play") return;
    if (player.track?.id === trackOf(on).id && !player.isPlaying) player.toggle();
  }

  /** @param {HTMLElement} button @param {HTMLElement} about */
  function openMenu(button, about) {
    holder = about;
    openedAt = scrollY;
    for (const [page, id] of pagesOf(trackOf(about))) {
      inside(menu, `[data-do=${page}]`).hidden = !id || location.pathname === URLS[page](id);
    }
    for (const item of /** @type {NodeListOf<HTMLElement>} */ (menu.querySelectorAll("[data-plays]"))) {
      item.hidden = about.matches(".is-unplayable");
    }
    inside(menu, "[data-do=order]").hidden ||= !about.closest("#main");
    check();
    menu.showPopover();
    const [box, size] = [button.getBoundingClientRect(), menu.getBoundingClientRect()];
    const hasRoom = box.bottom + size.height < innerHeight - 100;
    menu.style.top = `${Math.max(8, hasRoom ? box.bottom : box.top - size.height)}px`;
    menu.style.left = `${Math.max(8, box.right - size.width)}px`;
    inside(menu, "button:not([hidden])").focus();
  }

  /** Show the judgement of the menu's track, however late the server answers. */
  function check() {
    const judgement = holder && judgements.of(trackOf(holder).id);
    inside(menu, "[data-do=like]").setAttribute("aria-checked", String(judgement === "liked"));
    inside(menu, "[data-do=dislike]").setAttribute("aria-checked", String(judgement === "disliked"));
  }

  /** @param {HTMLElement} on @returns {[Track[], number]} the tracks of the page, and which of them this is */
  function listFrom(on) {
    const all = [...holders()];
    return [all.map(trackOf), all.indexOf(on)];
  }

  function mark() {
    for (const row of holders()) {
      const isCurrent = row.dataset.id === player.track?.id;
      row.classList.toggle("is-current", isCurrent);
      row.classList.toggle("is-playing", isCurrent && player.isPlaying);
    }
  }

  player.addEventListener("change", whenChanged(() => [player.track?.id, player.isPlaying], mark));
  judgements.addEventListener("change", check);
  mark();
  return mark;
}
