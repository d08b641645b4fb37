/** What the listener says of a track, by a button, a key or a menu, and what follows from it. */
import { named } from "./texts.js";
/** @import { Judgement, Judgements } from "./judgements.js" */
/** @import { Player } from "./player.js" */
/** @import { QueueEntry, Say, Track } from "./types.js" */

/**
 * @typedef {object} Parts
 * @property {Player} player
 * @property {Judgements} judgements
 * @property {(kind: string, trackId: string) => void} record
 * @property {(kind: string, trackId: string) => () => boolean} recordRevocably  returns what takes it back; false where it is too late
 * @property {Say} say
 * @property {(text: string) => void} announce  says something to screen readers only
 */

export class Opinions {
  /** @type {Parts} */
  #parts;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  /** Like a track, or take it back. @param {Track} track */
  like(track) {
    const isLiked = this.#judge(track, "liked");
    this.#parts.announce(isLiked ? `You like ${named(track.title)}.` : `You no longer like ${named(track.title)}.`);
  }

  /** Never recommend a track again, or take it back; if it plays, go on to the next. @param {Track} track */
  dislike(track) {
    if (!this.#judge(track, "disliked")) {
      this.#parts.say(`${named(track.title)} may be recommended again.`);
      return;
    }
    const undo = () => this.#parts.judgements.of(track.id) === "disliked" && this.dislike(track);
    this.#parts.say(`${named(track.title)} will not be recommended again.`, undo);
    this.#leave(track, (entry) => entry.track.id === track.id);
  }

  /** Recommend less that is like a track, without excluding it; if it plays, go on to the next. @param {Track} track */
  less(track) {
    const takeBack = this.#parts.recordRevocably("less", track.id);
    this.#parts.say(`Less like ${named(track.title)} from now on.`, () => {
      const isTakenBack = takeBack();
      this.#parts.say(isTakenBack ? `${named(track.title)} counts as before.` : "It is too late to take that back: it is sent already.");
    });
    this.#leave(track, (entry) => entry.track.id === track.id && Boolean(entry.reason));
  }

  /** @param {Track} track @param {Judgement} kind */
  #judge(track, kind) {
    const isTakenBack = this.#parts.judgements.of(track.id) === kind;
    this.#parts.record(isTakenBack ? `un${kind}` : kind, track.id);
    return !isTakenBack;
  }

  /** @param {Track} track @param {(entry: QueueEntry) => boolean} isMeant */
  #leave(track, isMeant) {
    this.#parts.player.queue.forget(isMeant);
    if (this.#parts.player.track?.id === track.id) this.#parts.player.pass();
    else this.#parts.player.changed();
  }
}
