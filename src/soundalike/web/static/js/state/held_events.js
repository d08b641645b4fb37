/** Events that the server cannot take yet: they stay in the outbox, and are sent again later. */
import { moment } from "./texts.js";
/** @import { Listen } from "./types.js" */

const AGREE_MS = 5 * 60_000;
const UNKNOWN_GENERATION =
  "The server does not know of a deletion of your data that this browser knows of: an older copy of its library may have been restored. " +
  "What you did since is stored in this browser and sent again later.";

const UNKNOWN_TRACK =
  "The library does not have some tracks that you played or judged: a disk may not be connected, or an older copy of the library was " +
  "restored. What you did with them is stored in this browser and sent again later.";
const OTHER =
  "The server cannot take some of what you did yet, for a reason that this page does not know: reload it to learn more. " +
  "It is stored in this browser and sent again later.";
/** Why events are held, by the server's code: the first that holds any is shown, and before all others. */
const CODES = ["ahead_of_clock", "unknown_generation", "unknown_track"];

/** What the server says of a batch of which it takes nothing yet. @typedef {{error?: string, indexes?: number[], server_time?: string}} Refusal */

export class HeldEvents {
  /** The code of each that is held, by id. @type {Map<string, string>} */
  #codes = new Map();
  /** Why, for the listener, by code. @type {Map<string, string>} */
  #texts = new Map();

  /** Why some are held, for the listener; empty where none is. */
  get text() {
    return [...CODES, ...this.#texts.keys()].map((code) => this.#texts.get(code)).find(Boolean) ?? "";
  }

  /** Return the events that may be sent. @param {Listen[]} events */
  free(events) {
    return events.filter(({ id }) => !this.#codes.has(id));
  }

  /**
   * Hold those events of a batch that the server names.
   * @param {Listen[]} batch @param {Refusal} refusal @param {number} nowMs  by this device's clock
   * @returns {boolean} whether it names any
   */
  hold(batch, { error = "", indexes = [], server_time }, nowMs) {
    const named = indexes.filter((index) => batch[index]);
    for (const index of named) this.#codes.set(batch[index].id, error);
    // A text that stays can be closed, so the first clocks stay too.
    if (named.length && !this.#texts.has(error)) this.#texts.set(error, textOf(error, nowMs, Date.parse(server_time ?? "")));
    return named.length > 0;
  }

  /** Let all of them be sent again. */
  release() {
    this.#codes.clear();
  }

  /** Forget why some were held, once none is for that. @returns {boolean} whether that is news */
  settle() {
    const { text } = this;
    const held = new Set(this.#codes.values());
    for (const code of this.#texts.keys()) if (!held.has(code)) this.#texts.delete(code);
    return text !== this.text;
  }
}

/** @param {string} code @param {number} nowMs @param {number} serverMs */
function textOf(code, nowMs, serverMs) {
  if (code === "ahead_of_clock") return clocksText(nowMs, serverMs);
  return { unknown_generation: UNKNOWN_GENERATION, unknown_track: UNKNOWN_TRACK }[code] ?? OTHER;
}

/** @param {number} deviceMs @param {number} serverMs */
function clocksText(deviceMs, serverMs) {
  const clocks = `The clock of this device shows ${moment(deviceMs)}, that of the server ${moment(serverMs)}.`;
  return Math.abs(deviceMs - serverMs) < AGREE_MS
    ? `${clocks} Some of what you did bears a later time: it is stored in this browser and sent again later.`
    : `${clocks} What you do is stored in this browser and sent again until they agree: set the one that is wrong.`;
}
