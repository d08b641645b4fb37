/** Says that the server knows us no longer, and leads to where that can be changed. */

/** @param {import("../state/delivery.js").Delivery} delivery */
export function showLogin(delivery) {
  const notice = document.getElementById("logged-out");
  const link = notice.querySelector("a");
  const aim = () => (link.href = `/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  delivery.addEventListener("change", () => {
    aim();
    notice.hidden = !delivery.isLoggedOut;
  });
  for (const event of ["pointerdown", "focusin"]) notice.addEventListener(event, aim);
}
