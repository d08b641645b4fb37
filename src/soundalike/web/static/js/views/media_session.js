/** What the system shows on lock screens, and media keys. */
import { coverUrl } from "../api/client.js";
import { whenChanged } from "./elements.js";
/** @import { App } from "../app.js" */

const STEP_S = 10;

/** @param {App} app */
export function showInSystem({ player }) {
  const session = navigator.mediaSession;
  if (!session) return;
  const { audio } = player;
  /** @type {[MediaSessionAction, MediaSessionActionHandler][]} */
  const actions = [
    ["play", () => player.isPlaying || player.toggle()],
    ["pause", () => player.isPlaying && player.toggle()],
    ["previoustrack", () => player.previous()],
    ["nexttrack", () => player.next()],
    ["seekbackward", (how) => player.seek(player.position - (how.seekOffset ?? STEP_S))],
    ["seekforward", (how) => player.seek(player.position + (how.seekOffset ?? STEP_S))],
    ["seekto", (how) => player.seek(how.seekTime ?? 0)],
  ];
  for (const [name, action] of actions) {
    try {
      session.setActionHandler(name, action);
    } catch {
      // This browser does not know the action.
    }
  }
  const show = whenChanged(() => [player.track], (track) => {
    if (!track) return;
    const { id, title, artist, album } = track;
    session.metadata = new MediaMetadata({ title, artist: artist ?? "", album: album ?? "", artwork: [{ src: coverUrl(id) }] });
  });
  player.addEventListener("change", () => {
    session.playbackState = player.isPlaying ? "playing" : "paused";
    show();
  });
  audio.addEventListener("timeupdate", () => {
    const { duration } = player;
    if (duration) session.setPositionState?.({ duration, position: Math.min(player.position, duration) });
  });
}
