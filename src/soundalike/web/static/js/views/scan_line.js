/** The line that says how far a scan is; the list below it follows the library. */
import { byId, closest, inside, whenChanged } from "./elements.js";
/** @import { App } from "../app.js" */
/** @import { Visit } from "./navigation.js" */

const NEAR_TOP_PX = 160;
const LISTS = "#main :is(.tracks, [data-scan=empty])";

/** @param {App} app @param {Visit} visit @returns {() => void} what to call whenever another page is shown */
export function showScan({ scans }, visit) {
  const line = byId("scan");
  const [text, bar, act, news] = ["span", "progress", "[data-do=toggle-scan]", "[data-do=show-news]"].map((part) => inside(line, part));
  let hasNews = false;

  const draw = whenChanged(
    () => [scans.text, scans.share, scans.action, hasNews],
    (said, share, action, isNew) => {
      line.hidden = !said && !isNew;
      text.textContent = said || "The library has changed.";
      bar.hidden = share === null;
      if (share !== null) /** @type {HTMLProgressElement} */ (bar).value = share;
      act.hidden = !action;
      act.textContent = action === "resume" ? "Resume" : "Pause";
      news.hidden = !isNew;
    },
  );
  const drawPage = () => {
    for (const place of document.querySelectorAll("[data-scan=last]")) place.textContent = scans.lastText;
    for (const place of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-scan=busy]"))) place.hidden = !scans.isBusy;
    for (const place of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-scan=idle]"))) place.hidden = scans.isBusy;
  };
  const renew = () => visit(location.href, { isReplacing: true, keepsFocus: true });

  scans.addEventListener("change", () => {
    draw();
    drawPage();
    // The first tracks appear on the page that has none.
    if (document.querySelector("[data-scan=empty]") && scans.scan?.done) renew();
  });
  scans.addEventListener("library", () => {
    if (!document.querySelector(LISTS)) return; // The next list is a new one.
    if (isUndisturbed()) renew();
    else hasNews = true;
    draw();
  });
  document.addEventListener("click", (event) => {
    if (closest(event, "[data-do=scan-now]")) scans.want();
    else if (closest(event, "[data-do=toggle-scan]")) scans.toggle();
    else if (closest(event, "[data-do=show-news]")) renew();
  });
  return () => {
    hasNews = false;
    draw();
    drawPage();
  };
}

/** Whether nobody has scrolled the page or works in it. */
function isUndisturbed() {
  const main = byId("main");
  const isBusy = document.querySelector("dialog[open], :popover-open") || (main !== document.activeElement && main.contains(document.activeElement));
  return !isBusy && scrollY < NEAR_TOP_PX;
}
