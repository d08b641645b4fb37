/** What the listener likes and dislikes, as far as this browser was told; a key of its own for each track. */
import { keyOf } from "./memory.js";

const KINDS = ["liked", "disliked"];

/** Views listen for "change", which another tab may cause too. */
export class Judgements extends EventTarget {
  /** What storage would not take. @type {Map<string, ?string>} */
  #unstored = new Map();

  constructor() {
    super();
    const prefix = keyOf("judged", "");
    addEventListener("storage", ({ key }) => (key === null || key.startsWith(prefix)) && this.dispatchEvent(new Event("change")));
  }

  /** @returns {?("liked"|"disliked")} */
  of(trackId) {
    if (this.#unstored.has(trackId)) return this.#unstored.get(trackId);
    try {
      const kind = localStorage.getItem(keyOf("judged", trackId));
      return KINDS.includes(kind) ? kind : null;
    } catch {
      return null;
    }
  }

  /** @param {?("liked"|"disliked")} kind  null takes it back */
  set(trackId, kind) {
    try {
      if (kind) localStorage.setItem(keyOf("judged", trackId), kind);
      else localStorage.removeItem(keyOf("judged", trackId));
      this.#unstored.delete(trackId);
    } catch {
      this.#unstored.set(trackId, kind);
    }
    this.dispatchEvent(new Event("change"));
  }
}
