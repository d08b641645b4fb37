/** What comes next by itself: recommendations, asked for again whenever the listener says or does something. */
import { named } from "./texts.js";
/** @import { ApiClient, ApiError } from "../api/client.js" */
/** @import { Browser } from "../api/browser.js" */
/** @import { Adventure } from "./adventure.js" */
/** @import { Delivery } from "./delivery.js" */
/** @import { ProfileWatch } from "./profile_watch.js" */
/** @import { Queue } from "./queue.js" */
/** @import { QueueEntry, Recommendations, Say, Track } from "./types.js" */

const BATCH = 10;
const REFILL_BELOW = 3;
const MAX_PLAYED = 100;
const MAX_NAMED = 100;
const MAX_REFUSED = 50;
const ACKNOWLEDGED_WITHIN_MS = 1000;
const [UNKNOWN, NOT_ANALYSED, UNAUTHORISED] = [404, 409, 401];

/**
 * "follow" what plays, "like" one track for as long as there is anything like it, or go by the listener "alone"; null leaves
 * the queue as it is.
 * @typedef {?("follow" | "like" | "alone")} Mode
 */

/** @typedef {{browser: Browser, api: ApiClient, queue: Queue, adventure: Adventure, delivery: Delivery, profile: ProfileWatch, say: Say}} Parts */

/** Dispatches "change". */
export class AutoQueue extends EventTarget {
  /** @type {Mode} */
  mode = null;
  /** The track that "like" is about. @type {?{id: string, title: string}} */
  seed = null;
  /** What the listener should know of the recommendations as a whole. @type {?string} */
  note = null;
  /** The version of the profile that the last answer was made from. @type {?string} */
  version = null;
  /** Ids of the tracks that have played, the latest last. @type {string[]} */
  played = [];
  /** How the last question ended. @type {"answered" | "failed"} */
  #outcome = "answered";
  /** What plays next where nothing can be recommended. @type {Track[]} */
  #rest = [];
  /** The question that is being asked. @type {?Promise<void>} */
  #asking = null;
  /** The last question of the listener's making, answered or not. @type {?Promise<void>} */
  #latest = null;
  /** A version of the profile that was noticed during a question. @type {?string} */
  #newer = null;
  /** Ids of the tracks that the listener removed from the queue. @type {string[]} */
  #refused = [];
  /** Ids of the tracks that were played or removed since the last question, which could not exclude them. @type {Set<string>} */
  #gone = new Set();
  /** @type {Parts} */
  #parts;

  /** @param {Parts} parts */
  constructor(parts) {
    super();
    this.#parts = parts;
    const { browser, delivery, profile } = parts;
    profile.addEventListener("change", () => this.#followProfile(profile.version));
    const recover = () => this.#outcome === "failed" && this.refresh();
    browser.events.addEventListener("online", recover);
    delivery.addEventListener("taken", recover);
  }

  /** Go on with what fits each track as it plays. @param {Track[]} rest  what plays where nothing can be recommended */
  follow(rest = []) {
    return this.#begin("follow", { rest });
  }

  /**
   * Go on with what fits each track as it plays, in place of what was upcoming and is recommended no more.
   * @param {QueueEntry[]} upcoming @returns {() => void} goes on as before
   */
  startOver(upcoming) {
    const { mode, seed, note } = this;
    const [rest, refused] = [this.#rest, this.#refused];
    this.follow(upcoming.map(({ track }) => track));
    this.#refused = refused;
    for (const { track, reason } of upcoming) if (reason) this.refuse(track);
    return () => {
      this.stop();
      Object.assign(this, { mode, seed, note });
      [this.#rest, this.#refused] = [rest, refused];
    };
  }

  /** Go on with things like one track, each of them once. @param {Track} track */
  like({ id, title }) {
    this.played = [id];
    return this.#begin("like", { seed: { id, title } });
  }

  /** Go on with what the listener is known to want. @returns {Promise<boolean>} false where something else was asked since */
  async alone() {
    const asking = this.#begin("alone");
    await asking;
    return this.mode === "alone" && this.#latest === asking;
  }

  stop() {
    Object.assign(this, { mode: null, seed: null, note: null });
    this.#rest = [];
    this.#asking = null;
  }

  /** Note that a track plays now. @param {Track} track */
  heard({ id }) {
    this.#gone.add(id);
    if (this.played.at(-1) !== id) this.played = [...this.played, id].slice(-MAX_PLAYED);
    const left = this.#parts.queue.upcoming.filter((entry) => !entry.isAsked).length;
    if (left < REFILL_BELOW && !this.#asking) this.refresh();
  }

  /** Recommend a track no more, for as long as the mode lasts. @param {Track} track */
  refuse({ id }) {
    this.#gone.add(id);
    this.#refused = [...this.#refused, id].slice(-MAX_REFUSED);
  }

  /** Ask again; of several questions only the last one counts. */
  refresh() {
    if (!this.mode) return Promise.resolve();
    return (this.#latest = this.#renew());
  }

  /** Wait for the question that is being asked, whichever it is by then, or else for a new one. */
  async more() {
    if (!this.#asking) this.refresh();
    while (this.#asking) await this.#asking;
  }

  /** A question that is being asked is answered first. @param {?string} version */
  #followProfile(version) {
    if (!this.mode || version === this.version) return;
    if (this.#asking) this.#newer = version;
    else this.#renew();
  }

  /** @param {Mode} mode @param {{seed?: ?{id: string, title: string}, rest?: Track[]}} how */
  #begin(mode, { seed = null, rest = [] } = {}) {
    Object.assign(this, { mode, seed, note: null });
    this.#rest = rest;
    this.#refused = [];
    return this.refresh();
  }

  #renew() {
    /** @type {Promise<void>} */
    const asking = this.#ask(() => this.#asking === asking).finally(() => {
      if (this.#asking === asking) this.#asking = null;
    });
    return (this.#asking = asking);
  }

  /** @param {() => boolean} isLatest */
  async #ask(isLatest) {
    const late = new Promise((resolve) => this.#parts.browser.after(ACKNOWLEDGED_WITHIN_MS, () => resolve(null)));
    await Promise.race([this.#parts.delivery.learned(), late]);
    try {
      if (!isLatest()) return;
      this.#newer = null;
      this.#gone = new Set();
      const answer = await this.#answer();
      if (!isLatest()) return;
      this.#show(answer);
      const isOutdated = this.#isUsedUp(answer) || (this.#newer && this.#newer !== this.version);
      if (this.mode && isOutdated) this.#renew();
    } catch (error) {
      if (isLatest()) this.#fail(/** @type {ApiError} */ (error));
    }
  }

  /** @returns {Promise<Recommendations>} */
  async #answer() {
    const { mode } = this;
    const { queue } = this.#parts;
    const seed = (mode === "like" ? this.seed?.id : mode === "follow" ? queue.current?.id : null) ?? null;
    // What was asked for plays before what is recommended, so to the server it has played.
    const coming = [queue.current, ...queue.asked.map((entry) => entry.track)].flatMap((track) => track?.id ?? []);
    const most = MAX_NAMED - this.#refused.length;
    const recent = latest([...this.played, ...coming], most);
    let answer = await this.#recommend(seed, recent);
    const isThrough = () => !answer.recommendations.length && mode !== "like";
    // A small library may have been played through, or removed from the queue: then the server's own rules decide what may come again.
    if (isThrough() && recent.length > new Set(coming).size) answer = await this.#recommend(seed, latest(coming, most));
    if (isThrough() && this.#refused.length) {
      this.#refused = [];
      answer = await this.#recommend(seed, latest(coming, most));
    }
    return answer;
  }

  /** @param {?string} seed @param {string[]} recent  the latest last @returns {Promise<Recommendations>} */
  async #recommend(seed, recent) {
    const how = { recent, exclude: this.#refused, adventure: this.#parts.adventure.value, limit: BATCH };
    try {
      return await this.#parts.api.recommendations({ seed, ...how });
    } catch (error) {
      const isOfSeed = this.mode === "follow" && [UNKNOWN, NOT_ANALYSED].includes(/** @type {ApiError} */ (error).status);
      if (!seed || !isOfSeed) throw error;
      return this.#parts.api.recommendations({ seed: null, ...how });
    }
  }

  /** Whether nothing is left of an answer because all of it is gone by now. @param {Recommendations} answer */
  #isUsedUp({ recommendations: found }) {
    return !this.#parts.queue.upcoming.length && found.some(({ track }) => this.#gone.has(track.id));
  }

  /** @param {Recommendations} answer */
  #show(answer) {
    const { recommendations: found, note, profile_version: version } = answer;
    const asked = this.#parts.queue.asked.map((entry) => entry.track.id);
    const taken = new Set([this.#parts.queue.current?.id, ...asked, ...this.#gone]);
    this.#parts.queue.recommend(found.filter(({ track }) => !taken.has(track.id)));
    this.note = note ?? null;
    this.version = version ?? null;
    this.#parts.profile.note(this.version);
    this.#outcome = "answered";
    this.#rest = [];
    const isThrough = !this.#parts.queue.upcoming.length && !this.#isUsedUp(answer);
    if (this.seed && this.mode === "like" && isThrough) this.#end(`There are no more tracks similar to ${named(this.seed.title)}.`);
    this.dispatchEvent(new Event("change"));
  }

  /** Leave what is upcoming as it is; where nothing is, play the rest of the list. @param {ApiError} error */
  #fail({ status, message }) {
    if (status === UNAUTHORISED) this.#parts.delivery.logOut();
    else if (this.mode === "like" && !this.#parts.queue.upcoming.length) this.#end(`The radio stopped: ${message}`);
    else if (this.#outcome === "answered") this.#parts.say(`There are no new recommendations at the moment, so the queue stays as it is: ${message}`);
    this.#outcome = "failed";
    if (!this.#parts.queue.upcoming.length) this.#parts.queue.append(this.#rest);
    this.#rest = [];
    this.dispatchEvent(new Event("change"));
  }

  /** @param {string} text */
  #end(text) {
    this.stop();
    this.#parts.say(text);
  }

  toJSON() {
    return { mode: this.mode, seed: this.seed, played: this.played, version: this.version };
  }

  /** Restore what `toJSON` gave; anything else stops it. @param {any} saved */
  restore(saved) {
    const { mode, seed, played, version } = saved ?? {};
    const isSeed = typeof seed?.id === "string" && typeof seed.title === "string";
    if (mode === "follow" || mode === "alone" || (mode === "like" && isSeed)) this.mode = mode;
    if (this.mode === "like") this.seed = seed;
    if (Array.isArray(played)) this.played = played.filter((id) => typeof id === "string");
    if (typeof version === "string") this.version = version;
  }
}

/** The last ids of a list, each once, in their order. @param {string[]} ids @param {number} count */
function latest(ids, count) {
  return [...new Set([...ids].reverse())].slice(0, count).reverse();
}
