/** Things like one track, for as long as there are any. */
import { radioTracks } from "./api.js";
import { named } from "./text.js";

const MEMORY = 100;
const BATCH = 10;
const REFILL_BELOW = 3;

export class Radio {
  /** @type {?{id: string, title: string}} */
  seed = null;
  /** @type {string[]} what has played, the latest last */
  played = [];
  /** @type {?Promise<boolean>} */
  #asking = null;

  /** @param {import("./queue.js").Queue} queue @param {(text: string) => void} say */
  constructor(queue, say) {
    this.queue = queue;
    this.say = say;
  }

  start(track) {
    this.seed = { id: track.id, title: track.title };
    this.played = [track.id];
    this.#asking = null;
    this.queue.clear();
  }

  stop() {
    this.seed = null;
  }

  heard(track) {
    if (this.played.at(-1) !== track.id) this.played = [...this.played, track.id].slice(-MEMORY);
  }

  /**
   * Ask for more where little is left, one question at a time; true if something came.
   * @returns {Promise<boolean>}
   */
  async refill() {
    if (!this.seed || this.queue.upcoming.length >= REFILL_BELOW) return false;
    const asking = (this.#asking ??= this.#ask(this.seed));
    const hasCome = await asking;
    if (this.#asking === asking) this.#asking = null;
    return hasCome;
  }

  async #ask(seed) {
    try {
      const upcoming = this.queue.upcoming.map((track) => track.id);
      const recent = [...this.played, ...upcoming].slice(-MEMORY);
      const tracks = await radioTracks(seed.id, recent, BATCH);
      if (this.seed !== seed) return false;
      this.queue.append(tracks);
      if (!tracks.length && !upcoming.length) this.#end(`That was all there is like ${named(seed.title)}.`);
      return tracks.length > 0;
    } catch (error) {
      if (this.seed === seed) this.#end(`The radio stopped: ${error.message}`);
      return false;
    }
  }

  #end(text) {
    this.seed = null;
    this.say(text);
  }

  toJSON() {
    return { seed: this.seed, played: this.played };
  }

  restore(saved) {
    if (typeof saved?.seed?.id === "string" && typeof saved.seed.title === "string") this.seed = saved.seed;
    if (Array.isArray(saved?.played)) this.played = saved.played.filter((id) => typeof id === "string");
  }
}
