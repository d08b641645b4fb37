/** What this browser remembers of each listener by itself; a browser that remembers nothing is fine too. */

/** Whose page this is; null where nobody is known, as before a login. */
export const user = () => document.body.dataset.user || null;

/** A place in the browser's storage that no other listener's words share: ids hold no colon. */
export const keyOf = (name, ...rest) => ["soundalike", name, user() ?? "", ...rest].join(":");

/** Forget whatever this browser remembers of a listener. @param {string} id */
export function forgetListener(id) {
  for (const name of ["localStorage", "sessionStorage"]) {
    try {
      const storage = window[name];
      for (const key of Object.keys(storage)) if (key.startsWith("soundalike:") && key.split(":")[2] === id) storage.removeItem(key);
    } catch {
      // Forbidden: then nothing is there.
    }
  }
}

export function remember(name, state) {
  try {
    localStorage.setItem(keyOf(name), JSON.stringify(state));
  } catch {
    // Full or forbidden: then the next visit starts afresh.
  }
}

/** @returns {any} what was remembered under a name, or null */
export function recall(name) {
  try {
    return JSON.parse(localStorage.getItem(keyOf(name)));
  } catch {
    return null;
  }
}
