/** Addresses of the API and of pages, and the one way to ask for JSON. */
import { user } from "./storage.js";

const of = (id) => `/api/tracks/${encodeURIComponent(id)}`;
export const PATIENCE_MS = 10_000;
/** The code of an answer that does not come because the library's store does not. */
export const STORE_AWAY = "store_unavailable";

/** Views listen for "storeaway", whatever it was that was asked for. */
export const refusals = new EventTarget();

/** Tell of an answer that is none. @param {?string} code */
export function tellRefusal(code) {
  if (code === STORE_AWAY) refusals.dispatchEvent(new Event("storeaway"));
}

export const audioUrl = (id) => `${of(id)}/audio`;
export const pageUrl = (id) => `/tracks/${encodeURIComponent(id)}`;
export const coverUrl = (id) => `${pageUrl(id)}/cover`;

/** Tells the server for whom this page was made: another tab may have logged in as somebody else since. */
export const asUser = () => ({ "Soundalike-User": user() });

/** An answer that is none, in the server's own sentence; status 0 where nobody answered. */
export class ApiError extends Error {
  constructor(status, message, code = null) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** @returns {Promise<import("../state/queue.js").Track>} @throws {ApiError} */
export const track = (id) => ask(of(id));

/** @returns {Promise<{liked: string[], disliked: string[]}>} what the server knows of us @throws {ApiError} */
export const judgements = () => ask("/api/judgements");

/** @returns {Promise<{profile_version: string, listens: number}>} as it is now @throws {ApiError} */
export const profile = () => ask("/api/profile");

/**
 * How the server is; `events` where its log is a server of its own.
 * @returns {Promise<{status: string, events?: {is_up: boolean, is_consumed: boolean, detail: string}}>} @throws {ApiError}
 */
export const health = () => ask("/healthz");

/**
 * What to play next.
 * @param {{seed: ?string, exclude: string[], adventure: number, limit: number}} how
 * @returns {Promise<{recommendations: {track: import("../state/queue.js").Track, reason: import("../state/queue.js").Reason}[], note: ?string, profile_version: string}>}
 * @throws {ApiError}
 */
export function recommendations({ seed, exclude, adventure, limit }) {
  const query = new URLSearchParams({ limit, adventure, exclude: exclude.join(",") });
  if (seed) query.set("seed", seed);
  return ask(`/api/recommendations?${query}`);
}

async function ask(url) {
  let response, body;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS), headers: asUser() });
    body = await response.json();
  } catch {
    throw new ApiError(0, "soundalike cannot be reached.");
  }
  if (response.ok) return body;
  tellRefusal(body.error);
  throw new ApiError(response.status, body.message ?? response.statusText, body.error);
}
