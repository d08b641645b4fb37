/** Shows what is wrong with the server, until it is well again or the listener closes the notice. */
import { byId, inside } from "./elements.js";
/** @import { App } from "../app.js" */

const GAP_PX = 14;

/** @param {App} app */
export function showHealth({ health }) {
  const notice = byId("log-notice");
  const text = inside(notice, "span");

  health.addEventListener("change", () => {
    notice.hidden = !health.notice;
    // A screen reader reads every change, so text that stays is not set again.
    if (health.notice && text.textContent !== health.notice) text.textContent = health.notice;
  });
  inside(notice, "button").addEventListener("click", () => health.dismiss());
  // What else is at the edge of the page makes room for it.
  new ResizeObserver(() => {
    const { offsetHeight } = notice;
    document.documentElement.style.setProperty("--notice-room", `${offsetHeight && offsetHeight + GAP_PX}px`);
  }).observe(notice);
}
