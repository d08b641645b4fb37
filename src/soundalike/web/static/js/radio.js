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
  #asking = false;

  /** @param {import("./queue.js").Queue} queue @param {(text: string) => void} say */
  constructor(queue, say) {
    this.queue = queue;
    this.say = say;
  }

  start(track) {
    this.seed = { id: track.id, title: track.title };
    this.queue.clear();
  }

  stop() {
    this.seed = null;
  }

  heard(track) {
    if (this.played.at(-1) !== track.id) this.played = [...this.played, track.id].slice(-MEMORY);
  }

  /**
   * Ask for more where little is left; true if something came.
   * @returns {Promise<boolean>}
   */
  async refill() {
    const seed = this.seed;
    if (!seed || this.#asking || this.queue.upcoming.length >= REFILL_BELOW) return false;
    this.#asking = true;
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
    } finally {
      this.#asking = false;
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
    if (typeof saved?.seed?.id === "string") this.seed = saved.seed;
    if (Array.isArray(saved?.played)) this.played = saved.played.filter((id) => typeof id === "string");
  }
}
