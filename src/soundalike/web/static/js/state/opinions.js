/** What the listener says of a track, by a button, a key or a menu, and what follows from it. */
import { named } from "./words.js";
/** @import { Judgement, Judgements } from "./judgements.js" */
/** @import { Player } from "./player.js" */
/** @import { Entry, Say, Track } from "./types.js" */

export class Opinions {
  /**
   * @param {Player} player @param {Judgements} judgements @param {(kind: string, trackId: string) => void} record @param {Say} say
   * @param {(text: string) => void} announce  says something to screen readers only
   */
  constructor(player, judgements, record, say, announce) {
    this.player = player;
    this.judgements = judgements;
    this.record = record;
    this.say = say;
    this.announce = announce;
  }

  /** Like a track, or take it back. @param {Track} track */
  like(track) {
    const isLiked = this.#judge(track, "liked");
    this.announce(isLiked ? `You like ${named(track.title)}.` : `You no longer like ${named(track.title)}.`);
  }

  /** Never recommend a track again, or take it back; if it plays, go on to the next. @param {Track} track */
  dislike(track) {
    if (!this.#judge(track, "disliked")) {
      this.say(`${named(track.title)} may be recommended again.`);
      return;
    }
    const undo = () => this.judgements.of(track.id) === "disliked" && this.dislike(track);
    this.say(`${named(track.title)} will not be recommended again.`, undo);
    this.#leave(track, (entry) => entry.track.id === track.id);
  }

  /** Recommend less that is like a track, without excluding it; if it plays, go on to the next. @param {Track} track */
  less(track) {
    this.record("less", track.id);
    this.say(`Less like ${named(track.title)} from now on.`);
    this.#leave(track, (entry) => entry.track.id === track.id && Boolean(entry.reason));
  }

  /** @param {Track} track @param {Judgement} kind */
  #judge(track, kind) {
    const isTakenBack = this.judgements.of(track.id) === kind;
    this.record(isTakenBack ? `un${kind}` : kind, track.id);
    return !isTakenBack;
  }

  /** @param {Track} track @param {(entry: Entry) => boolean} isMeant */
  #leave(track, isMeant) {
    this.player.queue.forget(isMeant);
    if (this.player.track?.id === track.id) this.player.pass();
    else this.player.changed();
  }
}
