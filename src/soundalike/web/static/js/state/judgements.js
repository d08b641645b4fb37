/** What the listener likes and dislikes: what the server knows, with what it does not know yet on top. */
import { oldestFirst } from "./event_store.js";
/** @import { ApiClient } from "../api/client.js" */
/** @import { Browser } from "../api/browser.js" */
/** @import { Outbox } from "./outbox.js" */
/** @import { ProfileWatch } from "./profile_watch.js" */
/** @import { DataEvent, Listen } from "./types.js" */

/** @typedef {"liked" | "disliked"} Judgement */

/** @param {Listen} listen */
export const isJudgement = ({ kind }) => /^(un)?(dis)?liked$/.test(kind);

/** @typedef {{browser: Browser, api: ApiClient, outbox: Outbox, profile: ProfileWatch}} Parts */

/** Dispatches "change". */
export class Judgements extends EventTarget {
  /** @type {Map<string, Judgement>} */
  #known = new Map();
  /** What was said since the server was last asked: its answer may be older. @type {Listen[]} */
  #said = [];
  #questions = 0;
  /** @type {Parts} */
  #parts;

  /** @param {Parts} parts */
  constructor(parts) {
    super();
    this.#parts = parts;
    const { browser, outbox } = parts;
    outbox.addEventListener("put", (event) => this.#add(/** @type {DataEvent<Listen>} */ (event).data));
    browser.events.addEventListener("online", () => this.load());
    browser.events.addEventListener("visibilitychange", () => browser.isVisible() && this.load());
    this.load();
  }

  /** @param {string} trackId @returns {?Judgement} */
  of(trackId) {
    return this.#known.get(trackId) ?? null;
  }

  /** Ask the server. Without an answer what is known stays, and it is asked again when the page is next shown. */
  async load() {
    const question = (this.#questions += 1);
    this.#said = oldestFirst([...this.#parts.profile.unfolded.all(), ...this.#parts.outbox.all()]).filter(isJudgement);
    this.#apply(this.#said);
    const answer = await this.#parts.api.judgements().catch(() => null);
    if (!answer || question !== this.#questions) return;
    this.#parts.profile.note(answer.profile_version);
    this.#known = new Map();
    for (const id of answer.liked) this.#known.set(id, "liked");
    for (const id of answer.disliked) this.#known.set(id, "disliked");
    this.#apply(this.#said);
  }

  /** @param {Listen} listen */
  #add(listen) {
    if (!isJudgement(listen)) return;
    this.#said.push(listen);
    this.#apply([listen]);
  }

  /** @param {Listen[]} listens */
  #apply(listens) {
    for (const { kind, track_id } of listens) {
      const judgement = /** @type {Judgement} */ (kind.replace(/^un/, ""));
      if (kind === judgement) this.#known.set(track_id, judgement);
      else if (this.of(track_id) === judgement) this.#known.delete(track_id);
    }
    this.dispatchEvent(new Event("change"));
  }
}
