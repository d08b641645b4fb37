/** Pages are loaded into this page, so that the music goes on. */
import { byId, closest } from "./elements.js";
import { announce, toast } from "./toasts.js";

const MAX_KEPT_PAGES = 20;
const SHOW_LOADING_AFTER_MS = 150;
/** Where a panel lies over the page rather than beside it. */
const COVERS_PAGE = matchMedia("(width < 760px), (width < 1100px) and (pointer: coarse)");

/** @typedef {(url: string, how?: {isReplacing?: boolean, keepsFocus?: boolean}) => Promise<void>} Visit */

/**
 * Lets Back close a panel that covers the page, and Forward open it again: `show` does either, and so does what is returned.
 * @typedef {(show: (isOpen: boolean) => void) => (isOpen: boolean) => void} OverPage
 */

/** @param {() => void} shown  called whenever another page is shown @returns {{visit: Visit, overPage: OverPage}} */
export function navigate(shown) {
  /** Pages as they were left, to show again on the way back. @type {Map<string, {main: HTMLElement, title: string, y: number}>} */
  const kept = new Map();
  const loading = byId("loading");
  let pages = 0;
  // History outlives a reload, so a key names the visit too.
  const newKey = () => `${performance.timeOrigin}-${(pages += 1)}`;
  /** Whether the step of history that we are at is that of the panel; it has the key of the page below. */
  let isCovered = Boolean(history.state?.isCovered);
  let key = isCovered ? history.state.key : newKey();
  let abort = new AbortController();
  /** @type {(isOpen: boolean) => void} */
  let showPanel = () => {};
  history.scrollRestoration = "manual";
  history.replaceState({ key, isCovered }, "");

  document.addEventListener("click", (event) => {
    const link = /** @type {?HTMLAnchorElement} */ (closest(event, "a[href]"));
    if (!link || link.dataset.more !== undefined || !isOurs(event, link)) return;
    event.preventDefault();
    if (link.hash && link.pathname === location.pathname) document.getElementById(link.hash.slice(1))?.focus();
    else visit(link.href);
  });
  addEventListener("popstate", (event) => {
    const before = { key, isCovered };
    isCovered = Boolean(event.state?.isCovered);
    if (isCovered || before.isCovered) showPanel(isCovered);
    if (event.state?.key === before.key) return;
    keep();
    key = event.state?.key ?? newKey();
    const page = kept.get(key);
    abort.abort();
    if (page) show(page.main, page.title, page.y);
    else load(location.href);
  });

  /** @type {Visit} */
  async function visit(url, { isReplacing = false, keepsFocus = false } = {}) {
    const isNew = !isReplacing && new URL(url, location.href).href !== location.href;
    await load(url, { keepsFocus, before: () => remember(url, isNew) });
  }

  /** Another page takes the place of the panel above this one. @param {string} url @param {boolean} isNew */
  function remember(url, isNew) {
    if (isNew || isCovered) {
      keep();
      key = newKey();
    }
    if (isNew && !isCovered) history.pushState({ key }, "", url);
    else history.replaceState({ key }, "", url);
    if (isCovered) showPanel(false);
    isCovered = false;
  }

  /** @type {OverPage} */
  function overPage(show) {
    showPanel = show;
    if (isCovered) show(true);
    return (isOpen) => {
      const wasCovered = isCovered;
      isCovered = isOpen && (isCovered || COVERS_PAGE.matches);
      show(isOpen);
      if (isCovered && !wasCovered) history.pushState({ key, isCovered }, "");
      else if (wasCovered && !isCovered) history.back();
    };
  }

  function keep() {
    document.querySelector("#main .made")?.remove(); // a secret is shown once
    kept.delete(key);
    kept.set(key, { main: byId("main"), title: document.title, y: scrollY });
    const [oldest] = kept.keys();
    if (kept.size > MAX_KEPT_PAGES) kept.delete(oldest);
  }

  /** @param {string} url @param {{keepsFocus?: boolean, before?: () => void}} how */
  async function load(url, { keepsFocus = false, before = () => {} } = {}) {
    abort.abort();
    abort = new AbortController();
    const { signal } = abort;
    const timer = setTimeout(() => (loading.hidden = false), SHOW_LOADING_AFTER_MS);
    try {
      const response = await fetch(url, { signal, headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const main = page.getElementById("main");
      if (signal.aborted) return;
      if (!main || isOfOtherVersion(page) || isOfOtherListener(page, response)) {
        location.assign(url);
        return;
      }
      before();
      show(document.adoptNode(main), page.title, 0, keepsFocus);
    } catch (error) {
      if (/** @type {Error} */ (error).name !== "AbortError") toast("soundalike cannot be reached. Is it still running?");
    } finally {
      clearTimeout(timer);
      if (!signal.aborted) loading.hidden = true;
    }
  }

  /** @param {HTMLElement} main @param {string} title @param {number} y */
  function show(main, title, y, keepsFocus = false) {
    byId("main").replaceWith(main);
    document.title = title;
    loading.hidden = true;
    if (!keepsFocus) main.focus({ preventScroll: true });
    scrollTo({ top: y, behavior: "instant" });
    announce(title);
    shown();
  }

  return { visit, overPage };
}

/** Whether a click on a link is for us to follow. @param {MouseEvent} event @param {HTMLAnchorElement} link */
function isOurs(event, link) {
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  const isPage = !link.pathname.startsWith("/api/") && !link.pathname.startsWith("/static/");
  return isPlain && isPage && link.origin === location.origin && !link.target && !event.defaultPrevented;
}

/** Whether another listener logged in meanwhile, or one has to: then the whole page is loaded. @param {Document} page @param {Response} response */
function isOfOtherListener(page, response) {
  const { user } = page.body.dataset;
  return new URL(response.url).pathname === "/login" || (Boolean(user) && user !== document.body.dataset.user);
}

/** @param {Document} page */
function isOfOtherVersion(page) {
  return page.body.dataset.icons !== document.body.dataset.icons;
}
