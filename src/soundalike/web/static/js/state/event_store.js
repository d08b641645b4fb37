/** @import { UserStorage } from "../api/storage.js" */
/** @import { Listen } from "./types.js" */

/**
 * Events that the browser stores under a name, each under a key of its own: tabs that write at once lose nothing of each
 * other's, and only what is named is removed.
 */
export class EventStore extends EventTarget {
  /** Events that the storage would not take: they last as long as the page. @type {Map<string, Listen>} */
  #unstored = new Map();

  /** @param {UserStorage} storage @param {string} name */
  constructor(storage, name) {
    super();
    this.storage = storage;
    this.prefix = storage.keyOf(name, "");
  }

  /** @param {Listen} event @returns {boolean} whether it outlives the page */
  store(event) {
    const isStored = this.storage.write(this.prefix + event.id, event);
    if (!isStored) this.#unstored.set(event.id, event);
    return isStored;
  }

  /** Return all of them, oldest first, those of other tabs too. */
  all() {
    // A value under our prefix that is no event of ours is left alone.
    const stored = this.storage.keys(this.prefix).map((key) => ({ key, event: this.storage.read(key) }));
    const events = stored.filter(({ key, event }) => key === this.prefix + event?.id).map(({ event }) => event);
    return oldestFirst([...events, ...this.#unstored.values()]);
  }

  /** @param {{id: string}[]} events */
  remove(events) {
    for (const { id } of events) {
      this.#unstored.delete(id);
      this.storage.remove(this.prefix + id);
    }
  }
}

/** @param {Listen[]} events @returns {Listen[]} */
export function oldestFirst(events) {
  return events.sort((one, other) => (one.at < other.at ? -1 : Number(one.at > other.at)));
}
