/** Turns what is heard into listens: a track starts, ends by itself, or is left by choice. */
/** @import { Browser } from "../api/browser.js" */
/** @import { UserStorage } from "../api/storage.js" */
/** @import { Player } from "./player.js" */
/** @import { DataEvent, Track } from "./types.js" */

const NEAR_END_S = 2;
const NEAR_END_SHARE = 0.98;

/** Where a track was left. @typedef {{seconds: number, duration: number}} Left */
/** @typedef {{browser: Browser, storage: UserStorage, player: Player, record: (kind: string, trackId: string, seconds: number) => void}} Parts */

/** One time that a track is heard. @typedef {{trackId: ?string, state: "silent" | "started" | "finished"}} Play */

export class PlayTracker {
  /** @type {Play} */
  #play;
  /** @type {Parts} */
  #parts;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    const { browser, player } = parts;
    // A play continues after its tab is reloaded; a new tab that opens with the same track has not played it.
    this.#play = browser.isNewTab() ? silent(player.track) : this.#restored();
    const { audio } = player;
    player.addEventListener("leave", (event) => this.#leave(/** @type {DataEvent<Left>} */ (event).data));
    player.addEventListener("begin", (event) => {
      this.#set(silent(player.track));
      if (/** @type {DataEvent<boolean>} */ (event).data) this.#start();
    });
    player.addEventListener("end", () => this.#finish(player.position));
    audio.addEventListener("playing", () => this.#start());
    audio.addEventListener("timeupdate", () => audio.paused || audio.seeking || this.#moved(player.position));
  }

  /** What never sounded, such as what cannot be played, is not judged by going on. @param {Left} left */
  #leave({ seconds, duration }) {
    if (this.#play.state !== "started") return;
    if (isNearEnd(seconds, duration)) this.#finish(seconds);
    else this.#record("skipped", seconds);
  }

  #start() {
    if (this.#play.state !== "silent") return;
    this.#set({ ...this.#play, state: "started" });
    this.#record("started", this.#parts.player.position);
  }

  /** @param {number} seconds */
  #finish(seconds) {
    if (this.#play.state !== "started") return;
    this.#set({ ...this.#play, state: "finished" });
    this.#record("finished", seconds);
  }

  /** A finished track that is moved back to its beginning is heard once more. @param {number} seconds */
  #moved(seconds) {
    const { duration, track } = this.#parts.player;
    if (isNearEnd(seconds, duration)) this.#finish(seconds);
    else if (this.#play.state === "finished" && seconds < duration / 2) {
      this.#set(silent(track));
      this.#start();
    }
  }

  /** @param {string} kind @param {number} seconds */
  #record(kind, seconds) {
    if (this.#play.trackId) this.#parts.record(kind, this.#play.trackId, seconds);
  }

  /** @param {Play} play */
  #set(play) {
    this.#play = play;
    const { trackId, state } = play;
    const stored = { trackId, isStarted: state !== "silent", isFinished: state === "finished" };
    this.#parts.storage.write(this.#parts.storage.keyOf("play"), stored, "session");
  }

  /** @returns {Play} */
  #restored() {
    const { track } = this.#parts.player;
    const saved = this.#parts.storage.read(this.#parts.storage.keyOf("play"), "session");
    if (!track || saved?.trackId !== track.id || saved.isStarted !== true) return silent(track);
    return { trackId: track.id, state: saved.isFinished === true ? "finished" : "started" };
  }
}

/** @param {number} seconds @param {number} duration */
function isNearEnd(seconds, duration) {
  const isLastMoment = duration - seconds <= NEAR_END_S && seconds >= duration / 2;
  return duration > 0 && (isLastMoment || seconds >= NEAR_END_SHARE * duration);
}

/** @param {?Track} track @returns {Play} */
function silent(track) {
  return { trackId: track?.id ?? null, state: "silent" };
}
