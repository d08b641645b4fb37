/** What the listener did and the server has not acknowledged yet. */
import { parse } from "../api/storage.js";
import { EventStore } from "./event_store.js";
import { DataEvent } from "./types.js";
/** @import { Browser } from "../api/browser.js" */
/** @import { UserStorage } from "../api/storage.js" */
/** @import { Listen, Say } from "./types.js" */

const COARSE_MS = 1000;

/** Dispatches "put" (with the listen as `data`), here or in another tab of the same listener. */
export class Outbox extends EventStore {
  /** @type {"storing" | "not storing"} */
  #state = "storing";
  #latestMs = 0;
  /** The generation of the listener's data, where the storage does not take it. @type {?number} */
  #unstoredGeneration = null;

  /** @param {Browser} browser @param {UserStorage} storage @param {Say} say */
  constructor(browser, storage, say) {
    super(storage, "outbox");
    this.browser = browser;
    this.say = say;
    this.generationKey = storage.keyOf("generation");
    browser.events.addEventListener("storage", (event) => {
      const { key, newValue } = /** @type {StorageEvent} */ (event);
      const listen = key?.startsWith(this.prefix) && parse(newValue);
      if (listen) this.dispatchEvent(new DataEvent("put", listen));
    });
  }

  /** The generation of the listener's data, as far as the server has told. @returns {?number} */
  get #generation() {
    return this.storage.read(this.generationKey) ?? this.#unstoredGeneration;
  }

  /**
   * Take up a generation for what is done from now on; what is in the outbox keeps its own. An answer may be older than what
   * is known, so only a later one counts, unless the server has just said that it does not know a later one.
   * @param {unknown} generation @param {boolean} isCertain
   */
  learn(generation, isCertain = false) {
    if (typeof generation !== "number" || (!isCertain && generation <= (this.#generation ?? -1))) return;
    this.#unstoredGeneration = this.storage.write(this.generationKey, generation) ? null : generation;
  }

  /** @param {string} kind @param {string} trackId @param {?number} positionMs */
  put(kind, trackId, positionMs) {
    this.add(this.made(kind, trackId, positionMs));
  }

  /** Return what is done now as a listen. @param {string} kind @param {string} trackId @param {?number} positionMs @returns {Listen} */
  made(kind, trackId, positionMs = null) {
    // Listens are folded by their times, so a later one gets a later time, even on a coarse clock. One that was set back counts.
    const nowMs = this.browser.date();
    this.#latestMs = nowMs + COARSE_MS < this.#latestMs ? nowMs : Math.max(nowMs, this.#latestMs + 1);
    const at = new Date(this.#latestMs).toISOString();
    const generation = this.#generation;
    const named = generation === null ? {} : { generation };
    return { id: newId(this.browser.crypto), track_id: trackId, kind, position_ms: positionMs, at, ...named };
  }

  /** @param {Listen} listen */
  add(listen) {
    if (!this.store(listen) && this.#state === "storing") {
      this.#state = "not storing";
      this.say("This browser's storage is not available: what you do is lost if you close the page before it is sent.");
    }
    this.dispatchEvent(new DataEvent("put", listen));
  }
}

/** A random UUID, also on pages of an insecure origin, where `randomUUID` is missing. @param {Crypto} crypto */
export function newId(crypto) {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
