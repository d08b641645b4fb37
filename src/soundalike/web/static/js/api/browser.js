/**
 * What the state of the player uses of a browser. Tests pass one of their own, with a clock that they move.
 * @typedef {object} Browser
 * @property {EventTarget} events  "online", "pagehide", "storage" and "visibilitychange"
 * @property {() => boolean} isVisible
 * @property {() => boolean} isNewTab  whether this tab was just opened, not reloaded
 * @property {() => number} now  milliseconds on a clock that is never set back
 * @property {() => number} date  milliseconds since 1970
 * @property {() => number} random  0 to 1
 * @property {Crypto} crypto
 * @property {(ms: number, act: () => void) => () => void} after  returns what cancels it
 * @property {(name: string, act: () => Promise<boolean>) => Promise<boolean>} alone  runs one tab after the other, where the browser can
 * @property {(name: "local" | "session") => Storage} storage  throws where it is forbidden
 */

/** @type {Browser} */
export const browser = {
  events: window,
  isVisible: () => document.visibilityState !== "hidden",
  isNewTab,
  now: () => performance.now(),
  date: () => Date.now(),
  random: () => Math.random(),
  crypto,
  after(ms, act) {
    const timer = setTimeout(act, ms);
    return () => clearTimeout(timer);
  },
  // Without locks two tabs may send the same events at once; the server counts each id once.
  alone: async (name, act) => (navigator.locks ? navigator.locks.request(name, act) : act()),
  storage: (name) => (name === "local" ? localStorage : sessionStorage),
};

/** A tab that a page opens starts with a copy of its opener's session storage, and with a history of one page. */
function isNewTab() {
  const [navigation] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
  return history.length <= 1 && navigation?.type !== "reload";
}
