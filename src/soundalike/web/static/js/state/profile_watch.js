/**
 * Learns when what was done has become part of the listener's profile. Most servers fold it before they answer, and there is
 * nothing to learn. Where a consumer of their log folds it a little later, the profile's version is asked for: for a few
 * seconds after something was taken, ever more seldom, by one loop in a tab, and not in a tab that nobody sees or hears.
 */
import { profile as ask } from "../api/client.js";
import { Kept } from "./event_store.js";

const PAUSES_MS = [50, 100, 200, 400, 800, 1600];
const WATCHED_MS = 4000;
const OPINIONS = ["liked", "unliked", "disliked", "undisliked"];

/**
 * Views listen for "change" (something was done that is worth following, and the profile has another version now) and for
 * "vain" (nothing changed for as long as we looked).
 */
export class ProfileWatch extends EventTarget {
  /** The version that was seen last. @type {?string} */
  version = null;
  /** Opinions that the server has taken, but does not tell of yet. */
  #unfolded = new Kept("unfolded");
  #until = 0;
  #step = 0;
  #isWatching = false;
  /** Whether we stopped looking because nobody was there to see it. */
  #isLeft = false;
  /** Whether nothing has changed since something was taken. */
  #isAwaited = false;
  /** Whether something was taken that the queue follows: that a track begins is none. */
  #isFollowed = false;
  /** Whether the last wait was for nothing: then nobody waits for the next. */
  #isVain = false;
  /** @type {(() => void)[]} */
  #waiting = [];
  /** Ends a pause. */
  #wake = () => {};

  /** @param {HTMLAudioElement} audio */
  constructor(audio) {
    super();
    this.audio = audio;
    addEventListener("visibilitychange", () => this.#isLeft && document.visibilityState === "visible" && this.watch());
    if (this.#unfolded.all().length) this.watch();
  }

  /** What the server has taken, but does not tell of yet. @returns {import("./outbox.js").Listen[]} */
  get unfolded() {
    return this.#unfolded.all();
  }

  /** Take note of the version that an answer follows from; where we look ourselves, we know better. */
  note(version) {
    if (!this.#isWatching) this.version = version;
  }

  /**
   * Expect the profile to hold some listens soon.
   * @param {import("./outbox.js").Listen[]} listens  what the server has taken
   * @param {?string} before  the version that was known when they were sent
   */
  expect(listens, before) {
    const sentUnder = before ?? this.version;
    for (const listen of listens) if (OPINIONS.includes(listen.kind)) this.#unfolded.put({ ...listen, before: sentUnder });
    const isFollowed = listens.some(({ kind }) => kind !== "started");
    this.#isAwaited = sentUnder === this.version;
    if (this.#isAwaited || isFollowed) this.#watch(isFollowed);
  }

  /** Look for a change from now on, for a while. */
  watch() {
    this.#watch(true);
  }

  #watch(isFollowed) {
    this.#isFollowed ||= isFollowed;
    this.#until = performance.now() + WATCHED_MS;
    this.#step = 0;
    this.#isLeft = false;
    if (this.#isWatching) setTimeout(() => this.#wake(), PAUSES_MS[0]);
    else this.#look();
  }

  /** Wait until the profile has changed since something was taken, or it is known that this may take long. */
  async folded() {
    if (this.#isAwaited && this.#isFollowed && !this.#isVain) await new Promise((resolve) => this.#waiting.push(resolve));
  }

  async #look() {
    this.#isWatching = true;
    while (performance.now() < this.#until && !this.#isLeft) {
      await this.#pause(PAUSES_MS[Math.min(this.#step, PAUSES_MS.length - 1)]);
      this.#step += 1;
      this.#isLeft = document.visibilityState === "hidden" && this.audio.paused;
      if (!this.#isLeft) await this.#ask();
    }
    this.#isWatching = false;
    this.#isFollowed = false;
    if (this.#isLeft) this.#settle();
    else this.#end();
  }

  #pause(ms) {
    return new Promise((resolve) => {
      this.#wake = resolve;
      setTimeout(resolve, ms);
    });
  }

  async #ask() {
    let version;
    try {
      version = (await ask()).profile_version;
    } catch {
      return; // It is asked again.
    }
    if (version === this.version) return;
    if (this.version === null) this.#date(version);
    this.version = version;
    this.#isVain = false;
    this.#settle();
    if (this.#isFollowed) this.dispatchEvent(new Event("change"));
    else this.#until = 0;
  }

  /** What was sent before any version was known was sent, as far as we know, under the first. */
  #date(version) {
    for (const listen of this.#unfolded.all()) if (listen.before === null) this.#unfolded.put({ ...listen, before: version });
  }

  #settle() {
    this.#isAwaited = false;
    this.#waiting.splice(0).forEach((resolve) => resolve());
  }

  /** What was sent under another version than this is part of it by now: several events at once may take several versions. */
  #end() {
    const { version } = this;
    if (version !== null) this.#unfolded.remove(this.#unfolded.all().filter(({ before }) => before !== version));
    this.#isVain = this.#isAwaited;
    this.#settle();
    if (this.#isVain) this.dispatchEvent(new Event("vain"));
  }
}
