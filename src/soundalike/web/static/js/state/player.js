/**
 * The one thing that sounds: an audio element, its queue and its guide. Views listen for "change"; who keeps account of what
 * is heard listens for "begin" (another track), "leave" (by the listener's choice, with where) and "end" (by itself);
 * who looks after the server, for "lost" (the sound, until `recover`).
 */
import { audioUrl } from "../api/client.js";
import { explainFailure } from "./playback_failure.js";
import { Guide } from "./auto_queue.js";
import { recall, remember } from "../api/storage.js";
import { Queue } from "./queue.js";

const MAX_FAILURES = 5;
const RESTART_AFTER_S = 3;
const SAVE_EVERY_MS = 3000;
const MEMORY = "player";
/** Nobody who has got used to the silence is startled out of it. */
const LOST_FOR_MS = 10 * 60_000;

export class Player extends EventTarget {
  queue = new Queue();
  /** Whether the listener wants sound, even while none comes yet. */
  isWanted = false;
  volume = 1;
  #failures = 0;
  #lostAt = null;
  #savedAt = 0;

  /**
   * @param {HTMLAudioElement} audio
   * @param {(text: string) => void} say
   * @param {import("./delivery.js").Delivery} delivery
   */
  constructor(audio, say, delivery) {
    super();
    this.audio = audio;
    this.say = say;
    const { profile } = delivery;
    this.guide = new Guide(this.queue, {
      learnt: () => delivery.learnt(),
      noted: (version) => profile.note(version),
      loggedOut: () => delivery.logOut(),
      changed: () => this.changed(),
      say,
    });
    profile.addEventListener("change", () => this.guide.follows(profile.version));
    this.#restore(recall(MEMORY) ?? {});
    audio.addEventListener("playing", () => this.#sounds());
    audio.addEventListener("pause", () => this.#paused());
    audio.addEventListener("ended", () => this.#ended());
    audio.addEventListener("error", () => this.#failed());
    audio.addEventListener("timeupdate", () => this.#saveNowAndThen());
    addEventListener("pagehide", () => this.#save());
  }

  get track() {
    return this.queue.current;
  }

  /** Whether the sound was lost with the server, and goes on when that is back. */
  get isLost() {
    return this.#lostAt !== null && performance.now() - this.#lostAt < LOST_FOR_MS;
  }

  get duration() {
    const { duration } = this.audio;
    return Number.isFinite(duration) && duration > 0 ? duration : (this.track?.duration_ms ?? 0) / 1000;
  }

  /** Play a track and go on with what fits; where nothing can be recommended, with the rest of its list. */
  play(track, rest = []) {
    this.#choose(() => this.queue.begin(track));
    this.guide.follow(rest);
  }

  /** Play a list in its order from one of its tracks. */
  playList(tracks, index) {
    this.guide.stop();
    this.#choose(() => {
      this.queue.replace(tracks, index);
      return true;
    });
  }

  /** Play things like a track, beginning with it, unless it is playing already. */
  playLike(track) {
    if (this.track?.id === track.id) {
      this.queue.forget((entry) => !entry.isAsked);
      if (!this.isWanted) this.toggle();
    } else {
      this.#choose(() => this.queue.begin(track));
    }
    this.guide.like(track);
    this.changed();
  }

  /** Play what the listener is known to want, at once. */
  async playForMe() {
    const { currentEntry } = this.queue;
    const isLatest = await this.guide.alone();
    // Whoever chose something else meanwhile has it.
    if (isLatest && this.queue.currentEntry === currentEntry) this.#choose(() => this.queue.step(1));
  }

  /** Go on from here with what fits what plays. */
  goOn() {
    this.guide.follow();
    this.changed();
  }

  /** Forget what is to come. */
  clear() {
    this.guide.stop();
    this.queue.forget(() => true);
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

  /** Go on because the listener has had enough. */
  async next() {
    if ((await this.#hasMore()) && !this.#choose(() => this.queue.step(1))) this.#stop();
  }

  /** Go on for any other reason than that. */
  async pass() {
    if ((await this.#hasMore()) && !this.#change(() => this.queue.step(1))) this.#stop();
  }

  /** Go on where the sound was lost, now that the server is back. */
  recover() {
    if (this.isLost) this.#load(this.audio.currentTime);
  }

  previous() {
    if (this.audio.currentTime > RESTART_AFTER_S || !this.#change(() => this.queue.step(-1))) this.seek(0);
  }

  jump(index) {
    this.#choose(() => this.queue.jump(index));
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

  /** Wait for what may come next; false where another track plays by then. */
  async #hasMore() {
    const { currentEntry, upcoming } = this.queue;
    if (!upcoming.length) await this.guide.more();
    return this.queue.currentEntry === currentEntry;
  }

  /** Let another track play, as the listener wants; false where there is none. */
  #choose(move) {
    const [seconds, duration] = [this.audio.currentTime, this.duration];
    return this.#change(move, () => this.dispatchEvent(new CustomEvent("leave", { detail: { seconds, duration } })));
  }

  #change(move, left = () => {}) {
    if (!move()) return false;
    left();
    this.dispatchEvent(new Event("begin"));
    this.#load();
    return true;
  }

  #load(at = 0) {
    const { track } = this;
    this.audio.src = at > 0 ? `${audioUrl(track.id)}#t=${at}` : audioUrl(track.id);
    this.guide.heard(track);
    this.#play();
  }

  async #play() {
    this.isWanted = true;
    this.#lostAt = null;
    this.changed();
    try {
      await this.audio.play();
    } catch (error) {
      // Other errors are told by the "error" event; an interrupted start is none.
      if (error.name === "NotAllowedError") this.#paused();
    }
  }

  #stop() {
    this.isWanted = false;
    this.audio.pause();
    this.changed();
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

  #ended() {
    this.dispatchEvent(new Event("end"));
    this.pass();
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
      this.#stop();
      if (failure.isAway) this.#lose();
    } else {
      await this.pass();
    }
  }

  #lose() {
    this.#lostAt = performance.now();
    this.dispatchEvent(new Event("lost"));
  }

  #saveNowAndThen() {
    if (performance.now() - this.#savedAt > SAVE_EVERY_MS) this.#save();
  }

  #save() {
    this.#savedAt = performance.now();
    const { queue, guide, volume } = this;
    remember(MEMORY, { queue, guide, volume, isMuted: this.audio.muted, position: this.audio.currentTime });
  }

  #restore(saved) {
    this.queue.restore(saved.queue);
    this.guide.restore(saved.guide);
    this.volume = typeof saved.volume === "number" ? saved.volume : 1;
    this.audio.volume = Math.min(1, Math.max(0, this.volume)) ** 2;
    this.audio.muted = saved.isMuted === true;
    if (this.track) this.audio.src = `${audioUrl(this.track.id)}#t=${Number(saved.position) || 0}`;
  }
}
