/** The listens that a recommendation follows from, in words. */
import { ago } from "./texts.js";
/** @import { QueueEntry } from "./types.js" */

/** @type {Record<string, string>} */
const DONE = {
  started: "you played it",
  finished: "you finished it",
  skipped: "you skipped it",
  liked: "you liked it",
  unliked: "you took back that you liked it",
  disliked: "you disliked it",
  undisliked: "you took back that you disliked it",
  less: "you asked for less like it",
};
const CHOSEN = "It was not recommended: you chose it, or the list it is in.";

/**
 * Why an entry is in the queue. The same thing done to the same track several times is one line, at its first place.
 * @param {QueueEntry} entry @param {number} nowMs
 */
export function explain({ reason }, nowMs) {
  /** @type {Map<string, {trackId: string, kind: string, at: string, times: number}>} */
  const lines = new Map();
  for (const { track_id, kind, at } of reason?.because ?? []) {
    const key = `${track_id}:${kind}`;
    const { at: latest, times } = lines.get(key) ?? { at, times: 0 };
    lines.set(key, { trackId: track_id, kind, at: at > latest ? at : latest, times: times + 1 });
  }
  const because = [...lines.values()].map(({ trackId, kind, at, times }) => {
    const often = times > 1 ? ` ${times === 2 ? "twice" : `${times} times`}, last` : "";
    return { trackId, text: `${DONE[kind] ?? "you listened to it"}${often} ${ago(at, nowMs)}` };
  });
  return { text: reason?.text ?? CHOSEN, because };
}
