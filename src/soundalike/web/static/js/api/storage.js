/** What this browser remembers of each listener. A browser that stores nothing works too. */
/** @import { Browser } from "./browser.js" */

export class UserStorage {
  /** @param {Browser} browser @param {string} user  the id of the listener whose page this is */
  constructor(browser, user) {
    this.browser = browser;
    this.user = user;
  }

  /** Return a key that no other listener has: ids hold no colon. @param {string[]} names */
  keyOf(name = "", ...names) {
    return ["soundalike", name, this.user, ...names].join(":");
  }

  /**
   * Store a value for as long as the browser keeps it, or for as long as its tab is open.
   * @param {string} key @param {unknown} value @param {"local" | "session"} where
   * @returns {boolean} whether it was stored
   */
  write(key, value, where = "local") {
    try {
      this.browser.storage(where).setItem(key, JSON.stringify(value));
      return true;
    } catch {
      return false; // The storage is full or forbidden.
    }
  }

  /** @param {string} key @param {"local" | "session"} where @returns {any} the stored value, null for none */
  read(key, where = "local") {
    try {
      return parse(this.browser.storage(where).getItem(key));
    } catch {
      return null; // The storage is forbidden.
    }
  }

  /** @param {string} key */
  remove(key) {
    try {
      this.browser.storage("local").removeItem(key);
    } catch {
      // The storage is forbidden, so nothing was stored.
    }
  }

  /** @param {string} prefix @returns {string[]} every stored key with this prefix */
  keys(prefix) {
    try {
      return keysOf(this.browser.storage("local")).filter((key) => key.startsWith(prefix));
    } catch {
      return [];
    }
  }
}

/** Forget everything that this browser stores of a listener. @param {Browser} browser @param {string} id */
export function forgetListener(browser, id) {
  for (const where of /** @type {const} */ (["local", "session"])) {
    try {
      const storage = browser.storage(where);
      for (const key of keysOf(storage)) if (key.startsWith("soundalike:") && key.split(":")[2] === id) storage.removeItem(key);
    } catch {
      // The storage is forbidden, so nothing was stored.
    }
  }
}

/** @param {?string} text @returns {any} the value, null where the text is no JSON */
export function parse(text) {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}

/** @param {Storage} storage */
function keysOf(storage) {
  return Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "");
}
