/** What is wrong with the server, until it is well again: its event log, the library's store, or that it cannot be reached. */
import { STORE_AWAY } from "../api/client.js";
/** @import { ApiClient, ApiError } from "../api/client.js" */
/** @import { Browser } from "../api/browser.js" */
/** @import { Delivery } from "./delivery.js" */
/** @import { Player } from "./player.js" */
/** @import { ProfileWatch } from "./profile_watch.js" */

const ASK_AGAIN_MS = 5000;
/** The server knows some seconds later that nobody consumes. */
const DOUBTS = 2;

/**
 * A log that is part of the server is as well as that is, so it is not asked about until something fails.
 * @typedef {{browser: Browser, api: ApiClient, delivery: Delivery, profile: ProfileWatch, player: Player, isLogApart: boolean}} Parts
 */

/** Dispatches "change". */
export class ServerHealth extends EventTarget {
  /** What is wrong; empty where nothing is. */
  trouble = "";
  /** "waiting" asks again later. @type {"idle" | "waiting" | "asking"} */
  #state = "idle";
  /** How often it is asked again although it seems to be well. */
  #doubts = 0;
  /** @type {string[]} */
  #dismissed = [];
  #cancel = () => {};
  /** @type {Parts} */
  #parts;

  /** @param {Parts} parts */
  constructor(parts) {
    super();
    this.#parts = parts;
    const { browser, api, delivery, profile, player, isLogApart } = parts;
    api.addEventListener("storeaway", (event) => this.#show(storeTrouble(/** @type {CustomEvent} */ (event).detail)));
    delivery.addEventListener("refused", () => this.trouble || this.#ask());
    player.addEventListener("lost", () => this.#ask());
    delivery.addEventListener("held", () => this.#change());
    profile.addEventListener("overdue", () => isLogApart && this.#doubt());
    browser.events.addEventListener("visibilitychange", () => (isLogApart || this.trouble) && this.#ask());
    if (isLogApart) this.#ask();
  }

  /** The text to show; empty where there is none, or it was dismissed. */
  get notice() {
    return this.#texts.find((text) => text && !this.#dismissed.includes(text)) ?? "";
  }

  /** What is wrong with the server, and with the clocks: one is shown at a time. */
  get #texts() {
    return [this.trouble, this.#parts.delivery.held.text];
  }

  /** Hide what is shown until something else is wrong. */
  dismiss() {
    this.#dismissed.push(this.notice);
    this.dispatchEvent(new Event("change"));
  }

  /** What was dismissed and is over is shown when it comes back. */
  #change() {
    this.#dismissed = this.#dismissed.filter((text) => this.#texts.includes(text));
    this.dispatchEvent(new Event("change"));
  }

  /** What was done has not been followed, so something is wrong, or will be seen to be. */
  #doubt() {
    this.#doubts = DOUBTS;
    this.#ask();
  }

  async #ask() {
    if (this.#state === "asking") return;
    this.#cancel();
    this.#state = "idle";
    // A hidden page asks when it is shown again, unless somebody may be listening to it.
    if (!this.#parts.browser.isVisible() && !this.#parts.player.isLost) return;
    this.#state = "asking";
    const trouble = await this.#parts.api.health().then(
      (health) => {
        this.#parts.player.recover(); // A server that answers can play, whatever else is wrong.
        return logTrouble(health);
      },
      (error) => failureText(error),
    );
    this.#state = "idle";
    this.#show(trouble);
  }

  /** @param {string} trouble */
  #show(trouble) {
    const wasWell = !this.trouble;
    this.trouble = trouble;
    this.#change();
    if (trouble || this.#doubts > 0) {
      this.#doubts = trouble ? 0 : this.#doubts - 1;
      if (this.#state === "idle") this.#askLater();
    }
    if (!trouble && !wasWell) {
      this.#parts.delivery.resume();
      if (this.#parts.isLogApart) this.#parts.profile.watch();
    }
  }

  #askLater() {
    this.#state = "waiting";
    this.#cancel = this.#parts.browser.after(ASK_AGAIN_MS * (0.8 + 0.4 * this.#parts.browser.random()), () => this.#ask());
  }
}

/** What is wrong with the event log; empty where nothing is. @param {Awaited<ReturnType<ApiClient["health"]>>} health */
function logTrouble({ events }) {
  if (!events || (events.is_up && events.is_consumed)) return "";
  const what = events.is_up
    ? "What you do is stored, but recommendations are not updated at the moment"
    : "What you do is stored in this browser until the server can take it";
  // What follows a semicolon is for the person who runs the server.
  return events.detail ? `${what}: ${sentence(events.detail.split(";")[0])}` : `${what}.`;
}

/** Why the server's health is unknown. @param {ApiError} error */
function failureText({ status, code, message }) {
  if (code === STORE_AWAY) return storeTrouble(message);
  if (!status) return `${sentence(message)} What you do is stored in this browser until it is back.`;
  return `Something is wrong with the server: ${sentence(message)}`;
}

/** What is wrong with the store. @param {?string} message the server's, in which it is the first part */
function storeTrouble(message) {
  const what = sentence((message || "the library does not answer").split(";")[0]);
  return `${what[0].toUpperCase()}${what.slice(1)} What you do is stored in this browser until it is back.`;
}

/** @param {string} text */
function sentence(text) {
  return `${text.replace(/[.\s]+$/, "")}.`;
}
