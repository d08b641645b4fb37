/** What the listener says of a track, by a button, a key or a menu, and what follows from it. */
import { announce } from "../views/toasts.js";
import { named } from "../views/elements.js";

export class Opinions {
  /**
   * @param {import("./player.js").Player} player
   * @param {import("./judgements.js").Judgements} judgements
   * @param {(kind: string, trackId: string) => void} record
   * @param {(text: string, undo?: () => void) => void} say
   */
  constructor(player, judgements, record, say) {
    Object.assign(this, { player, judgements, record, say });
  }

  /** Like a track, or take it back. */
  like(track) {
    const isLiked = this.#judge(track, "liked");
    announce(isLiked ? `You like ${named(track.title)}.` : `${named(track.title)} is no longer liked.`);
  }

  /** Never want to be recommended a track, or take it back; if it plays, it goes on to the next. */
  dislike(track) {
    if (!this.#judge(track, "disliked")) {
      this.say(`${named(track.title)} may be recommended again.`);
      return;
    }
    this.say(`${named(track.title)} is not recommended again.`, () => this.judgements.of(track.id) === "disliked" && this.dislike(track));
    this.#leave(track, (entry) => entry.track.id === track.id);
  }

  /** Push away what is like a track, without excluding it; if it plays, it goes on to the next. */
  less(track) {
    this.record("less", track.id);
    this.say(`Less like ${named(track.title)} from now on.`);
    this.#leave(track, (entry) => entry.track.id === track.id && entry.reason);
  }

  #judge(track, kind) {
    const isTakenBack = this.judgements.of(track.id) === kind;
    this.record(isTakenBack ? `un${kind}` : kind, track.id);
    return !isTakenBack;
  }

  #leave(track, isMeant) {
    this.player.queue.forget(isMeant);
    if (this.player.track?.id === track.id) this.player.pass();
    else this.player.changed();
  }
}

/** The buttons of the bar: about what plays. @param {Opinions} opinions @param {() => void} explain */
export function showOpinions(opinions, explain) {
  const { player, judgements } = opinions;
  const button = (id) => document.getElementById(id);

  button("like").addEventListener("click", () => opinions.like(player.track));
  button("dislike").addEventListener("click", () => opinions.dislike(player.track));
  button("less").addEventListener("click", () => opinions.less(player.track));
  button("why-this").addEventListener("click", explain);

  function show() {
    const kind = player.track && judgements.of(player.track.id);
    for (const id of ["like", "dislike", "less", "why-this"]) button(id).disabled = !player.track;
    button("like").setAttribute("aria-pressed", String(kind === "liked"));
    button("dislike").setAttribute("aria-pressed", String(kind === "disliked"));
  }

  player.addEventListener("change", show);
  judgements.addEventListener("change", show);
  show();
}
