/** Tracks that are parts of a longer file, such as those of a CUE image: their positions count from their own beginning. */
import { audioUrl } from "../api/client.js";
/** @import { Track } from "./types.js" */

/** @param {?Track} track @returns {number} where it begins in its file, in seconds */
export function startOf(track) {
  return (track?.part?.start_ms ?? 0) / 1000;
}

/** @param {Track} track @param {number} at  where to begin, in seconds */
export function addressOf(track, at) {
  const seconds = startOf(track) + at;
  return seconds > 0 ? `${audioUrl(track.id)}#t=${seconds}` : audioUrl(track.id);
}

/** Whether a track goes on in the same file where another ends. @param {?Track} track @param {?Track} next */
export function continues(track, next) {
  const [one, other] = [track?.part, next?.part];
  return Boolean(one?.file && one.file === other?.file && one.end_ms === other.start_ms);
}
