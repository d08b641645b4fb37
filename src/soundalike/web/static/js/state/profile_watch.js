/**
 * Notices when what was done has become part of the listener's profile. Most servers fold it before they answer, and nothing
 * is asked. Where a consumer of their log folds it a little later, the profile's version is asked for: for a few seconds after
 * something was taken, less and less often, by one loop in a tab, and not in a tab that nobody sees or hears.
 */
import { EventStore } from "./event_store.js";
import { isJudgement } from "./judgements.js";
/** @import { ApiClient } from "../api/client.js" */
/** @import { Browser } from "../api/browser.js" */
/** @import { UserStorage } from "../api/storage.js" */
/** @import { Listen } from "./types.js" */

const PAUSES_MS = [50, 100, 200, 400, 800, 1600];
const WATCHED_MS = 4000;

/**
 * Whether a change of the profile is expected. "overdue": nothing changed for as long as we asked, so nobody waits for the
 * next change; "late": overdue, and more was taken since.
 * @typedef {"settled" | "expected" | "overdue" | "late"} Expectation
 */
/** @type {Record<"taken" | "seen" | "ended", Record<Expectation, Expectation>>} */
const AFTER = {
  taken: { settled: "expected", expected: "expected", overdue: "late", late: "late" },
  seen: { settled: "settled", expected: "settled", overdue: "overdue", late: "overdue" },
  ended: { settled: "settled", expected: "overdue", overdue: "settled", late: "overdue" },
};

/** @typedef {{browser: Browser, api: ApiClient, storage: UserStorage, audio: {paused: boolean}}} Parts */

/**
 * Dispatches "change" (something was done that is worth following, and the profile has another version now) and "overdue"
 * (nothing changed for as long as we asked).
 */
export class ProfileWatch extends EventTarget {
  /** The version that was seen last. @type {?string} */
  version = null;
  /** "hidden": it stopped asking because nobody sees or hears this tab. @type {"idle" | "asking" | "hidden"} */
  state = "idle";
  /** @type {Expectation} */
  #expectation = "settled";
  /** Judgements that the server has taken, but whose effect its answers may not show yet. @type {EventStore} */
  unfolded;
  /** Whether the queue should follow what was taken: that a track starts changes no queue. */
  #isFollowed = false;
  #untilMs = 0;
  #step = 0;
  /** @type {(() => void)[]} */
  #waiting = [];
  #endPause = () => {};
  /** @type {Parts} */
  #parts;

  /** @param {Parts} parts */
  constructor(parts) {
    super();
    this.#parts = parts;
    const { browser, storage } = parts;
    this.unfolded = new EventStore(storage, "unfolded");
    browser.events.addEventListener("visibilitychange", () => this.state === "hidden" && browser.isVisible() && this.watch());
    if (this.unfolded.all().length) this.watch();
  }

  /** Note the version that an answer was made from, unless this loop knows better. @param {?string} version */
  note(version) {
    if (this.state !== "asking") this.version = version;
  }

  /**
   * Expect the profile to include some listens soon.
   * @param {Listen[]} listens  what the server has taken
   * @param {?string} before  the version that was known when they were sent
   */
  expect(listens, before) {
    const sentUnder = before ?? this.version;
    for (const listen of listens.filter(isJudgement)) this.unfolded.store({ ...listen, before: sentUnder });
    const isFollowed = listens.some(({ kind }) => kind !== "started");
    const isAwaited = sentUnder === this.version;
    this.#expectation = AFTER[isAwaited ? "taken" : "seen"][this.#expectation];
    if (isAwaited || isFollowed) this.watch(isFollowed);
  }

  /** Ask for a change from now on, for a while. */
  watch(isFollowed = true) {
    this.#isFollowed ||= isFollowed;
    this.#untilMs = this.#parts.browser.now() + WATCHED_MS;
    this.#step = 0;
    if (this.state === "asking") this.#parts.browser.after(PAUSES_MS[0], () => this.#endPause());
    else this.#ask();
  }

  /** Wait until the profile has changed since something was taken, or it is known that this may take long. */
  async folded() {
    if (this.#expectation === "expected" && this.#isFollowed) await new Promise((resolve) => this.#waiting.push(() => resolve(null)));
  }

  async #ask() {
    this.state = "asking";
    while (this.state === "asking" && this.#parts.browser.now() < this.#untilMs) {
      await this.#pause(PAUSES_MS[Math.min(this.#step, PAUSES_MS.length - 1)]);
      this.#step += 1;
      if (!this.#parts.browser.isVisible() && this.#parts.audio.paused) this.state = "hidden";
      else await this.#look();
    }
    this.#isFollowed = false;
    if (this.state === "hidden") this.#settle(AFTER.seen[this.#expectation]);
    else this.#end();
  }

  /** @param {number} ms */
  #pause(ms) {
    return new Promise((resolve) => {
      this.#endPause = () => resolve(null);
      this.#parts.browser.after(ms, this.#endPause);
    });
  }

  async #look() {
    const answer = await this.#parts.api.profile().catch(() => null);
    if (!answer || answer.profile_version === this.version) return;
    if (this.version === null) this.#date(answer.profile_version);
    this.version = answer.profile_version;
    this.#settle("settled");
    if (this.#isFollowed) this.dispatchEvent(new Event("change"));
    else this.#untilMs = 0;
  }

  /** What was sent before any version was known counts as sent under the first. @param {string} version */
  #date(version) {
    for (const listen of this.unfolded.all()) if (listen.before === null) this.unfolded.store({ ...listen, before: version });
  }

  /** @param {Expectation} expectation */
  #settle(expectation) {
    this.#expectation = expectation;
    this.#waiting.splice(0).forEach((resolve) => resolve());
  }

  /** By now what was sent under another version is folded: several events at once may take several versions. */
  #end() {
    const { version } = this;
    this.state = "idle";
    if (version !== null) this.unfolded.remove(this.unfolded.all().filter(({ before }) => before !== version));
    this.#settle(AFTER.ended[this.#expectation]);
    if (this.#expectation === "overdue") this.dispatchEvent(new Event("overdue"));
  }
}
