/** Notices at the edge of the page: that the listener is logged out, and what is wrong with the server. */
import { byId, inside } from "./elements.js";
/** @import { App } from "../app.js" */

const GAP_PX = 14;

/** Show that the listener is logged out, with a link to log in and come back. @param {App} app */
export function showLogin({ delivery }) {
  const notice = byId("logged-out");
  const link = inside(notice, "a");
  const aim = () => link.setAttribute("href", `/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  delivery.addEventListener("change", () => {
    aim();
    notice.hidden = !delivery.isLoggedOut;
  });
  for (const event of ["pointerdown", "focusin"]) notice.addEventListener(event, aim);
}

/** Show what is wrong with the server, until it is well again or the listener closes the notice. @param {App} app */
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
