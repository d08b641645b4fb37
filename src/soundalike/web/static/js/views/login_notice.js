/** Shows that the listener is logged out, with a link to log in and come back. */
import { byId, inside } from "./elements.js";
/** @import { App } from "../app.js" */

/** @param {App} app */
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
