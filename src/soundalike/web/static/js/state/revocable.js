/** What the listener may still take back though no later event could undo it: it waits here until its message is gone. */
import { EventStore } from "./event_store.js";
import { SHOWN_MS } from "./texts.js";
/** @import { Browser } from "../api/browser.js" */
/** @import { UserStorage } from "../api/storage.js" */
/** @import { Outbox } from "./outbox.js" */

/** A little longer than its message can be seen. */
const HELD_MS = SHOWN_MS + 500;

/** Dispatches "over" when something can no longer be taken back, and is in the outbox. */
export class Revocable extends EventStore {
  /** Ids of what this page shows messages about. @type {Set<string>} */
  #own = new Set();

  /** @param {{browser: Browser, storage: UserStorage, outbox: Outbox}} parts */
  constructor({ browser, storage, outbox }) {
    super(storage, "revocable");
    this.browser = browser;
    this.outbox = outbox;
    browser.events.addEventListener("pagehide", () => this.#release(this.#own));
    // What is here already is of a page that crashed, or of another tab, whose message is gone by then.
    const found = new Set(this.all().map(({ id }) => id));
    if (found.size) browser.after(HELD_MS, () => this.#end(found));
  }

  /** @param {string} kind @param {string} trackId @returns {() => boolean} takes it back; false where it is too late */
  put(kind, trackId) {
    const listen = this.outbox.made(kind, trackId);
    const ids = new Set([listen.id]);
    this.store(listen);
    this.#own.add(listen.id);
    this.browser.after(HELD_MS, () => this.#end(ids));
    return () => {
      const held = this.#held(ids);
      this.remove(held);
      return held.length > 0;
    };
  }

  /** @param {Set<string>} ids */
  #held(ids) {
    return this.all().filter(({ id }) => ids.has(id));
  }

  /** @param {Set<string>} ids */
  #end(ids) {
    if (this.#release(ids)) this.dispatchEvent(new Event("over"));
  }

  /** @param {Set<string>} ids @returns {boolean} whether any of them was still held */
  #release(ids) {
    const held = this.#held(ids);
    for (const listen of held) this.outbox.add(listen);
    this.remove(held);
    for (const id of ids) this.#own.delete(id);
    return held.length > 0;
  }
}
