/** Search as you type, sorting, and more of a list as its end comes near. */

const WAIT_MS = 150;

/** @param {(url: string, how?: object) => Promise<void>} visit @returns {() => void} to call when another page is shown */
export function showSearch(visit) {
  const form = document.getElementById("search");
  const input = form.elements.query;
  let timer = 0;
  const nearing = new IntersectionObserver(
    (seen) => seen.filter((one) => one.isIntersecting).forEach((one) => showMore(one.target)),
    { rootMargin: "600px" },
  );

  function search() {
    clearTimeout(timer);
    const sort = document.getElementById("sort")?.value;
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
    if (event.target.id === "sort") {
      visit(address(input.value.trim(), event.target.value), { keepsFocus: true }).then(() =>
        document.getElementById("sort")?.focus({ preventScroll: true }),
      );
    }
  });
  document.addEventListener("click", (event) => {
    const more = event.target.closest("a[data-more]");
    if (!more || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    showMore(more);
  });

  function shown() {
    const parameters = new URLSearchParams(location.search);
    const sort = document.getElementById("sort");
    if (document.activeElement !== input) input.value = parameters.get("query") ?? "";
    if (sort) sort.value = parameters.get("sort") ?? "title"; // a page gone back to holds what was chosen since
    nearing.disconnect();
    document.querySelectorAll("a[data-more]").forEach((more) => nearing.observe(more));
  }

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
      document.getElementById("tracks").append(...rows);
      const after = page.querySelector("a[data-more]");
      if (after) more.replaceWith(document.adoptNode(after));
      else more.remove();
      shown();
      document.dispatchEvent(new Event("rows"));
    } catch {
      delete more.dataset.isLoading;
    }
  }

  shown();
  return shown;
}

function address(query, sort) {
  const parameters = new URLSearchParams();
  if (query) parameters.set("query", query);
  if (sort && sort !== "title") parameters.set("sort", sort);
  const text = parameters.toString();
  return text ? `/?${text}` : "/";
}
