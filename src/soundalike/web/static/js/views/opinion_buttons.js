/** The player bar's buttons for an opinion of what plays. */
import { byId, whenChanged } from "./elements.js";
/** @import { App } from "../app.js" */

/** @param {App} app @param {() => void} explain  shows why this track plays */
export function showOpinions({ player, judgements, opinions }, explain) {
  const buttons = ["like", "dislike", "less", "why-this"].map((id) => byId(id, HTMLButtonElement));
  const [like, dislike, less, why] = buttons;

  like.addEventListener("click", () => player.track && opinions.like(player.track));
  dislike.addEventListener("click", () => player.track && opinions.dislike(player.track));
  less.addEventListener("click", () => player.track && opinions.less(player.track));
  why.addEventListener("click", explain);

  const show = whenChanged(
    () => [player.track, player.track && judgements.of(player.track.id)],
    (track, judgement) => {
      for (const one of buttons) one.disabled = !track;
      like.setAttribute("aria-pressed", String(judgement === "liked"));
      dislike.setAttribute("aria-pressed", String(judgement === "disliked"));
    },
  );

  player.addEventListener("change", show);
  judgements.addEventListener("change", show);
  show();
}
