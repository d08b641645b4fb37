/** What comes next by itself: recommendations, asked for anew whenever the listener says or does something. */
import { recommendations } from "../api/client.js";
import { adventure } from "../views/adventure_slider.js";
import { named } from "../views/elements.js";

const BATCH = 10;
const REFILL_BELOW = 3;
const MEMORY = 100;
const MAX_EXCLUDED = 100;
const MAX_REFUSED = 50;
const ACKNOWLEDGED_WITHIN_MS = 1000;
const [UNKNOWN, NOT_ANALYSED, UNAUTHORISED] = [404, 409, 401];

/**
 * "follow" what plays, "like" one track for as long as there is anything like it, or go by the listener "alone";
 * null leaves the queue as it is.
 * @typedef {?("follow"|"like"|"alone")} Mode
 */
export class Guide {
  /** @type {Mode} */
  mode = null;
  /** What "like" is about. @type {?{id: string, title: string}} */
  seed = null;
  /** What the listener should know of the recommendations as a whole. @type {?string} */
  note = null;
  /** The version of the profile that the last answer followed from. @type {?string} */
  version = null;
  /** Ids of what has played, the latest last. @type {string[]} */
  played = [];
  /** What goes on playing where nothing can be recommended. */
  #rest = [];
  #hasComplained = false;
  /** @type {?Promise<void>} */
  #asking = null;
  /** The last question, answered or not. */
  #latest = null;
  /** A version of the profile that came up while a question was on its way. @type {?string} */
  #newer = null;
  /** Ids of what the listener took out of the queue. @type {string[]} */
  #refused = [];
  /** Ids of what has been played or taken out since the last question was put, which that could not name. */
  #gone = new Set();

  /**
   * @param {import("./queue.js").Queue} queue
   * @param {{learnt: () => Promise<void>, noted: (version: string) => void, changed: () => void, loggedOut: () => void, say: (text: string) => void}} outside
   */
  constructor(queue, outside) {
    this.queue = queue;
    this.outside = outside;
  }

  /** Go on with what fits each track as it plays. */
  follow(rest = []) {
    return this.#begin("follow", { rest });
  }

  /** Go on with things like one track, each of them once. */
  like(track) {
    this.played = [track.id];
    return this.#begin("like", { seed: { id: track.id, title: track.title } });
  }

  /** Go on with what the listener is known to want. @returns {Promise<boolean>} false where something else is asked by then */
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

  heard(track) {
    this.#gone.add(track.id);
    if (this.played.at(-1) !== track.id) this.played = [...this.played, track.id].slice(-MEMORY);
    const left = this.queue.upcoming.filter((entry) => !entry.isAsked).length;
    if (left < REFILL_BELOW && !this.#asking) this.refresh();
  }

  /** Recommend a track no more, for as long as the mode lasts. */
  refuse(track) {
    this.#gone.add(track.id);
    this.#refused = [...this.#refused, track.id].slice(-MAX_REFUSED);
  }

  /** Ask anew; of several questions only the last one is answered. */
  refresh() {
    if (!this.mode) return Promise.resolve();
    return (this.#latest = this.#renew());
  }

  /** Follow a profile that has changed since; a question that is on its way is answered first. @param {string} version */
  follows(version) {
    if (!this.mode || version === this.version) return;
    if (this.#asking) this.#newer = version;
    else this.#renew();
  }

  #renew() {
    const asking = this.#ask(() => this.#asking === asking).finally(() => {
      if (this.#asking === asking) this.#asking = null;
    });
    return (this.#asking = asking);
  }

  /** Wait for the answer that is being waited for already, whichever it is by then, or else for a new one. */
  async more() {
    if (!this.#asking) this.refresh();
    while (this.#asking) await this.#asking;
  }

  /** Where the last answer did not come, ask again. */
  recover() {
    if (this.#hasComplained) this.refresh();
  }

  #begin(mode, { seed = null, rest = [] } = {}) {
    Object.assign(this, { mode, seed, note: null });
    this.#rest = rest;
    this.#refused = [];
    return this.refresh();
  }

  /** @param {() => boolean} isLatest */
  async #ask(isLatest) {
    const late = new Promise((resolve) => setTimeout(resolve, ACKNOWLEDGED_WITHIN_MS));
    await Promise.race([this.outside.learnt(), late]);
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
      if (isLatest()) this.#despair(error);
    }
  }

  async #answer() {
    const { queue, mode } = this;
    const seed = mode === "like" ? this.seed.id : mode === "follow" ? queue.current?.id : null;
    const needed = [queue.current, ...queue.asked.map((entry) => entry.track)].filter(Boolean).map((track) => track.id);
    needed.push(...this.#refused);
    const exclude = [...new Set([...needed, ...this.played.toReversed()])].slice(0, MAX_EXCLUDED);
    const answer = await this.#recommend(seed, exclude);
    // A small library has been played through: then the server's own rules say what may come again.
    const isThrough = !answer.recommendations.length && mode !== "like" && exclude.length > needed.length;
    return isThrough ? this.#recommend(seed, needed) : answer;
  }

  async #recommend(seed, exclude) {
    const how = { exclude, adventure: adventure(), limit: BATCH };
    try {
      return await recommendations({ seed, ...how });
    } catch (error) {
      const isOfSeed = seed && this.mode === "follow" && [UNKNOWN, NOT_ANALYSED].includes(error.status);
      if (!isOfSeed) throw error;
      return recommendations({ seed: null, ...how });
    }
  }

  /** Whether nothing is left of an answer because all of it is gone by now. */
  #isUsedUp({ recommendations: found }) {
    return !this.queue.upcoming.length && found.some(({ track }) => this.#gone.has(track.id));
  }

  #show(answer) {
    const { recommendations: found, note, profile_version: version } = answer;
    const asked = this.queue.asked.map((entry) => entry.track.id);
    const taken = new Set([this.queue.current?.id, ...asked, ...this.#gone]);
    this.queue.recommend(found.filter(({ track }) => !taken.has(track.id)));
    this.note = note ?? null;
    this.version = version ?? null;
    this.outside.noted(this.version);
    this.#hasComplained = false;
    this.#rest = [];
    const isThrough = !this.queue.upcoming.length && !this.#isUsedUp(answer);
    if (this.mode === "like" && isThrough) this.#end(`That was all there is like ${named(this.seed.title)}.`);
    this.outside.changed();
  }

  /** Leave what is upcoming as it is; where nothing is, let the rest of the list come. */
  #despair({ status, message }) {
    if (status === UNAUTHORISED) this.outside.loggedOut();
    else if (this.mode === "like" && !this.queue.upcoming.length) this.#end(`The radio stopped: ${message}`);
    else if (!this.#hasComplained) this.outside.say(`Nothing can be recommended just now, so the queue stays as it is: ${message}`);
    this.#hasComplained = true;
    if (!this.queue.upcoming.length) this.queue.append(this.#rest);
    this.#rest = [];
    this.outside.changed();
  }

  #end(text) {
    this.stop();
    this.outside.say(text);
  }

  toJSON() {
    return { mode: this.mode, seed: this.seed, played: this.played, version: this.version };
  }

  /** Take up what `toJSON` gave; anything else stops it. */
  restore(saved) {
    const { mode, seed, played, version } = saved ?? {};
    const isSeed = typeof seed?.id === "string" && typeof seed.title === "string";
    if (mode === "follow" || mode === "alone" || (mode === "like" && isSeed)) this.mode = mode;
    if (this.mode === "like") this.seed = seed;
    if (Array.isArray(played)) this.played = played.filter((id) => typeof id === "string");
    if (typeof version === "string") this.version = version;
  }
}
