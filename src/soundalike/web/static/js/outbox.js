/**
 * What a listener did that the server has not taken yet. Every event has a key of its own in the browser's storage: tabs
 * that write at once lose nothing of each other's, and only what was acknowledged is ever taken out.
 * @typedef {{id: string, track_id: string, kind: string, position_ms: ?number, at: string}} Listen
 */
import { keyOf } from "./memory.js";

/** Views listen for "put", here or in another tab of the same listener. */
export class Outbox extends EventTarget {
  /** What storage would not take. @type {Map<string, Listen>} */
  #unstored = new Map();
  #hasSaid = false;
  #latestMs = 0;
  #prefix = keyOf("outbox", "");

  /** @param {(text: string) => void} say */
  constructor(say) {
    super();
    this.say = say;
    addEventListener("storage", ({ key, newValue }) => key?.startsWith(this.#prefix) && newValue && this.#tell(parse(newValue)));
  }

  /** @param {string} kind @param {string} trackId @param {?number} positionMs */
  put(kind, trackId, positionMs) {
    // What is done later is later, however coarse the clock: listens are folded by their times.
    this.#latestMs = Math.max(Date.now(), this.#latestMs + 1);
    const at = new Date(this.#latestMs).toISOString();
    const listen = { id: newId(), track_id: trackId, kind, position_ms: positionMs, at };
    try {
      localStorage.setItem(this.#prefix + listen.id, JSON.stringify(listen));
    } catch {
      if (!this.#hasSaid) this.say("This browser keeps nothing: what you do is lost if the page closes before it is sent.");
      this.#hasSaid = true;
      this.#unstored.set(listen.id, listen);
    }
    this.#tell(listen);
  }

  /** @returns {Listen[]} oldest first, those of other tabs too */
  all() {
    const listens = [...this.#stored(), ...this.#unstored.values()];
    return listens.sort((one, other) => (one.at < other.at ? -1 : Number(one.at > other.at)));
  }

  /** @param {Listen[]} listens */
  remove(listens) {
    for (const { id } of listens) {
      this.#unstored.delete(id);
      try {
        localStorage.removeItem(this.#prefix + id);
      } catch {
        // Forbidden: then it was never there.
      }
    }
  }

  #tell(listen) {
    if (listen) this.dispatchEvent(new CustomEvent("put", { detail: listen }));
  }

  #stored() {
    try {
      const keys = Object.keys(localStorage).filter((key) => key.startsWith(this.#prefix));
      return keys.map((key) => read(key, this.#prefix)).filter(Boolean);
    } catch {
      return [];
    }
  }
}

/** An event as it was stored; what is none is nobody's. */
function read(key, prefix) {
  const listen = parse(localStorage.getItem(key));
  return key === prefix + listen?.id ? listen : null;
}

/** @returns {?Listen} */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A random UUID, also where the page is not from a secure origin. */
function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
