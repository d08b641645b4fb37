/** Says quietly what is amiss with the server, until it is well again: its log, the library's store, or that it cannot be reached. */
import { STORE_AWAY, health, refusals } from "../api/client.js";

const LOOK_AGAIN_MS = 5000;
const GAP_PX = 14;
const STORE_AWAY_WORDS = "The library does not answer just now. What you do is kept in this browser until it is back.";

/**
 * @param {import("../state/delivery.js").Delivery} delivery
 * @param {import("../state/profile_watch.js").ProfileWatch} profile
 * @param {import("../state/player.js").Player} player
 */
export function showHealth(delivery, profile, player) {
  const notice = document.getElementById("log-notice");
  const word = notice.querySelector("span");
  // A log that is part of the server is as well as that is: nobody looks at it until something is amiss.
  const isLogApart = "apart" in notice.dataset;
  let trouble = "";
  let dismissed = "";
  let timer = 0;
  let isLooking = false;

  async function look() {
    clearTimeout(timer);
    timer = 0;
    // It is looked at again when the page is; but whoever listens need not look at the page.
    if (isLooking || (document.visibilityState === "hidden" && !player.isLost)) return;
    isLooking = true;
    show(await health().then(answered, failureOf));
    isLooking = false;
  }

  function answered(found) {
    player.recover(); // Who answers can play, whatever else is amiss.
    return troubleOf(found);
  }

  function show(now) {
    const wasWell = !trouble;
    trouble = now;
    notice.hidden = !trouble || trouble === dismissed;
    if (trouble) {
      // What is said already is not read out again.
      if (word.textContent !== trouble) word.textContent = trouble;
      timer ||= setTimeout(look, LOOK_AGAIN_MS * (0.8 + 0.4 * Math.random()));
      return;
    }
    dismissed = "";
    if (wasWell) return;
    delivery.resume();
    if (isLogApart) profile.watch();
  }

  notice.querySelector("button").addEventListener("click", () => {
    dismissed = trouble;
    notice.hidden = true;
  });
  // What else is at the edge of the page makes room for it.
  new ResizeObserver(() => {
    const { offsetHeight } = notice;
    document.documentElement.style.setProperty("--notice-room", `${offsetHeight && offsetHeight + GAP_PX}px`);
  }).observe(notice);
  refusals.addEventListener("storeaway", () => show(STORE_AWAY_WORDS));
  delivery.addEventListener("refused", () => isLogApart && look());
  player.addEventListener("lost", look);
  profile.addEventListener("vain", () => isLogApart && look());
  addEventListener("visibilitychange", () => (isLogApart || trouble) && look());
  if (isLogApart) look();
}

/** @returns {string} what is wrong with the log, in words; empty where nothing is */
function troubleOf({ events }) {
  if (!events || (events.is_up && events.is_consumed)) return "";
  const what = events.is_up ? "What you do is kept, but nothing learns from it at the moment" : "What you do is kept in this browser until it can be taken";
  // What comes after a semicolon is for whoever runs the server.
  return events.detail ? `${what}: ${sentence(events.detail.split(";")[0])}` : `${what}.`;
}

/** @param {import("../api/client.js").ApiError} error @returns {string} why nobody says how the server is, in words */
function failureOf({ status, code, message }) {
  if (code === STORE_AWAY) return STORE_AWAY_WORDS;
  if (!status) return `${sentence(message)} What you do is kept in this browser until it is back.`;
  return `Something is wrong with the server: ${sentence(message)}`;
}

function sentence(words) {
  return `${words.replace(/[.\s]+$/, "")}.`;
}
