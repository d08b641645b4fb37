/** Sends the outbox to the server: oldest first, with the same ids until they are acknowledged. */
import { HeldEvents } from "./held_events.js";
/** @import { ApiClient } from "../api/client.js" */
/** @import { Browser } from "../api/browser.js" */
/** @import { Outbox } from "./outbox.js" */
/** @import { ProfileWatch } from "./profile_watch.js" */
/** @import { Listen, Say } from "./types.js" */

const MAX_EVENTS = 500;
const MAX_BYTES = 240 * 1024;
const MAX_LAST_BYTES = 60 * 1024; // what browsers send for a page that closes
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 5 * 60_000;
const LONGEST_OFFLINE_WAIT_MS = 30_000;
const LONGEST_ASKED_WAIT_MS = 24 * 3_600_000;
const HELD_MS = 60_000;

/**
 * "ready" sends at once. "offline" got no answer: it tries again later, or when the listener does something. "refused" waits
 * until the server may be asked again. "logged out" waits for a login.
 * @typedef {"ready" | "offline" | "refused" | "logged out"} DeliveryState
 */

/**
 * `lockName` is the same in all tabs that send for a listener.
 * @typedef {{browser: Browser, api: ApiClient, outbox: Outbox, profile: ProfileWatch, say: Say, lockName: string}} Parts
 */

/**
 * Dispatches "change" (of `isLoggedOut`), "refused" (the server takes nothing now), "taken" (it answers again), "held" (`held` has
 * another text) and "rejected" (some events were dropped, or do not count because they are from before a deletion).
 */
export class Delivery extends EventTarget {
  /** @type {DeliveryState} */
  state = "ready";
  #failures = 0;
  #notBeforeMs = 0;
  #cancelRetry = () => {};
  /** What is left in the outbox for now, while the rest is sent. */
  held = new HeldEvents();
  /** @type {?() => void} */
  #cancelRelease = null;
  /** How many events are sent at once. */
  #batchSize = MAX_EVENTS;
  /** Why the server rejected events in this run. @type {string[]} */
  #rejections = [];
  /** @type {Promise<boolean>} */
  #last = Promise.resolve(true);
  /** A run that has not begun, which will send whatever is put meanwhile. @type {?Promise<boolean>} */
  #next = null;
  /** @type {Parts} */
  #parts;

  /** @param {Parts} parts */
  constructor(parts) {
    super();
    this.#parts = parts;
    const { browser } = parts;
    browser.events.addEventListener("online", () => this.#wake());
    browser.events.addEventListener("visibilitychange", () => browser.isVisible() && this.#wake());
    browser.events.addEventListener("pagehide", () => this.#sendLast());
    this.#askGeneration();
  }

  get isLoggedOut() {
    return this.state === "logged out";
  }

  /** Send what there is, unless it must wait. @returns {Promise<boolean>} whether nothing is left */
  deliver() {
    this.#next ??= this.#last = this.#last.then(() => {
      this.#next = null;
      return this.#mustWait() ? !this.#parts.outbox.all().length : this.#parts.browser.alone(this.#parts.lockName, () => this.#drain());
    });
    return this.#next;
  }

  /** Send what there is, and wait until recommendations can follow from it. */
  async learned() {
    await this.deliver();
    await this.#parts.profile.folded();
  }

  /** Send what there is, however long it was meant to wait: the server is known to be well again. */
  resume() {
    this.#failures = 0;
    this.#notBeforeMs = 0;
    this.#release();
    this.dispatchEvent(new Event("taken"));
  }

  /** Wait for a login. */
  logOut() {
    this.state = "logged out";
    this.dispatchEvent(new Event("change"));
  }

  async #drain() {
    let isGoingOn = true;
    let batch = [];
    while (isGoingOn && (batch = this.#batch(MAX_BYTES)).length) isGoingOn = await this.#send(batch);
    if (this.#rejections.length) this.#reportRejections();
    if (isGoingOn && this.held.settle()) this.dispatchEvent(new Event("held"));
    return isGoingOn;
  }

  /** @param {Listen[]} batch @returns {Promise<boolean>} whether to go on */
  async #send(batch) {
    const before = this.#parts.profile.version;
    const sent = await this.#parts.api.sendListens(batch).catch(() => null);
    if (!sent) return this.#retryLater("offline", LONGEST_OFFLINE_WAIT_MS);
    const { status, answer, retryAfterMs } = sent;
    if (status === 202) return this.#acknowledge(batch, answer, before);
    if (status === 409 && this.#hold(batch, answer)) return true;
    if (status === 413 || (status === 400 && answer.error === "bad_event")) return this.#reject(batch, answer);
    if (status === 401) {
      this.logOut();
      return false;
    }
    if (status === 503) this.dispatchEvent(new Event("refused"));
    return this.#retryLater("refused", LONGEST_WAIT_MS, Math.min(retryAfterMs, LONGEST_ASKED_WAIT_MS));
  }

  /**
   * @param {Listen[]} batch @param {{accepted: number, duplicates: number, generation?: number, folded?: boolean}} answer
   * @param {?string} before
   */
  #acknowledge(batch, { accepted, duplicates, generation, folded }, before) {
    if (folded === false && accepted) this.#parts.profile.expect(batch, before);
    this.#parts.outbox.remove(batch);
    this.#parts.outbox.learn(generation);
    if (accepted + duplicates < batch.length) this.dispatchEvent(new Event("rejected"));
    this.#recover();
    this.#batchSize = Math.min(MAX_EVENTS, 2 * this.#batchSize);
    this.state = "ready";
    this.dispatchEvent(new Event("change"));
    return true;
  }

  /** Tell that the server answers again, also where it takes nothing of this batch. */
  #recover() {
    if (this.#failures) this.dispatchEvent(new Event("taken"));
    this.#failures = 0;
  }

  /**
   * Keep the events that the server cannot take yet, so that the rest can be sent, and try them again later.
   * @param {Listen[]} batch @param {import("./held_events.js").Refusal & {generation?: number}} answer
   */
  #hold(batch, answer) {
    const { browser, outbox } = this.#parts;
    if (!this.held.hold(batch, answer, browser.date())) return false;
    this.#recover();
    outbox.learn(answer.generation, true);
    this.#cancelRelease ??= browser.after(HELD_MS, () => this.#release());
    this.dispatchEvent(new Event("held"));
    return true;
  }

  /** Send what there is, also what the server could not take before. */
  #release() {
    this.#cancelRelease?.();
    this.#cancelRelease = null;
    this.held.release();
    this.deliver();
  }

  /**
   * Drop the event that was rejected; where the server does not say which, go on with half as many.
   * @param {Listen[]} batch @param {{index?: number, message?: string}} answer
   */
  #reject(batch, { index, message }) {
    this.#recover();
    const rejected = batch.length === 1 ? batch[0] : batch[index ?? -1];
    if (rejected) {
      this.#parts.outbox.remove([rejected]);
      this.#rejections.push(message ?? "the server gave no reason");
    } else {
      this.#batchSize = Math.ceil(batch.length / 2);
    }
    return true;
  }

  /**
   * Keep everything and try again: later each time, with some jitter, and never before the server asks for it.
   * @param {"offline" | "refused"} state @param {number} longestMs @param {number} askedMs
   */
  #retryLater(state, longestMs, askedMs = 0) {
    const { browser } = this.#parts;
    const grownMs = Math.min(longestMs, FIRST_WAIT_MS * 2 ** this.#failures);
    const waitMs = Math.max(grownMs * (0.5 + browser.random() / 2), askedMs * (1 + browser.random() / 10));
    this.#failures += 1;
    this.state = state;
    // Where nobody answers, whatever the listener does next may try at once.
    this.#notBeforeMs = state === "refused" ? browser.now() + waitMs : 0;
    this.#cancelRetry();
    this.#cancelRetry = browser.after(waitMs + 1, () => this.deliver());
    return false;
  }

  #reportRejections() {
    const [reason, ...more] = this.#rejections.splice(0);
    const what = more.length ? `${1 + more.length} things you did were` : "One thing you did was";
    this.#parts.say(`${what} rejected by the server and not stored: ${reason}`);
    this.dispatchEvent(new Event("rejected"));
  }

  #mustWait() {
    return this.isLoggedOut || this.#parts.browser.now() < this.#notBeforeMs;
  }

  /** Somebody may have logged in meanwhile. */
  #wake() {
    if (this.isLoggedOut) this.state = "ready";
    this.#askGeneration();
    this.#release();
  }

  /** Without an answer, what is known counts: the answer to the next events tells it too. */
  #askGeneration() {
    const { api, outbox } = this.#parts;
    api.me().then(({ generation }) => outbox.learn(generation), () => {});
  }

  /** @param {number} maxBytes */
  #batch(maxBytes) {
    const all = this.held.free(this.#parts.outbox.all()).slice(0, this.#batchSize);
    const encoder = new TextEncoder();
    let bytes = 0;
    const fits = all.findIndex((listen) => (bytes += encoder.encode(JSON.stringify(listen)).length + 1) > maxBytes);
    return fits < 0 ? all : all.slice(0, Math.max(1, fits));
  }

  /** A page that closes sends once more; what does not arrive is still stored. */
  #sendLast() {
    const batch = this.#mustWait() ? [] : this.#batch(MAX_LAST_BYTES);
    if (batch.length) this.#parts.api.sendLast(batch);
  }
}
