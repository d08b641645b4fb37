/** Says quietly that what is done is not learnt from, where the server's log says so, until it is well again. */
import { health } from "./api.js";

const LOOK_AGAIN_MS = 5000;

/** @param {import("./delivery.js").Delivery} delivery @param {import("./profile.js").ProfileWatch} profile */
export function showHealth(delivery, profile) {
  const notice = document.getElementById("log-notice");
  if (!notice) return; // The log is part of the server, and as well as that is.
  const word = notice.querySelector("span");
  let isWell = true;
  let dismissed = "";
  let timer = 0;
  let isLooking = false;

  async function look() {
    clearTimeout(timer);
    if (isLooking || document.visibilityState === "hidden") return; // It is looked at again when the page is.
    isLooking = true;
    try {
      show((await health()).events);
    } catch {
      // What is known stays; whoever asks for anything else is told.
    }
    isLooking = false;
    if (!isWell) timer = setTimeout(look, LOOK_AGAIN_MS * (0.8 + 0.4 * Math.random()));
  }

  function show(events) {
    const wasWell = isWell;
    const trouble = events ? troubleOf(events) : "";
    isWell = !trouble;
    if (isWell) dismissed = "";
    if (trouble) word.textContent = trouble;
    notice.hidden = isWell || trouble === dismissed;
    if (!isWell || wasWell) return;
    delivery.resume();
    profile.watch();
  }

  notice.querySelector("button").addEventListener("click", () => {
    dismissed = word.textContent;
    notice.hidden = true;
  });
  delivery.addEventListener("refused", look);
  profile.addEventListener("vain", look);
  addEventListener("visibilitychange", look);
  look();
}

/** @returns {string} what is wrong, in words; empty where nothing is */
function troubleOf({ is_up: isUp, is_consumed: isConsumed, detail }) {
  if (isUp && isConsumed) return "";
  const what = isUp ? "What you do is kept, but nothing learns from it at the moment" : "What you do is kept in this browser until it can be taken";
  return detail ? `${what}: ${detail.replace(/[.\s]+$/, "")}.` : `${what}.`;
}
