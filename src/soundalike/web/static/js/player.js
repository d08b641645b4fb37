/** The one thing that sounds: an audio element, its queue and its radio. Views listen for "change". */
import { audioUrl } from "./api.js";
import { explainFailure } from "./failures.js";
import { recall, remember } from "./memory.js";
import { Queue } from "./queue.js";
import { Radio } from "./radio.js";

const MAX_FAILURES = 5;
const RESTART_AFTER_S = 3;
const SAVE_EVERY_MS = 3000;

export class Player extends EventTarget {
  queue = new Queue();
  /** Whether the listener wants sound, even while none comes yet. */
  isWanted = false;
  volume = 1;
  #failures = 0;
  #savedAt = 0;

  /** @param {HTMLAudioElement} audio @param {(text: string) => void} say */
  constructor(audio, say) {
    super();
    this.audio = audio;
    this.say = say;
    this.radio = new Radio(this.queue, say);
    this.#restore(recall());
    audio.addEventListener("playing", () => this.#sounds());
    audio.addEventListener("pause", () => this.#paused());
    audio.addEventListener("ended", () => this.next());
    audio.addEventListener("error", () => this.#failed());
    audio.addEventListener("timeupdate", () => this.#saveNowAndThen());
    addEventListener("pagehide", () => this.#save());
  }

  get track() {
    return this.queue.current;
  }

  get duration() {
    const { duration } = this.audio;
    return Number.isFinite(duration) && duration > 0 ? duration : (this.track?.duration_ms ?? 0) / 1000;
  }

  /** Play a list from one of its tracks. */
  playList(tracks, index) {
    this.radio.stop();
    this.queue.replace(tracks, index);
    this.#load();
  }

  /** Play things like a track, beginning with it, unless it is playing already. */
  async playLike(track) {
    this.radio.start(track);
    if (this.track?.id === track.id) {
      if (this.isWanted) this.changed();
      else this.toggle();
    } else {
      this.queue.append([track]);
      this.queue.step(1);
      this.#load();
    }
    await this.radio.refill();
    this.changed();
  }

  stopRadio() {
    this.radio.stop();
    this.changed();
  }

  toggle() {
    if (!this.track) return;
    if (this.isWanted) {
      this.isWanted = false;
      this.audio.pause();
      this.changed();
    } else if (this.audio.error || !this.audio.currentSrc) {
      this.#load(this.audio.currentTime);
    } else {
      this.#play();
    }
  }

  async next() {
    if (!this.queue.upcoming.length && this.radio.seed) await this.radio.refill();
    if (this.queue.step(1)) {
      this.#load();
    } else {
      this.isWanted = false;
      this.audio.pause();
      this.changed();
    }
  }

  previous() {
    if (this.audio.currentTime > RESTART_AFTER_S || !this.queue.step(-1)) this.seek(0);
    else this.#load();
  }

  jump(index) {
    if (this.queue.jump(index)) this.#load();
  }

  seek(seconds) {
    if (!this.track) return;
    this.audio.currentTime = Math.min(Math.max(0, seconds), this.duration);
    this.changed();
  }

  setVolume(volume) {
    this.volume = Math.min(1, Math.max(0, volume));
    // Loudness is heard by ratios: the square makes the lower half of the slider useful.
    this.audio.volume = this.volume ** 2;
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

  playNext(track) {
    this.#enqueue(() => this.queue.playNext(track));
  }

  add(track) {
    this.#enqueue(() => this.queue.add(track));
  }

  /** Tell the views, and remember. */
  changed() {
    this.#save();
    this.dispatchEvent(new Event("change"));
  }

  #enqueue(put) {
    const isIdle = !this.track;
    put();
    if (isIdle) this.next();
    else this.changed();
  }

  #load(at = 0) {
    const { track } = this;
    this.audio.src = at > 0 ? `${audioUrl(track.id)}#t=${at}` : audioUrl(track.id);
    this.radio.heard(track);
    this.#play();
    this.radio.refill().then((came) => came && this.changed());
  }

  async #play() {
    this.isWanted = true;
    this.changed();
    try {
      await this.audio.play();
    } catch (error) {
      // Other errors are told by the "error" event; an interrupted start is none.
      if (error.name === "NotAllowedError") this.#paused();
    }
  }

  #sounds() {
    this.#failures = 0;
    this.isWanted = true;
    this.changed();
  }

  #paused() {
    if (this.audio.ended || this.audio.error) return;
    this.isWanted = false;
    this.changed();
  }

  async #failed() {
    const { track } = this;
    if (!track || !this.isWanted) return;
    const failure = await explainFailure(track);
    if (this.track !== track || !this.audio.error) return;
    this.say(failure.text);
    this.#failures += 1;
    const isHopeless = this.#failures >= MAX_FAILURES;
    if (failure.isOffline || isHopeless) {
      if (isHopeless && !failure.isOffline) this.say("Several tracks in a row could not be played, so it stops here.");
      this.#failures = 0;
      this.isWanted = false;
      this.changed();
    } else {
      await this.next();
    }
  }

  #saveNowAndThen() {
    if (performance.now() - this.#savedAt > SAVE_EVERY_MS) this.#save();
  }

  #save() {
    this.#savedAt = performance.now();
    const { queue, radio, volume } = this;
    remember({ queue, radio, volume, isMuted: this.audio.muted, position: this.audio.currentTime });
  }

  #restore(saved) {
    this.queue.restore(saved.queue);
    this.radio.restore(saved.radio);
    this.volume = typeof saved.volume === "number" ? saved.volume : 1;
    this.audio.volume = Math.min(1, Math.max(0, this.volume)) ** 2;
    this.audio.muted = saved.isMuted === true;
    if (this.track) this.audio.src = `${audioUrl(this.track.id)}#t=${Number(saved.position) || 0}`;
  }
}
