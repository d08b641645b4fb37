/** The HTTP API of the server, and the addresses of its pages. */
/** @import { Listen, Recommendations, Scan, Track } from "../state/types.js" */

const PATIENCE_MS = 10_000;
const SENDING_PATIENCE_MS = 15_000;
/** The error code of a server whose store does not answer. */
export const STORE_AWAY = "store_unavailable";

/** @param {string} id */
const apiUrl = (id) => `/api/tracks/${encodeURIComponent(id)}`;
/** @param {string} id */
export const audioUrl = (id) => `${apiUrl(id)}/audio`;
/** @param {string} id */
export const pageUrl = (id) => `/tracks/${encodeURIComponent(id)}`;
/** @param {string} id */
export const artistUrl = (id) => `/artists/${encodeURIComponent(id)}`;
/** @param {string} id */
export const albumUrl = (id) => `/albums/${encodeURIComponent(id)}`;
/** @param {string} id */
export const genreUrl = (id) => `/genres/${encodeURIComponent(id)}`;
/** @param {string} id */
export const coverUrl = (id) => `${pageUrl(id)}/cover`;

/** An answer that is an error, with the server's message; status 0 where there was no answer. */
export class ApiError extends Error {
  /** @param {number} status @param {string} message @param {?string} code */
  constructor(status, message, code = null) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Sends requests for one listener. Dispatches "storeaway", with the server's message, when its store does not answer or takes nothing. */
export class ApiClient extends EventTarget {
  /** @param {typeof fetch} fetch @param {string} user */
  constructor(fetch, user) {
    super();
    this.fetch = fetch;
    // In another tab somebody else may have logged in: then the server refuses what this page asks.
    this.headers = { "Soundalike-User": user };
  }

  /** @param {string} id @returns {Promise<Track>} @throws {ApiError} */
  track = (id) => this.#get(apiUrl(id));
  /** @param {URLSearchParams} query @returns {Promise<{tracks: Track[], next: ?string}>} @throws {ApiError} */
  tracks = (query) => this.#get(`/api/tracks?${query}`);
  /** @returns {Promise<{liked: string[], disliked: string[], profile_version: string}>} @throws {ApiError} */
  judgements = () => this.#get("/api/judgements");
  /** @returns {Promise<{generation: number}>} @throws {ApiError} */
  me = () => this.#get("/api/me");
  /** @returns {Promise<{profile_version: string, listens: number}>} @throws {ApiError} */
  profile = () => this.#get("/api/profile");
  /**
   * How the server is; `events` only where its event log is a server of its own.
   * @returns {Promise<{status: string, events?: {is_up: boolean, is_consumed: boolean, detail: string}}>} @throws {ApiError}
   */
  health = () => this.#get("/healthz");
  /** @returns {Promise<Scan>} @throws {ApiError} */
  scan = () => this.#get("/api/scans/current");
  /** Ask for a scan, pause it or let it go on. @param {string} url @returns {Promise<Scan>} @throws {ApiError} */
  steerScan = (url) => this.#get(url, { method: "POST", body: "{}", headers: { ...this.headers, "Content-Type": "application/json" } });

  /**
   * What to play next.
   * @param {{seed: ?string, recent: string[], exclude: string[], adventure: number, limit: number}} how
   * @returns {Promise<Recommendations>} @throws {ApiError}
   */
  recommendations({ seed, recent, exclude, adventure, limit }) {
    const named = { recent: recent.join(","), exclude: exclude.join(",") };
    const query = new URLSearchParams({ limit: String(limit), adventure: String(adventure), ...named });
    if (seed) query.set("seed", seed);
    return this.#get(`/api/recommendations?${query}`);
  }

  /** @param {Listen[]} events @throws {Error} where there is no answer */
  async sendListens(events) {
    const response = await this.#post(events, { signal: AbortSignal.timeout(SENDING_PATIENCE_MS) });
    const answer = await response.json().catch(() => ({}));
    if (![202, 400, 401, 413].includes(response.status)) this.#note(answer);
    return { status: response.status, answer, retryAfterMs: 1000 * Number(response.headers.get("Retry-After")) || 0 };
  }

  /** Send from a page that closes, which gets no answer any more. @param {Listen[]} events */
  sendLast(events) {
    this.#post(events, { keepalive: true }).catch(() => {});
  }

  /** Ask for a track's audio without its bytes. @param {string} id @throws {Error} where there is no answer */
  async probeAudio(id) {
    const how = { method: "HEAD", cache: /** @type {const} */ ("no-store"), signal: AbortSignal.timeout(PATIENCE_MS) };
    const response = await this.fetch(audioUrl(id), how);
    return { status: response.status, isOk: response.ok, type: response.headers.get("Content-Type") ?? "" };
  }

  /** @param {string} url @param {RequestInit} [how] */
  async #get(url, how) {
    let response, body;
    try {
      response = await this.fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS), headers: this.headers, ...how });
      body = await response.json();
    } catch {
      throw new ApiError(0, "soundalike cannot be reached.");
    }
    if (response.ok) return body;
    this.#note(body);
    throw new ApiError(response.status, body.message ?? response.statusText, body.error);
  }

  /** @param {Listen[]} events @param {RequestInit} how */
  #post(events, how) {
    const headers = { ...this.headers, "Content-Type": "application/json" };
    return this.fetch("/api/listens", { method: "POST", headers, body: JSON.stringify({ events }), ...how });
  }

  /** @param {{error?: string, message?: string}} answer */
  #note({ error, message }) {
    if (error === STORE_AWAY) this.dispatchEvent(new CustomEvent("storeaway", { detail: message }));
  }
}
