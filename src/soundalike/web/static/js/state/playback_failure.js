/** Why a track did not play, found out by asking for it once more without its sound. */
import { PATIENCE_MS, STORE_AWAY, audioUrl, track as trackOf } from "../api/client.js";
import { named } from "../views/elements.js";

const FORMATS = {
  "audio/mp4": "this MPEG-4 audio",
  "audio/mp4; codecs=alac": "ALAC",
  "audio/ogg; codecs=opus": "Opus",
  "audio/ogg; codecs=flac": "FLAC",
};

/**
 * @param {import("./queue.js").Track} track
 * @returns {Promise<{isOffline: boolean, isAway?: boolean, text: string}>} whether no other track would come either, and
 *   whether that passes by itself
 */
export async function explainFailure(track) {
  const title = named(track.title);
  let response;
  try {
    response = await fetch(audioUrl(track.id), { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch {
    return { isOffline: true, isAway: true, text: "soundalike cannot be reached. It plays on when it is back." };
  }
  if (response.status === 401) {
    return { isOffline: true, text: "You are logged out. Press play to go on when you have logged in." };
  }
  if (response.status === 410) {
    return { isOffline: false, text: `${title} is gone from its folder, so it is skipped.` };
  }
  if (response.status === 503 && (await isStoreAway(track))) {
    return { isOffline: true, isAway: true, text: "The library cannot be reached just now. It plays on when it is back." };
  }
  if (!response.ok) return { isOffline: false, text: `${title} cannot be had just now, so it is skipped.` };
  const type = response.headers.get("Content-Type") ?? "";
  const format = FORMATS[type] ?? type.replace(/^audio\/(x-)?/, "").toUpperCase();
  const isPlayable = Boolean(document.createElement("audio").canPlayType(type));
  const why = `this browser cannot play ${format}${isPlayable ? ", or the file is damaged" : ""}`;
  return { isOffline: false, text: `${title} is skipped: ${why}.` };
}

/** Whether it is for the store that a track does not come: then no other would come either. */
function isStoreAway({ id }) {
  return trackOf(id).then(
    () => false,
    ({ status, code }) => !status || code === STORE_AWAY,
  );
}
