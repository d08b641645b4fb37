/** A server that answers as soundalike does, with what a test changes about it. */

export const reply = (status, body = {}, headers = {}) => ({
  status,
  ok: status >= 200 && status < 300,
  statusText: `status ${status}`,
  headers: new Headers(headers),
  json: async () => structuredClone(body),
});
export const refusal = (status, error = "x", message = "not now", headers = {}) => reply(status, { error, message }, headers);

const UNDONE = { unliked: "liked", undisliked: "disliked" };

export class FakeServer {
  /** Every request: path, query, events, how. */
  requests = [];
  /** What is stored, by id: an id counts once. */
  listens = new Map();
  /** Listens that were taken and wait to be folded, where the log folds later. */
  waiting = [];
  isOffline = false;
  foldsLater = false;
  /** The generation of the listener's data. */
  generation = 0;
  /** Up to when events may be dated. */
  latestMs = Infinity;
  /** Tracks of which it calls every event malformed. */
  malformed = new Set();
  health = { status: "ok" };
  /** Type and status of audio that does not play, by track. */
  silent = new Map();
  note = null;
  /** How far the library is in step with its folders. */
  scan = { state: "idle", is_running: false, is_wanted: false, is_paused: false, started_at: null, done: 0, total: 0, seconds_left: null, last: null };
  #folded = [];
  #answers = new Map();

  constructor(ids) {
    this.tracks = new Map(ids.map((id) => [id, trackOf(id)]));
  }

  fetch = async (url, how = {}) => {
    const [path, query] = url.split("?");
    const request = { path, query: Object.fromEntries(new URLSearchParams(query)), how };
    if (how.body) request.events = JSON.parse(how.body).events;
    this.requests.push(request);
    if (this.isOffline) throw new TypeError("Failed to fetch");
    const answer = this.#answers.get(path);
    return answer ? answer(request) : this.answer(request);
  };

  /** Answer as the server does. */
  answer({ path, query, events }) {
    if (path === "/api/listens") return this.#take(events);
    if (path === "/api/judgements") return reply(200, { ...this.#judgements(), profile_version: this.version });
    if (path === "/api/profile") return reply(200, { profile_version: this.version, listens: this.#folded.length });
    if (path === "/api/recommendations") return this.#recommend(query);
    if (path === "/api/me") return reply(200, { id: "you", generation: this.generation });
    if (path === "/healthz") return reply(200, this.health);
    if (path === "/api/scans/current") return reply(200, this.scan);
    if (path.startsWith("/api/scans")) return this.#steer(path);
    if (path === "/api/tracks") return this.#page(query);
    const [, , , id, audio] = path.split("/");
    const track = this.tracks.get(id);
    if (audio) return reply(this.silent.get(id)?.status ?? 200, {}, { "Content-Type": this.silent.get(id)?.type ?? "audio/ogg" });
    return track ? reply(200, track) : refusal(404, "unknown_track", "no such track");
  }

  /** Answer a path in another way until the returned function is called. */
  when(path, answer) {
    this.#answers.set(path, answer);
    return () => this.#answers.delete(path);
  }

  /** Keep requests for a path waiting; returns them, each with `release`. */
  hold(path, isMeant = () => true) {
    const held = [];
    this.when(path, (request) => {
      if (!isMeant(request)) return this.answer(request);
      return new Promise((resolve) => held.push({ request, release: (answer = this.answer(request)) => resolve(answer) }));
    });
    return held;
  }

  asked(path) {
    return this.requests.filter((request) => request.path === path);
  }

  /** Kind and track of everything that is stored, in the order of its time. */
  get told() {
    return [...this.listens.values()].sort((one, other) => (one.at < other.at ? -1 : 1)).map(({ kind, track_id }) => `${kind} ${track_id}`);
  }

  get version() {
    return `v${this.#folded.length}`;
  }

  /** Fold so many of what waits. */
  fold(count = this.waiting.length) {
    this.#folded.push(...this.waiting.splice(0, count));
  }

  /** Store a listen that another device sent. */
  listen(kind, trackId) {
    this.#store({ id: `other${this.listens.size}`, kind, track_id: trackId, at: new Date(Date.UTC(2025, 0, 1)).toISOString() });
  }

  hasSound(id) {
    return !this.isOffline && !this.silent.has(id);
  }

  #take(events) {
    const index = events.findIndex(({ track_id }) => this.malformed.has(track_id));
    if (index >= 0) return reply(400, { error: "bad_event", index, message: `track_id must be the id of a track, not '${events[index].track_id}'` });
    const { generation, latestMs } = this;
    const indexesOf = (isMeant) => [...events.keys()].filter((position) => isMeant(events[position]));
    const unknown = indexesOf((event) => event.generation > generation);
    if (unknown.length) return reply(409, { error: "unknown_generation", message: "not yet", generation, indexes: unknown });
    const missing = indexesOf(({ track_id }) => !this.tracks.has(track_id));
    if (missing.length) return reply(409, { error: "unknown_track", message: "not yet", indexes: missing });
    const ahead = indexesOf(({ at }) => Date.parse(at) > latestMs);
    const server_time = new Date(Math.min(latestMs - 300_000, 8e15)).toISOString();
    if (ahead.length) return reply(409, { error: "ahead_of_clock", message: "not yet", server_time, indexes: ahead });
    const visible = events.filter((event) => !(event.generation < generation));
    for (const event of visible) this.#store(event);
    const hidden = events.length - visible.length;
    return reply(202, { accepted: visible.length, duplicates: 0, generation, ...(this.foldsLater ? { folded: false } : { hidden }) });
  }

  #steer(path) {
    if (path === "/api/scans") this.scan = { ...this.scan, is_wanted: true };
    else this.scan = { ...this.scan, is_paused: path.endsWith("/pause"), state: path.endsWith("/pause") ? "paused" : this.scan.is_running ? "analysing" : "idle" };
    return reply(path === "/api/scans" ? 202 : 200, this.scan);
  }

  #store(event) {
    if (this.listens.has(event.id)) return;
    this.listens.set(event.id, event);
    (this.foldsLater ? this.waiting : this.#folded).push(event);
  }

  #judgements() {
    const known = new Map();
    for (const { kind, track_id } of this.#folded) {
      if (kind === "liked" || kind === "disliked") known.set(track_id, kind);
      else if (known.get(track_id) === UNDONE[kind]) known.delete(track_id);
    }
    const of = (kind) => [...known].filter(([, other]) => other === kind).map(([id]) => id);
    return { liked: of("liked"), disliked: of("disliked") };
  }

  /** A page of two tracks; a cursor is the place of the first. */
  #page({ cursor }) {
    const [all, next] = [[...this.tracks.values()], Number(cursor) + 2];
    return reply(200, { tracks: all.slice(next - 2, next), total: all.length, next: next < all.length ? String(next) : null });
  }

  #recommend({ exclude, recent, limit, seed }) {
    const { liked, disliked } = this.#judgements();
    const excluded = new Set([...exclude.split(","), ...recent.split(","), ...disliked, seed]);
    const found = [...this.tracks.values()].filter(({ id }) => !excluded.has(id)).slice(0, Number(limit));
    const text = liked.length ? `similar to ${liked.at(-1)}, which you liked` : "a first mix";
    const recommendations = found.map((track) => ({ track, reason: { text, because: [] } }));
    return reply(200, { recommendations, note: this.note, profile_version: this.version });
  }
}

export function trackOf(id) {
  return { id, title: id[0].toUpperCase() + id.slice(1), artist: `Artist of ${id}`, album: null, duration_ms: 20_000, has_audio: true };
}
