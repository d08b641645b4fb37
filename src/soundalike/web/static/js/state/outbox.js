/**
 * What a listener did that the server has not taken yet: only what was acknowledged is ever taken out.
 * @typedef {{id: string, track_id: string, kind: string, position_ms: ?number, at: string}} Listen
 */
import { Kept, parse } from "./event_store.js";

/** Views listen for "put", here or in another tab of the same listener. */
export class Outbox extends EventTarget {
  #kept = new Kept("outbox");
  #hasSaid = false;
  #latestMs = 0;

  /** @param {(text: string) => void} say */
  constructor(say) {
    super();
    this.say = say;
    const { prefix } = this.#kept;
    addEventListener("storage", ({ key, newValue }) => key?.startsWith(prefix) && newValue && this.#tell(parse(newValue)));
  }

  /** @param {string} kind @param {string} trackId @param {?number} positionMs */
  put(kind, trackId, positionMs) {
    // What is done later is later, however coarse the clock: listens are folded by their times.
    this.#latestMs = Math.max(Date.now(), this.#latestMs + 1);
    const at = new Date(this.#latestMs).toISOString();
    const listen = { id: newId(), track_id: trackId, kind, position_ms: positionMs, at };
    if (!this.#kept.put(listen) && !this.#hasSaid) {
      this.say("This browser keeps nothing: what you do is lost if the page closes before it is sent.");
      this.#hasSaid = true;
    }
    this.#tell(listen);
  }

  /** @returns {Listen[]} oldest first, those of other tabs too */
  all() {
    return this.#kept.all();
  }

  /** @param {Listen[]} listens */
  remove(listens) {
    this.#kept.remove(listens);
  }

  #tell(listen) {
    if (listen) this.dispatchEvent(new CustomEvent("put", { detail: listen }));
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
