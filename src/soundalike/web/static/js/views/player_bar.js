/** The player bar: shows what plays, and takes hold of it. */
import { coverUrl, pageUrl } from "../api/client.js";
import { bdi, clock } from "./elements.js";

const at = (id) => document.getElementById(id);

/** @param {import("../state/player.js").Player} player */
export function showBar(player) {
  const { audio } = player;
  const [bar, seek, volume, mute] = ["player", "seek", "volume", "mute"].map(at);
  let shownId = null;
  let isSeeking = false;

  at("toggle").addEventListener("click", () => player.toggle());
  at("next").addEventListener("click", () => player.next());
  at("previous").addEventListener("click", () => player.previous());
  at("like-this").addEventListener("click", () => {
    if (player.guide.mode === "like") player.goOn();
    else player.playLike(player.track);
  });
  mute.addEventListener("click", () => player.toggleMute());
  volume.addEventListener("input", () => player.setVolume(Number(volume.value)));
  seek.addEventListener("input", () => {
    isSeeking = true;
    showTime(Number(seek.value));
  });
  seek.addEventListener("change", () => {
    isSeeking = false;
    player.seek(Number(seek.value));
  });

  function showTrack() {
    const { track } = player;
    bar.classList.toggle("is-idle", !track);
    for (const id of ["seek", "toggle", "next", "previous", "like-this"]) at(id).disabled = !track;
    if (!track || track.id === shownId) return;
    shownId = track.id;
    at("player-cover").src = coverUrl(track.id);
    at("player-title").href = pageUrl(track.id);
    at("player-title").replaceChildren(bdi(track.title));
    at("player-artist").replaceChildren(bdi(track.artist ?? "Unknown artist"));
  }

  function showState() {
    const isMuted = audio.muted || player.volume === 0;
    bar.classList.toggle("is-playing", player.isWanted);
    at("toggle").setAttribute("aria-label", player.isWanted ? "Pause" : "Play");
    at("next").disabled = !player.queue.upcoming.length && !player.guide.mode;
    at("like-this").setAttribute("aria-pressed", String(player.guide.mode === "like"));
    mute.setAttribute("aria-pressed", String(isMuted));
    mute.setAttribute("aria-label", isMuted ? "Unmute" : "Mute");
    if (document.activeElement !== volume) volume.value = String(player.volume);
    volume.style.setProperty("--filled", `${isMuted ? 0 : player.volume * 100}%`);
  }

  function showTime(seconds = audio.currentTime) {
    const { duration } = player;
    seek.max = String(duration || 1);
    if (!isSeeking) seek.value = String(seconds);
    seek.style.setProperty("--filled", `${duration ? (100 * seconds) / duration : 0}%`);
    seek.style.setProperty("--buffered", `${duration ? (100 * bufferedUntil(seconds)) / duration : 0}%`);
    seek.setAttribute("aria-valuetext", `${clock(seconds)} of ${clock(Math.round(duration))}`);
    at("elapsed").textContent = clock(seconds);
    at("total").textContent = clock(Math.round(duration));
  }

  function bufferedUntil(seconds) {
    for (let part = 0; part < audio.buffered.length; part += 1) {
      if (audio.buffered.start(part) <= seconds && seconds <= audio.buffered.end(part)) return audio.buffered.end(part);
    }
    return seconds;
  }

  function show() {
    showTrack();
    showState();
    showTime();
  }

  player.addEventListener("change", show);
  for (const event of ["timeupdate", "durationchange", "progress", "seeked", "emptied"]) {
    audio.addEventListener(event, () => isSeeking || showTime());
  }
  audio.addEventListener("waiting", () => bar.classList.add("is-waiting"));
  for (const event of ["playing", "pause", "error"]) {
    audio.addEventListener(event, () => bar.classList.remove("is-waiting"));
  }
  show();
}
