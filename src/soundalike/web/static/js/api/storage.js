/** What this browser remembers of each listener. A browser that stores nothing works too. */
/** @import { Browser } from "./browser.js" */
/** @typedef {"local" | "session"} Where */

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
   * @param {string} key @param {unknown} value @param {Where} where @returns {boolean} whether it was stored
   */
  write(key, value, where = "local") {
    return this.#use(where, (storage) => (storage.setItem(key, JSON.stringify(value)), true), false);
  }

  /** @param {string} key @param {Where} where @returns {any} the stored value, null for none */
  read(key, where = "local") {
    return this.#use(where, (storage) => parse(storage.getItem(key)), null);
  }

  /** @param {string} key */
  remove(key) {
    this.#use("local", (storage) => storage.removeItem(key), undefined);
  }

  /** @param {string} prefix @returns {string[]} every stored key with this prefix */
  keys(prefix) {
    return this.#use("local", (storage) => keysOf(storage).filter((key) => key.startsWith(prefix)), []);
  }

  /** Forget everything that is stored of the listener. */
  forget() {
    /** @param {string} key */
    const isTheirs = (key) => key.startsWith("soundalike:") && key.split(":")[2] === this.user;
    for (const where of /** @type {const} */ (["local", "session"])) {
      this.#use(where, (storage) => keysOf(storage).filter(isTheirs).forEach((key) => storage.removeItem(key)), undefined);
    }
  }

  /** @template T @param {Where} where @param {(storage: Storage) => T} act @param {T} otherwise @returns {T} */
  #use(where, act, otherwise) {
    try {
      return act(this.browser.storage(where));
    } catch {
      return otherwise; // The storage is full or forbidden.
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
