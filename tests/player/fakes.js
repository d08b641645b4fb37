/** What the player finds around it, without a browser: a clock, storage, locks and an audio element. */
import { webcrypto } from "node:crypto";

/** Let everything that is ready run. */
export async function settle() {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A clock that stands still until `pass`. */
export class FakeClock {
  ms = 1_000;
  #timers = [];

  after(ms, act) {
    const timer = { at: this.ms + ms, act };
    this.#timers.push(timer);
    return () => (this.#timers = this.#timers.filter((other) => other !== timer));
  }

  /** Let time pass, or less where something is so before. */
  async pass(ms, isSo = () => false) {
    const end = this.ms + ms;
    await settle();
    while (!isSo()) {
      const [next] = this.#timers.filter(({ at }) => at <= end).sort((one, other) => one.at - other.at);
      if (!next) {
        this.ms = end;
        return;
      }
      this.#timers = this.#timers.filter((other) => other !== next);
      this.ms = Math.max(this.ms, next.at);
      next.act();
      await settle();
    }
  }
}

export class FakeStorage {
  values = new Map();
  /** Whether it takes anything. */
  isFull = false;
  tabs = new Set();

  get length() {
    return this.values.size;
  }

  key(index) {
    return [...this.values.keys()][index] ?? null;
  }

  getItem(key) {
    return this.values.get(key) ?? null;
  }

  setItem(key, value) {
    if (this.isFull) throw new Error("QuotaExceededError");
    this.values.set(key, value);
  }

  removeItem(key) {
    this.values.delete(key);
  }

  json(key) {
    return JSON.parse(this.getItem(key));
  }
}

/** One at a time for each name, for all tabs of a browser. */
export class FakeLocks {
  #last = new Map();

  request(name, act) {
    const turn = (this.#last.get(name) ?? Promise.resolve()).then(act);
    this.#last.set(name, turn.catch(() => {}));
    return turn;
  }
}

/** One tab of a browser; tabs of one browser have storage, locks and clock in common. */
export class FakeBrowser {
  events = new EventTarget();
  session = new FakeStorage();
  visible = true;
  newTab = true;
  dateMs = Date.UTC(2026, 0, 1);
  crypto = webcrypto;

  isClosed = false;
  #close = () => {};
  #closing = new Promise((resolve) => (this.#close = resolve));

  constructor({ clock = new FakeClock(), local = new FakeStorage(), locks = new FakeLocks() } = {}) {
    Object.assign(this, { clock, local, locks });
    local.tabs.add(this);
  }

  isVisible = () => this.visible;
  isNewTab = () => this.newTab;
  now = () => this.clock.ms;
  date = () => this.dateMs + this.clock.ms;
  random = () => 0.5;
  after = (ms, act) => this.clock.after(ms, () => this.isClosed || act());
  alone = (name, act) => (this.locks ? this.locks.request(name, () => Promise.race([act(), this.#closing])) : act());

  storage(where) {
    if (where === "session") return this.session;
    const { local } = this;
    return {
      get length() {
        return local.length;
      },
      key: (index) => local.key(index),
      getItem: (key) => local.getItem(key),
      removeItem: (key) => local.removeItem(key),
      setItem: (key, newValue) => {
        local.setItem(key, newValue);
        for (const tab of local.tabs) if (tab !== this) tab.tell("storage", { key, newValue });
      },
    };
  }

  tell(type, detail = {}) {
    this.events.dispatchEvent(Object.assign(new Event(type), detail));
  }

  /** End every script of this tab. */
  close() {
    this.tell("pagehide");
    this.isClosed = true;
    this.local.tabs.delete(this);
    this.events = new EventTarget();
    this.#close(false);
  }

  show(visible) {
    this.visible = visible;
    this.tell("visibilitychange");
  }
}

/** An audio element that makes no sound; `moveTo` and `end` let it play on. */
export class FakeAudio extends EventTarget {
  duration = 20;
  currentTime = 0;
  currentSrc = "";
  paused = true;
  seeking = false;
  ended = false;
  error = null;
  muted = false;
  volume = 1;
  playable = new Set(["audio/mpeg", "audio/ogg"]);
  #src = "";

  constructor(server) {
    super();
    this.server = server;
  }

  get src() {
    return this.#src;
  }

  set src(url) {
    const [, at] = url.split("#t=");
    Object.assign(this, { currentSrc: url, currentTime: Number(at ?? 0), paused: true, ended: false, error: null });
    this.#src = url;
  }

  get trackId() {
    return this.#src.split("/")[3] ?? null;
  }

  async play() {
    const { trackId } = this;
    this.paused = false;
    this.ended = false;
    await null;
    if (this.trackId !== trackId || this.paused) throw Object.assign(new Error("interrupted"), { name: "AbortError" });
    if (this.isBlocked) {
      this.paused = true;
      throw Object.assign(new Error("no gesture"), { name: "NotAllowedError" });
    }
    if (this.isStalled) return;
    if (!this.server.hasSound(trackId)) {
      this.error = { code: 4 };
      this.dispatchEvent(new Event("error"));
      throw Object.assign(new Error("no source"), { name: "NotSupportedError" });
    }
    this.dispatchEvent(new Event("playing"));
  }

  pause() {
    if (this.paused) return;
    this.paused = true;
    this.dispatchEvent(new Event("pause"));
  }

  /** Play on to some second. */
  moveTo(second) {
    this.currentTime = second;
    this.dispatchEvent(new Event("timeupdate"));
  }

  /** Play to the end. */
  end() {
    Object.assign(this, { currentTime: this.duration, ended: true, paused: true });
    this.dispatchEvent(new Event("timeupdate"));
    this.dispatchEvent(new Event("pause"));
    this.dispatchEvent(new Event("ended"));
  }

  canPlayType(type) {
    return this.playable.has(type) ? "probably" : "";
  }
}
