/** How far the library is in step with its folders, as the server tells it, and what the listener can do about it. */
/** @import { ApiClient, ApiError } from "../api/client.js" */
/** @import { Browser } from "../api/browser.js" */
/** @import { Scan, ScanResult } from "./types.js" */

const BUSY_MS = 3000;
/** Less than the time within which a change shows. */
const IDLE_MS = 8000;
const LOGGED_OUT = 401;
const MINUTE_S = 60;

/** Dispatches "change", and "library" when a scan has changed the library. */
export class ScanWatch extends EventTarget {
  /** @type {?Scan} */
  scan = null;
  #cancel = () => {};
  #isAsking = false;
  /** @type {{browser: Browser, api: ApiClient, isAdmin: boolean, announce: (text: string) => void, say: (text: string) => void}} */
  #parts;

  /** @param {{browser: Browser, api: ApiClient, isAdmin: boolean, announce: (text: string) => void, say: (text: string) => void}} parts */
  constructor(parts) {
    super();
    this.#parts = parts;
    parts.browser.events.addEventListener("visibilitychange", () => this.#ask());
    this.#ask();
  }

  /** What is going on, in a sentence; empty where nothing is. */
  get text() {
    if (!this.scan) return "";
    const { state, is_running, is_wanted, done, total, seconds_left } = this.scan;
    if (state === "paused") return is_running ? `Analysis is paused, ${amount(done, total)}.` : "Scans are paused.";
    if (state === "analysing") return `Analysing ${amount(done, total)}${timeLeft(seconds_left)}.`;
    if (state === "learning") return "Learning what sounds alike.";
    return state === "scanning" || is_wanted ? "Looking for changes in your music." : "";
  }

  /** How much is done, 0 to 1; null where that is unknown. */
  get share() {
    return this.scan?.is_running && this.scan.total ? this.scan.done / this.scan.total : null;
  }

  /** What the button does; empty where there is none. @returns {"" | "pause" | "resume"} */
  get action() {
    if (!this.#parts.isAdmin || !this.text) return "";
    return this.scan?.is_paused ? "resume" : "pause";
  }

  /** Whether tracks may come by themselves. */
  get isBusy() {
    return Boolean(this.scan?.is_running || this.scan?.is_wanted);
  }

  /** What became of the last scan, in a sentence; empty where there was none. */
  get lastText() {
    return this.scan?.last ? resultText(this.scan.last) : "";
  }

  /** Ask for a scan of everything. */
  want() {
    return this.#steer("/api/scans");
  }

  /** Pause what runs, or let it go on. */
  toggle() {
    return this.#steer(`/api/scans/current/${this.scan?.is_paused ? "resume" : "pause"}`);
  }

  /** @param {string} url */
  async #steer(url) {
    try {
      this.#show(await this.#parts.api.steerScan(url));
    } catch (error) {
      this.#parts.say(`Not done: ${/** @type {Error} */ (error).message}`);
    }
    this.#askLater();
  }

  async #ask() {
    this.#cancel();
    // A hidden page asks when it is shown again.
    if (this.#isAsking || !this.#parts.browser.isVisible()) return;
    this.#isAsking = true;
    try {
      this.#show(await this.#parts.api.scan());
      this.#askLater();
    } catch (error) {
      // What is wrong with the server is shown by others. Who is logged out asks when the page is shown again.
      if (/** @type {ApiError} */ (error).status !== LOGGED_OUT) this.#askLater();
    }
    this.#isAsking = false;
  }

  #askLater() {
    this.#cancel();
    this.#cancel = this.#parts.browser.after(this.isBusy ? BUSY_MS : IDLE_MS, () => this.#ask());
  }

  /** @param {Scan} scan */
  #show(scan) {
    const before = this.scan;
    const state = before?.state;
    this.scan = scan;
    this.dispatchEvent(new Event("change"));
    // Figures are not read out; what is going on is, once.
    if (before && scan.state !== state) this.#parts.announce(this.text || "The library is in step with your music.");
    const { last } = scan;
    if (before && last && last.finished_at !== before.last?.finished_at && isNews(last)) this.dispatchEvent(new Event("library"));
  }
}

/** @param {ScanResult} result */
function isNews({ added, changed, moved, returned, vanished }) {
  return added + changed + moved + returned + vanished > 0;
}

/** @param {number} done @param {number} total */
function amount(done, total) {
  return total ? `${number(done)} of ${number(total)} files` : "your music";
}

/** @param {?number} seconds */
function timeLeft(seconds) {
  if (seconds === null) return "";
  if (seconds < MINUTE_S) return ", less than a minute left";
  const minutes = Math.round(seconds / MINUTE_S);
  const hours = Math.floor(minutes / 60);
  return `, about ${hours ? `${hours} h ${minutes % 60} min` : `${minutes} min`} left`;
}

/** @param {ScanResult} result */
function resultText({ unusable, added, changed, moved, returned, vanished, problem }) {
  const counts = Object.entries({ new: added, changed, moved, returned, gone: vanished });
  const what = counts.flatMap(([name, count]) => (count ? [`${number(count)} ${name}`] : [])).join(", ");
  const bad = unusable ? ` ${number(unusable)} ${unusable === 1 ? "file" : "files"} could not be used; the program's output says why.` : "";
  return `The last scan found ${what || "nothing new"}.${bad}${problem ? ` It was not whole: ${problem}.` : ""}`;
}

/** @param {number} value */
const number = (value) => value.toLocaleString("en");
