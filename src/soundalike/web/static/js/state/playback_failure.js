/** Why a track did not play, found out by asking for its audio once more without the bytes. */
import { STORE_AWAY } from "../api/client.js";
import { named } from "./texts.js";
/** @import { ApiClient } from "../api/client.js" */
/** @import { Track } from "./types.js" */

/** @type {Record<string, string>} */
const FORMATS = {
  "audio/mp4": "this MPEG-4 audio",
  "audio/mp4; codecs=alac": "ALAC",
  "audio/ogg; codecs=opus": "Opus",
  "audio/ogg; codecs=flac": "FLAC",
  "audio/mp4; codecs=flac": "FLAC in MP4",
  "audio/mp4; codecs=opus": "Opus in MP4",
  "audio/x-matroska": "Matroska",
  "audio/x-matroska; codecs=flac": "FLAC in Matroska",
  "audio/x-ms-wma": "Windows Media Audio",
  "audio/x-wavpack": "WavPack",
  "audio/x-ape": "Monkey's Audio",
};

/**
 * "skip": another track may play. "stop": no other track would play either. "wait": the same, until the server is back.
 * @typedef {{then: "skip" | "stop" | "wait", text: string}} Failure
 */

/**
 * @param {ApiClient} api @param {Track} track @param {(type: string) => string} canPlayType  as an audio element answers
 * @returns {Promise<Failure>}
 */
export async function explainFailure(api, track, canPlayType) {
  const title = named(track.title);
  const found = await api.probeAudio(track.id).catch(() => null);
  if (!found) return { then: "wait", text: "soundalike cannot be reached. Playback continues when it is back." };
  const { status, isOk, type } = found;
  if (status === 401) return { then: "stop", text: "You are logged out. Log in, then press play to continue." };
  if (status === 409) return { then: "skip", text: `${title} is skipped: its audio is not in the library.` };
  if (status === 410) return { then: "skip", text: `${title} is skipped: its file is gone from its folder.` };
  if (status === 503 && (await isStoreAway(api, track))) {
    return { then: "wait", text: "The library cannot be reached at the moment. Playback continues when it is back." };
  }
  if (!isOk) return { then: "skip", text: `${title} is skipped: it cannot be loaded at the moment.` };
  const [container, codec] = type.replace(/^audio\/(x-)?/, "").toUpperCase().split("; CODECS=");
  const format = FORMATS[type] ?? (codec ? `${container} with ${codec}` : container);
  const orDamaged = canPlayType(type) ? ", or the file is damaged" : "";
  return { then: "skip", text: `${title} is skipped: this browser cannot play ${format}${orDamaged}.` };
}

/** Whether the audio is missing because the store is away. @param {ApiClient} api @param {Track} track */
function isStoreAway(api, { id }) {
  return api.track(id).then(
    () => false,
    ({ status, code }) => !status || code === STORE_AWAY,
  );
}
