/** The player bar: shows what plays, and controls it. */
import { coverUrl, pageUrl } from "../api/client.js";
import { clock } from "../state/texts.js";
import { bdi, byId, byline, whenChanged } from "./elements.js";
/** @import { App } from "../app.js" */

/** @param {App} app @param {() => void} explain  shows why this track plays */
export function showBar({ player, queue, autoQueue, judgements, opinions }, explain) {
  const { audio } = player;
  const bar = byId("player");
  const [seek, volume] = ["seek", "volume"].map((id) => byId(id, HTMLInputElement));
  const buttons = ["toggle", "next", "previous", "like-this", "mute", "like", "dislike", "less", "why-this"];
  const [toggle, next, previous, likeThis, mute, like, dislike, less, why] = buttons.map((id) => byId(id, HTMLButtonElement));
  const [elapsed, total] = ["elapsed", "total"].map((id) => byId(id));
  /** @type {"following" | "dragged"} */
  let seekState = "following";

  toggle.addEventListener("click", () => player.toggle());
  next.addEventListener("click", () => player.next());
  previous.addEventListener("click", () => player.previous());
  likeThis.addEventListener("click", () => {
    if (autoQueue.mode === "like") player.goOn();
    else if (player.track) player.playLike(player.track);
  });
  like.addEventListener("click", () => player.track && opinions.like(player.track));
  dislike.addEventListener("click", () => player.track && opinions.dislike(player.track));
  less.addEventListener("click", () => player.track && opinions.less(player.track));
  why.addEventListener("click", explain);
  mute.addEventListener("click", () => player.toggleMute());
  volume.addEventListener("input", () => player.setVolume(Number(volume.value)));
  seek.addEventListener("input", () => {
    seekState = "dragged";
    showTime(Number(seek.value));
  });
  seek.addEventListener("change", () => {
    seekState = "following";
    player.seek(Number(seek.value));
  });

  const showTrack = whenChanged(() => [player.track], (track) => {
    bar.classList.toggle("is-idle", !track);
    for (const control of [seek, toggle, previous, likeThis, like, dislike, less, why]) control.disabled = !track;
    if (!track) return;
    byId("player-cover", HTMLImageElement).src = coverUrl(track.id);
    byId("player-title", HTMLAnchorElement).href = pageUrl(track.id);
    byId("player-title").replaceChildren(bdi(track.title));
    byId("player-artist").replaceChildren(...byline(track));
  });

  const showButtons = whenChanged(() => [player.isPlaying, queue.upcoming.length > 0, autoQueue.mode], (isPlaying, hasNext, mode) => {
    bar.classList.toggle("is-playing", isPlaying);
    toggle.setAttribute("aria-label", isPlaying ? "Pause" : "Play");
    next.disabled = !hasNext && !mode;
    likeThis.setAttribute("aria-pressed", String(mode === "like"));
  });

  const showVolume = whenChanged(() => [player.volume, audio.muted, document.activeElement === volume], (level, muted, isDragged) => {
    const isMuted = muted || level === 0;
    mute.setAttribute("aria-pressed", String(isMuted));
    mute.setAttribute("aria-label", isMuted ? "Unmute" : "Mute");
    if (!isDragged) volume.value = String(level);
    volume.style.setProperty("--filled", `${isMuted ? 0 : level * 100}%`);
  });

  const showJudgement = whenChanged(() => [player.track && judgements.of(player.track.id)], (judgement) => {
    like.setAttribute("aria-pressed", String(judgement === "liked"));
    dislike.setAttribute("aria-pressed", String(judgement === "disliked"));
  });

  function showTime(seconds = player.position) {
    const { duration } = player;
    /** @param {number} second */
    const share = (second) => `${duration ? (100 * second) / duration : 0}%`;
    seek.max = String(duration || 1);
    if (seekState === "following") seek.value = String(seconds);
    seek.style.setProperty("--filled", share(seconds));
    seek.style.setProperty("--buffered", share(player.position + bufferedAhead(audio)));
    seek.setAttribute("aria-valuetext", `${clock(seconds)} of ${clock(Math.round(duration))}`);
    elapsed.textContent = clock(seconds);
    total.textContent = clock(Math.round(duration));
  }

  function show() {
    for (const part of [showTrack, showButtons, showJudgement, showVolume, showTime]) part();
  }

  player.addEventListener("change", show);
  judgements.addEventListener("change", showJudgement);
  for (const event of ["timeupdate", "durationchange", "progress", "seeked", "emptied"]) {
    audio.addEventListener(event, () => seekState === "following" && showTime());
  }
  audio.addEventListener("waiting", () => bar.classList.add("is-waiting"));
  for (const event of ["playing", "pause", "error"]) {
    audio.addEventListener(event, () => bar.classList.remove("is-waiting"));
  }
  show();
}

/** @param {HTMLAudioElement} audio @returns {number} how many seconds have come already */
function bufferedAhead({ buffered, currentTime }) {
  for (let part = 0; part < buffered.length; part += 1) {
    if (buffered.start(part) <= currentTime && currentTime <= buffered.end(part)) return buffered.end(part) - currentTime;
  }
  return 0;
}
