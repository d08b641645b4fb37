/** What the listener likes and dislikes: what the server knows, and on top of it what it does not know yet. */
import { judgements as ask } from "../api/client.js";
import { inOrder } from "./event_store.js";
import { user } from "../api/storage.js";

const KINDS = ["liked", "disliked"];
const UNDONE = new Map(KINDS.map((kind) => [`un${kind}`, kind]));

/** Views listen for "change". */
export class Judgements extends EventTarget {
  /** @type {Map<string, "liked"|"disliked">} */
  #known = new Map();
  /** What was said since the server was last asked: its answer may be older. @type {import("./outbox.js").Listen[]} */
  #said = [];
  #questions = 0;

  /** @param {import("./outbox.js").Outbox} outbox @param {import("./profile_watch.js").ProfileWatch} profile */
  constructor(outbox, profile) {
    super();
    this.outbox = outbox;
    this.profile = profile;
    outbox.addEventListener("put", ({ detail }) => this.#hear(detail));
    addEventListener("online", () => this.load());
    addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.load());
    this.load();
  }

  /** @returns {?("liked"|"disliked")} */
  of(trackId) {
    return this.#known.get(trackId) ?? null;
  }

  /** Ask the server; where it does not answer, what is known stays. */
  async load() {
    if (!user()) return;
    const question = (this.#questions += 1);
    this.#said = inOrder([...this.profile.unfolded, ...this.outbox.all()]);
    this.#lay(this.#said);
    let answer;
    try {
      answer = await ask();
    } catch {
      return; // It is asked again when the page is looked at anew.
    }
    if (question !== this.#questions) return;
    this.profile.note(answer.profile_version);
    this.#known = new Map(KINDS.flatMap((kind) => answer[kind].map((id) => [id, kind])));
    this.#lay(this.#said);
  }

  #hear(listen) {
    if (!KINDS.includes(listen.kind) && !UNDONE.has(listen.kind)) return;
    this.#said.push(listen);
    this.#lay([listen]);
  }

  #lay(listens) {
    for (const { kind, track_id } of listens) {
      if (KINDS.includes(kind)) this.#known.set(track_id, kind);
      else if (UNDONE.has(kind) && this.of(track_id) === UNDONE.get(kind)) this.#known.delete(track_id);
    }
    this.dispatchEvent(new Event("change"));
  }
}
