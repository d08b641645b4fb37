/** Brings the outbox to the server: oldest first, with the same ids until they are acknowledged. */
import { asUser, tellRefusal } from "../api/client.js";
import { keyOf, user } from "../api/storage.js";

const MAX_EVENTS = 500;
const MAX_BYTES = 240 * 1024;
const MAX_LAST_BYTES = 60 * 1024; // what browsers send for a page that closes
const PATIENCE_MS = 15_000;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 5 * 60_000;
const LONGEST_OFFLINE_WAIT_MS = 30_000;
const LONGEST_ASKED_WAIT_MS = 24 * 3_600_000;

/** Views listen for "change", for "refused" where the server cannot take anything just now, and for "taken" when it can again. */
export class Delivery extends EventTarget {
  /** Whether the server knows us no longer; everything waits for a login. */
  isLoggedOut = false;
  #failures = 0;
  #notBefore = 0;
  #timer = 0;
  #most = MAX_EVENTS;
  #dropped = [];
  #last = Promise.resolve(true);
  /** A turn that has not begun, in which whatever comes now has its place too. @type {?Promise<boolean>} */
  #coming = null;

  /**
   * @param {import("./outbox.js").Outbox} outbox
   * @param {import("./profile_watch.js").ProfileWatch} profile
   * @param {(text: string) => void} say
   */
  constructor(outbox, profile, say) {
    super();
    this.outbox = outbox;
    this.profile = profile;
    this.say = say;
    addEventListener("online", () => this.#wake());
    addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#wake());
    addEventListener("pagehide", () => this.#sendLast());
  }

  /** Send what there is, unless we were told to wait. @returns {Promise<boolean>} true where nothing is left */
  deliver() {
    this.#coming ??= this.#last = this.#last.then(() => {
      this.#coming = null;
      return this.#mustWait() ? !this.outbox.all().length : alone(() => this.#drain());
    });
    return this.#coming;
  }

  /** Send what there is, and wait until recommendations follow from it. */
  async learnt() {
    await this.deliver();
    await this.profile.folded();
  }

  /** Send what there is, however long we meant to wait: the server is known to take it again. */
  resume() {
    this.#failures = 0;
    this.#notBefore = 0;
    this.deliver();
    this.dispatchEvent(new Event("taken"));
  }

  /** Wait for a login. */
  logOut() {
    this.#setLoggedOut(true);
  }

  async #drain() {
    let isGoingOn = true;
    let batch = [];
    while (isGoingOn && (batch = this.#batch(MAX_BYTES)).length) isGoingOn = await this.#send(batch);
    if (this.#dropped.length) this.say(droppedWords(this.#dropped));
    this.#dropped = [];
    return isGoingOn;
  }

  /** @returns {Promise<boolean>} whether to go on */
  async #send(batch) {
    const before = this.profile.version;
    let response, answer;
    try {
      response = await post(batch, { signal: AbortSignal.timeout(PATIENCE_MS) });
      answer = await response.json().catch(() => ({}));
    } catch {
      return this.#hold(LONGEST_OFFLINE_WAIT_MS);
    }
    if (response.status === 202) return this.#acknowledge(batch, answer, before);
    if (response.status === 400 && answer.error === "bad_event") return this.#take(batch, answer);
    if (response.status === 413) return this.#take(batch, { message: answer.message });
    if (response.status === 401) return this.#setLoggedOut(true);
    tellRefusal(answer.error);
    if (response.status === 503) this.dispatchEvent(new Event("refused"));
    const asked_ms = 1000 * Number(response.headers.get("Retry-After")) || 0;
    return this.#hold(LONGEST_WAIT_MS, { asked_ms: Math.min(asked_ms, LONGEST_ASKED_WAIT_MS), isRefused: true });
  }

  #acknowledge(batch, { folded }, before) {
    if (folded === false) this.profile.expect(batch, before);
    this.outbox.remove(batch);
    if (this.#failures) this.dispatchEvent(new Event("taken"));
    this.#failures = 0;
    this.#most = Math.min(MAX_EVENTS, 2 * this.#most);
    this.#setLoggedOut(false);
    return true;
  }

  /** Take out the event that was refused; where it is not known which, go on with half as many. */
  #take(batch, { index, message }) {
    const refused = batch.length === 1 ? batch[0] : batch[index];
    if (refused) {
      this.outbox.remove([refused]);
      this.#dropped.push(message ?? "the server does not take it");
    } else {
      this.#most = Math.ceil(batch.length / 2);
    }
    return true;
  }

  /** Keep everything and come again: later each time, at no fixed rhythm, and never before we were asked to. */
  #hold(longest_ms, { asked_ms = 0, isRefused = false } = {}) {
    const grown_ms = Math.min(longest_ms, FIRST_WAIT_MS * 2 ** this.#failures);
    const wait_ms = Math.max(grown_ms * (0.5 + Math.random() / 2), asked_ms * (1 + Math.random() / 10));
    this.#failures += 1;
    // Where nobody answers, whatever the listener does next may try at once.
    this.#notBefore = isRefused ? performance.now() + wait_ms : 0;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.deliver(), wait_ms + 1);
    return false;
  }

  #mustWait() {
    return !user() || this.isLoggedOut || performance.now() < this.#notBefore;
  }

  #wake() {
    this.isLoggedOut = false; // until we hear it again
    this.deliver();
  }

  #setLoggedOut(isLoggedOut) {
    this.isLoggedOut = isLoggedOut;
    this.dispatchEvent(new Event("change"));
    return false;
  }

  #batch(maxBytes) {
    const all = this.outbox.all().slice(0, this.#most);
    let bytes = 0;
    const fits = all.findIndex((listen) => (bytes += new TextEncoder().encode(JSON.stringify(listen)).length + 1) > maxBytes);
    return fits < 0 ? all : all.slice(0, Math.max(1, fits));
  }

  /** A page that closes sends once more; what does not arrive is still stored. */
  #sendLast() {
    const batch = this.#mustWait() ? [] : this.#batch(MAX_LAST_BYTES);
    if (batch.length) post(batch, { keepalive: true }).catch(() => {});
  }
}

function post(events, how) {
  const headers = { ...asUser(), "Content-Type": "application/json" };
  return fetch("/api/listens", { method: "POST", headers, body: JSON.stringify({ events }), ...how });
}

/** One tab after the other, where the browser can do that; elsewhere ids see to it that nothing counts twice. */
async function alone(act) {
  if (!navigator.locks) return act();
  return navigator.locks.request(keyOf("outbox"), act);
}

function droppedWords(reasons) {
  const what = reasons.length === 1 ? "One thing you did was" : `${reasons.length} things you did were`;
  return `${what} not taken by the server, and let go: ${reasons[0]}`;
}
