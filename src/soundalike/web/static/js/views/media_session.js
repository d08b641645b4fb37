/** What the system shows on lock screens and media keys. */
import { coverUrl } from "../api/client.js";

const STEP_S = 10;

/** @param {import("../state/player.js").Player} player */
export function tellSystem(player) {
  const session = navigator.mediaSession;
  if (!session) return;
  const { audio } = player;
  const actions = {
    play: () => player.isWanted || player.toggle(),
    pause: () => player.isWanted && player.toggle(),
    previoustrack: () => player.previous(),
    nexttrack: () => player.next(),
    seekbackward: (how) => player.seek(audio.currentTime - (how.seekOffset ?? STEP_S)),
    seekforward: (how) => player.seek(audio.currentTime + (how.seekOffset ?? STEP_S)),
    seekto: (how) => player.seek(how.seekTime),
  };
  for (const [name, action] of Object.entries(actions)) {
    try {
      session.setActionHandler(name, action);
    } catch {
      // An action that this browser does not know.
    }
  }
  let shownId = null;
  player.addEventListener("change", () => {
    session.playbackState = player.isWanted ? "playing" : "paused";
    const { track } = player;
    if (!track || track.id === shownId) return;
    shownId = track.id;
    const { title, artist, album } = track;
    const artwork = [{ src: coverUrl(track.id) }];
    session.metadata = new MediaMetadata({ title, artist: artist ?? "", album: album ?? "", artwork });
  });
  audio.addEventListener("timeupdate", () => {
    const duration = player.duration;
    if (duration) session.setPositionState?.({ duration, position: Math.min(audio.currentTime, duration) });
  });
}
