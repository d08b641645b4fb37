/**
 * Events that this browser keeps under a name, each under a key of its own in the browser's storage: tabs that write at once
 * lose nothing of each other's, and nothing is taken out but what is named.
 */
import { keyOf } from "../api/storage.js";

export class Kept {
  /** What storage would not take. @type {Map<string, {id: string, at: string}>} */
  #unstored = new Map();

  /** @param {string} name */
  constructor(name) {
    this.prefix = keyOf(name, "");
  }

  /** @returns {boolean} whether it outlives the page */
  put(event) {
    try {
      localStorage.setItem(this.prefix + event.id, JSON.stringify(event));
      return true;
    } catch {
      this.#unstored.set(event.id, event);
      return false;
    }
  }

  /** Return all of them, oldest first, those of other tabs too. */
  all() {
    return inOrder([...this.#stored(), ...this.#unstored.values()]);
  }

  /** @param {{id: string}[]} events */
  remove(events) {
    for (const { id } of events) {
      this.#unstored.delete(id);
      try {
        localStorage.removeItem(this.prefix + id);
      } catch {
        // Forbidden: then it was never there.
      }
    }
  }

  /** Read an event as it was stored; what is none is nobody's. */
  #stored() {
    try {
      const keys = Object.keys(localStorage).filter((key) => key.startsWith(this.prefix));
      return keys.map((key) => [key, parse(localStorage.getItem(key))]).flatMap(([key, event]) => (key === this.prefix + event?.id ? [event] : []));
    } catch {
      return [];
    }
  }
}

/** Events by their times. @template {{at: string}} T @param {T[]} events @returns {T[]} */
export function inOrder(events) {
  return events.sort((one, other) => (one.at < other.at ? -1 : Number(one.at > other.at)));
}

/** @returns {any} what a text says, null where it is no JSON */
export function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
