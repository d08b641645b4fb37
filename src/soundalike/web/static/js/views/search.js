/** Search as you type, sorting, and more of a list as its end comes near. */
import { byId, closest } from "./elements.js";
/** @import { Visit } from "./navigation.js" */

const WAIT_MS = 150;

/** Only the page of the library can be sorted. @returns {?HTMLSelectElement} */
const sorting = () => document.querySelector("select#sort");
/** @returns {NodeListOf<HTMLAnchorElement>} */
const moreLinks = (page = document) => page.querySelectorAll("a[data-more]");

/**
 * @param {Visit} visit
 * @param {() => void} changed  called when the page got more rows
 * @returns {() => void} to call when another page is shown
 */
export function showSearch(visit, changed) {
  const form = byId("search", HTMLFormElement);
  const input = /** @type {HTMLInputElement} */ (form.elements.namedItem("query"));
  let timer = 0;
  const nearing = new IntersectionObserver(
    (seen) => seen.filter((one) => one.isIntersecting).forEach((one) => showMore(/** @type {HTMLAnchorElement} */ (one.target))),
    { rootMargin: "600px" },
  );

  function search() {
    clearTimeout(timer);
    const sort = sorting()?.value;
    // A search is one step of history, however many letters it takes.
    const isReplacing = location.pathname === "/" && new URLSearchParams(location.search).has("query");
    visit(address(input.value.trim(), sort), { isReplacing, keepsFocus: true });
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, WAIT_MS);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    if (!input.value) {
      input.blur();
      return;
    }
    input.value = "";
    search();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
  document.addEventListener("change", (event) => {
    if (event.target !== sorting()) return;
    visit(address(input.value.trim(), sorting()?.value), { keepsFocus: true }).then(() => sorting()?.focus({ preventScroll: true }));
  });
  document.addEventListener("click", (event) => {
    const more = /** @type {?HTMLAnchorElement} */ (closest(event, "a[data-more]"));
    if (!more || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    showMore(more);
  });

  function shown() {
    const parameters = new URLSearchParams(location.search);
    const sort = sorting();
    if (document.activeElement !== input) input.value = parameters.get("query") ?? "";
    if (sort) sort.value = parameters.get("sort") ?? "title"; // going back shows a page as it was left
    nearing.disconnect();
    moreLinks().forEach((more) => nearing.observe(more));
  }

  /** @param {HTMLAnchorElement} more */
  async function showMore(more) {
    if (more.dataset.isLoading) return;
    more.dataset.isLoading = "true";
    nearing.unobserve(more);
    try {
      const response = await fetch(more.href, { headers: { Accept: "text/html" } });
      if (!response.ok) throw new Error(response.statusText);
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const rows = page.querySelectorAll("#tracks > li");
      if (!more.isConnected) return;
      byId("tracks").append(...rows);
      const [after] = moreLinks(page);
      if (after) more.replaceWith(document.adoptNode(after));
      else more.remove();
      shown();
      changed();
    } catch {
      delete more.dataset.isLoading;
    }
  }

  shown();
  return shown;
}

/** @param {string} query @param {string} [sort] */
function address(query, sort) {
  const parameters = new URLSearchParams();
  if (query) parameters.set("query", query);
  if (sort && sort !== "title") parameters.set("sort", sort);
  const text = parameters.toString();
  return text ? `/?${text}` : "/";
}
