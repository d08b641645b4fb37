/** Turns what sounds into listens: a track begins to sound, ends by itself, or is left by choice. */
import { keyOf } from "../api/storage.js";

const NEAR_END_S = 2;
const NEAR_END_SHARE = 0.98;

/**
 * @typedef {{trackId: ?string, isStarted: boolean, isFinished: boolean}} Play  one time that a track is heard
 * @param {import("./player.js").Player} player
 * @param {(kind: string, trackId: string, seconds: number) => void} record
 */
export function keepAccount(player, record) {
  const { audio } = player;
  let play = resumed(player.track);

  player.addEventListener("leave", ({ detail: { seconds, duration } }) => {
    // What never sounded, as what cannot be played, is not judged by going on.
    if (!play.isStarted || play.isFinished) return;
    if (isNearEnd(seconds, duration)) finish(seconds);
    else record("skipped", play.trackId, seconds);
  });
  player.addEventListener("begin", () => set(unheard(player.track)));
  player.addEventListener("end", () => finish(audio.currentTime));
  audio.addEventListener("playing", start);
  audio.addEventListener("timeupdate", () => {
    if (audio.paused || audio.seeking) return;
    const { currentTime } = audio;
    if (isNearEnd(currentTime, player.duration)) finish(currentTime);
    else if (play.isFinished && currentTime < player.duration / 2) again();
  });

  function start() {
    if (play.isStarted || play.trackId !== player.track?.id) return;
    set({ ...play, isStarted: true });
    record("started", play.trackId, audio.currentTime);
  }

  function finish(seconds) {
    if (!play.isStarted || play.isFinished) return;
    set({ ...play, isFinished: true });
    record("finished", play.trackId, seconds);
  }

  /** What has ended and was taken back to its beginning is heard once more. */
  function again() {
    set(unheard(player.track));
    start();
  }

  function set(now) {
    play = now;
    keep(now);
  }
}

function isNearEnd(seconds, duration) {
  const isLastMoment = duration - seconds <= NEAR_END_S && seconds >= duration / 2;
  return duration > 0 && (isLastMoment || seconds >= NEAR_END_SHARE * duration);
}

function unheard(track) {
  return { trackId: track?.id ?? null, isStarted: false, isFinished: false };
}

/** A play goes on over a reload of its tab; another tab that opens with the same track has not played it. */
function resumed(track) {
  if (isNewTab()) return unheard(track);
  try {
    const { trackId, isStarted, isFinished } = JSON.parse(sessionStorage.getItem(keyOf("play"))) ?? {};
    if (track && trackId === track.id) return { trackId, isStarted: isStarted === true, isFinished: isFinished === true };
  } catch {
    // Forbidden, or not ours.
  }
  return unheard(track);
}

/** Whether this tab was just opened: one that a page opens starts with a copy of what its opener remembers. */
function isNewTab() {
  const [navigation] = performance.getEntriesByType("navigation");
  return history.length <= 1 && navigation?.type !== "reload";
}

function keep(play) {
  try {
    sessionStorage.setItem(keyOf("play"), JSON.stringify(play));
  } catch {
    // Full or forbidden: then a reload begins another play.
  }
}
