/** What is remembered over a reload; a browser that remembers nothing is fine too. */

const KEY = "soundalike.player";

export function remember(state) {
  try {
    localStorage.setItem(KEY, JSON.stringify(state));
  } catch {
    // Full or forbidden: then the next visit starts afresh.
  }
}

export function recall() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}
