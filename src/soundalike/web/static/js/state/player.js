/** What plays: an audio element and its queue. */
import { addressOf, continues, startOf } from "./parts.js";
import { explainFailure } from "./playback_failure.js";
import { MAX_KEPT } from "./queue.js";
import { DataEvent } from "./types.js";
/** @import { ApiClient } from "../api/client.js" */
/** @import { Browser } from "../api/browser.js" */
/** @import { UserStorage } from "../api/storage.js" */
/** @import { AutoQueue } from "./auto_queue.js" */
/** @import { Queue } from "./queue.js" */
/** @import { Say, Track } from "./types.js" */

const MAX_FAILURES = 5;
const RESTART_AFTER_S = 3;
const SAVE_EVERY_MS = 3000;
const NEAR_END_MS = 1000;
/** After a longer silence sound would startle, so it does not come back by itself. */
const LOST_FOR_MS = 10 * 60_000;

/**
 * "playing": the listener wants sound, even while none comes yet. "lost": the sound stopped with the server, and comes back
 * with it.
 * @typedef {"paused" | "playing" | "lost"} PlayerState
 */

/**
 * @typedef {object} Parts
 * @property {Browser} browser
 * @property {ApiClient} api
 * @property {UserStorage} storage
 * @property {HTMLAudioElement} audio
 * @property {Queue} queue
 * @property {AutoQueue} autoQueue
 * @property {Say} say
 */

/**
 * Dispatches "change" to views; "leave" (by choice, with `seconds` and `duration` as `data`), "begin" (another track; `data`
 * is whether it is heard already) and "end" (a track ended by itself) to what tracks plays; and "lost".
 */
export class Player extends EventTarget {
  /** @type {PlayerState} */
  state = "paused";
  volume = 1;
  #failures = 0;
  #lostAtMs = 0;
  #savedAtMs = 0;
  #forgetEnd = () => {};
  /** @type {Parts} */
  #parts;

  /** @param {Parts} parts */
  constructor(parts) {
    super();
    this.#parts = parts;
    const { browser, storage, audio, queue, autoQueue } = parts;
    this.audio = audio;
    this.queue = queue;
    this.#restore(storage.read(storage.keyOf("player")) ?? {});
    autoQueue.addEventListener("change", () => this.changed());
    audio.addEventListener("playing", () => this.#sounds());
    audio.addEventListener("pause", () => this.#paused());
    audio.addEventListener("ended", () => this.#ended());
    audio.addEventListener("error", () => this.#failed());
    audio.addEventListener("timeupdate", () => {
      this.#watchEnd();
      if (browser.now() - this.#savedAtMs > SAVE_EVERY_MS) this.#save();
    });
    browser.events.addEventListener("pagehide", () => this.#save());
  }

  get track() {
    return this.queue.current;
  }

  get isPlaying() {
    return this.state === "playing";
  }

  /** Whether the sound comes back with the server. */
  get isLost() {
    return this.state === "lost" && this.#parts.browser.now() - this.#lostAtMs < LOST_FOR_MS;
  }

  /** Where the track is, in seconds; a part of a longer file counts from its own beginning. */
  get position() {
    return Math.max(0, this.audio.currentTime - startOf(this.track));
  }

  get duration() {
    const { duration } = this.audio;
    if (this.track?.part) return this.track.duration_ms / 1000;
    return Number.isFinite(duration) && duration > 0 ? duration : (this.track?.duration_ms ?? 0) / 1000;
  }

  /** Play a track and go on with what fits; where nothing can be recommended, with the rest. @param {Track} track @param {Track[]} rest */
  play(track, rest = []) {
    this.#choose(() => this.queue.begin(track));
    this.#parts.autoQueue.follow(rest);
  }

  /** Play a list in its order from one of its tracks. @param {Track[]} tracks @param {number} index */
  playList(tracks, index) {
    this.#parts.autoQueue.stop();
    this.#choose(() => {
      this.queue.replace(tracks, index);
      return true;
    });
  }

  /**
   * Play what a page shows of a list, and after it the rest, as far as a queue is kept, unless another list takes its place.
   * @param {Track[]} shown @param {URLSearchParams} more  asks for the rest; its cursor is empty where there is none
   */
  async playAll(shown, more) {
    this.playList(shown, 0);
    let last = this.queue.entries.at(-1);
    try {
      while (more.get("cursor") && this.queue.entries.length < MAX_KEPT) {
        const { tracks, next } = await this.#parts.api.tracks(more);
        if (this.queue.entries.at(-1) !== last) return;
        this.queue.append(tracks.filter((track) => track.has_audio));
        last = this.queue.entries.at(-1);
        more.set("cursor", next ?? "");
        this.changed();
      }
    } catch (error) {
      this.#parts.say(`The rest of the list could not be queued: ${/** @type {Error} */ (error).message}`);
    }
  }

  /** Play things like a track, beginning with it, unless it is playing already. @param {Track} track */
  playLike(track) {
    if (this.track?.id === track.id) {
      this.queue.forget((entry) => !entry.isAsked);
      if (!this.isPlaying) this.toggle();
    } else {
      this.#choose(() => this.queue.begin(track));
    }
    this.#parts.autoQueue.like(track);
    this.changed();
  }

  /** Play what the listener is known to want, at once, unless something else is chosen meanwhile. */
  async playForMe() {
    const { currentEntry } = this.queue;
    const isLatest = await this.#parts.autoQueue.alone();
    if (isLatest && this.queue.currentEntry === currentEntry) this.#choose(() => this.queue.step(1));
  }

  /** Go on from here with what fits what plays. */
  goOn() {
    this.#parts.autoQueue.follow();
    this.changed();
  }

  /** Empty what is upcoming, and go on with what is recommended instead. */
  clear() {
    const { upcoming } = this.queue;
    const goOnAsBefore = this.#parts.autoQueue.startOver(upcoming);
    this.queue.forget(() => true);
    this.changed();
    this.#parts.say("The queue is cleared.", () => {
      goOnAsBefore();
      this.queue.putBack(upcoming);
      this.changed();
    });
  }

  /** Remove an upcoming entry; one that was recommended does not come again. @param {number} index */
  remove(index) {
    const entry = this.queue.entries[index];
    this.queue.remove(index);
    if (entry?.reason) this.#parts.autoQueue.refuse(entry.track);
    this.changed();
  }

  toggle() {
    if (!this.track) return;
    if (this.#leftMs <= 0) this.seek(0);
    if (this.isPlaying) this.#stop();
    else if (this.audio.error || !this.audio.currentSrc) this.#load(this.position);
    else this.#play();
  }

  /** Stop for another tab that sounds now: the server's return brings no sound back, either. */
  pause() {
    if (this.state === "paused") return;
    this.state = "paused";
    this.#stop();
  }

  /** Go on because the listener has had enough. */
  async next() {
    if ((await this.#hasMore()) && !this.#choose(() => this.queue.step(1))) this.#stop();
  }

  /** Go on for any other reason, unless the sound is stopped meanwhile. */
  async pass() {
    const { isPlaying } = this;
    const hasMore = await this.#hasMore();
    if (isPlaying && !this.isPlaying) return;
    if (hasMore && !this.#change(() => this.queue.step(1))) this.#stop();
  }

  /** Go on where the sound was lost, now that the server is back. */
  recover() {
    if (this.isLost) this.#load(this.position);
  }

  previous() {
    if (this.position > RESTART_AFTER_S || !this.#change(() => this.queue.step(-1))) this.seek(0);
  }

  /** @param {number} index */
  jump = (index) => this.#choose(() => this.queue.jump(index));

  /** @param {number} seconds */
  seek(seconds) {
    if (!this.track) return;
    this.audio.currentTime = startOf(this.track) + Math.min(Math.max(0, seconds), this.duration);
    this.changed();
  }

  /** @param {number} volume  0 to 1 as the slider shows it */
  setVolume(volume) {
    this.volume = Math.min(1, Math.max(0, volume));
    this.#applyVolume();
    this.audio.muted = false;
    this.changed();
  }

  toggleMute() {
    if (this.volume === 0) {
      this.setVolume(1);
      return;
    }
    this.audio.muted = !this.audio.muted;
    this.changed();
  }

  /** @param {Track} track */
  playNext = (track) => this.#enqueue(() => this.queue.playNext(track));
  /** @param {Track} track */
  add = (track) => this.#enqueue(() => this.queue.add(track));

  /** Save, and tell the views. */
  changed() {
    this.#save();
    this.dispatchEvent(new Event("change"));
  }

  /** @param {() => void} put */
  #enqueue(put) {
    const isIdle = !this.track;
    put();
    if (isIdle) this.next();
    else this.changed();
  }

  /** Wait for what may come next; false where another track plays by then. */
  async #hasMore() {
    const { currentEntry, upcoming } = this.queue;
    if (!upcoming.length) await this.#parts.autoQueue.more();
    return this.queue.currentEntry === currentEntry;
  }

  /** Play another track, as the listener wants. @param {() => boolean} move @returns {boolean} whether there is one */
  #choose(move) {
    const left = { seconds: this.position, duration: this.duration };
    return this.#change(move, new DataEvent("leave", left));
  }

  /** @param {() => boolean} move @param {?Event} left */
  #change(move, left = null) {
    if (!move()) return false;
    if (left) this.dispatchEvent(left);
    this.dispatchEvent(new DataEvent("begin", false));
    this.#load();
    return true;
  }

  /** @param {number} at */
  #load(at = 0) {
    const { track } = this;
    if (!track) return;
    this.audio.src = addressOf(track, at);
    this.#parts.autoQueue.heard(track);
    this.#play();
  }

  async #play() {
    this.state = "playing";
    this.changed();
    try {
      await this.audio.play();
    } catch (error) {
      // The "error" event reports other errors; an interrupted start is none.
      if (/** @type {Error} */ (error).name === "NotAllowedError") this.#paused();
    }
  }

  #stop() {
    if (this.isPlaying) this.state = "paused";
    this.audio.pause();
    this.changed();
  }

  #sounds() {
    this.#failures = 0;
    this.state = "playing";
    this.changed();
  }

  #paused() {
    if (this.audio.ended || this.audio.error || this.#leftMs <= 0) return;
    if (this.isPlaying) this.state = "paused";
    this.changed();
  }

  /** How much of the part of the file that the track is has not been played, in ms; without end for other tracks. */
  get #leftMs() {
    return (this.track?.part?.end_ms ?? Infinity) - this.audio.currentTime * 1000;
  }

  /** End a part where it ends: "timeupdate" comes a quarter of a second late, within the next track by then. */
  #watchEnd() {
    this.#forgetEnd();
    if (this.audio.paused) return;
    if (this.#leftMs > 0) {
      if (this.#leftMs < NEAR_END_MS) this.#forgetEnd = this.#parts.browser.after(Math.max(this.#leftMs, 10), () => this.#watchEnd());
    } else if (continues(this.track, this.queue.upcoming[0]?.track)) {
      this.#soundOn();
    } else {
      this.audio.pause();
      this.#ended();
    }
  }

  /** Let the next part of the file be heard without a gap: nothing is loaded. */
  #soundOn() {
    this.dispatchEvent(new Event("end"));
    this.queue.step(1);
    this.dispatchEvent(new DataEvent("begin", true));
    if (this.track) this.#parts.autoQueue.heard(this.track);
    this.changed();
    this.#watchEnd();
  }

  #ended() {
    this.dispatchEvent(new Event("end"));
    this.pass();
  }

  async #failed() {
    const { track, audio } = this;
    if (!track || !this.isPlaying) return;
    const failure = await explainFailure(this.#parts.api, track, (type) => audio.canPlayType(type));
    if (this.track !== track || !audio.error || !this.isPlaying) return;
    this.#parts.say(failure.text);
    this.#failures += 1;
    if (failure.then === "skip" && this.#failures < MAX_FAILURES) {
      await this.pass();
      return;
    }
    if (failure.then === "skip") this.#parts.say("Several tracks in a row could not be played, so playback stops here.");
    this.#failures = 0;
    this.#stop();
    if (failure.then === "wait") this.#lose();
  }

  #lose() {
    this.state = "lost";
    this.#lostAtMs = this.#parts.browser.now();
    this.dispatchEvent(new Event("lost"));
  }

  /** Loudness is heard by ratios: the square makes the lower half of the slider useful. */
  #applyVolume() {
    this.audio.volume = Math.min(1, Math.max(0, this.volume)) ** 2;
  }

  #save() {
    this.#savedAtMs = this.#parts.browser.now();
    const { queue, volume, audio } = this;
    const { autoQueue: guide, storage } = this.#parts;
    storage.write(storage.keyOf("player"), { queue, guide, volume, isMuted: audio.muted, position: this.position });
  }

  /** @param {any} saved */
  #restore(saved) {
    this.queue.restore(saved.queue);
    this.#parts.autoQueue.restore(saved.guide);
    this.volume = typeof saved.volume === "number" ? saved.volume : 1;
    this.#applyVolume();
    this.audio.muted = saved.isMuted === true;
    if (this.track) this.audio.src = addressOf(this.track, Number(saved.position) || 0);
  }
}
