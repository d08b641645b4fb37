/** Events that the server cannot take yet: they stay in the outbox, and are sent again later. */
import { moment } from "./texts.js";
/** @import { Listen } from "./types.js" */

const AGREE_MS = 5 * 60_000;
const UNKNOWN_GENERATION =
  "The server does not know of a deletion of your data that this browser knows of: an older copy of its library may have been restored. " +
  "What you did since is stored in this browser and sent again later.";

/** What the server says of a batch of which it takes nothing yet. @typedef {{indexes?: number[], server_time?: string}} Refusal */

export class HeldEvents {
  /** Why some are held, for the listener; empty where none is. */
  text = "";
  /** @type {Set<string>} */
  #ids = new Set();

  /** Return the events that may be sent. @param {Listen[]} events */
  free(events) {
    return events.filter(({ id }) => !this.#ids.has(id));
  }

  /**
   * Hold those events of a batch that the server names.
   * @param {Listen[]} batch @param {Refusal} refusal @param {number} nowMs  by this device's clock
   * @returns {boolean} whether it names any
   */
  hold(batch, { indexes = [], server_time }, nowMs) {
    const named = indexes.filter((index) => batch[index]);
    for (const index of named) this.#ids.add(batch[index].id);
    // A text that stays can be closed, so the first clocks stay too.
    if (named.length) this.text ||= server_time ? clocksText(nowMs, Date.parse(server_time)) : UNKNOWN_GENERATION;
    return named.length > 0;
  }

  /** Let all of them be sent again. */
  release() {
    this.#ids.clear();
  }

  /** Forget why some were held, once none is. @returns {boolean} whether that is news */
  settle() {
    if (!this.text || this.#ids.size) return false;
    this.text = "";
    return true;
  }
}

/** @param {number} deviceMs @param {number} serverMs */
function clocksText(deviceMs, serverMs) {
  const clocks = `The clock of this device shows ${moment(deviceMs)}, that of the server ${moment(serverMs)}.`;
  return Math.abs(deviceMs - serverMs) < AGREE_MS
    ? `${clocks} Some of what you did bears a later time: it is stored in this browser and sent again later.`
    : `${clocks} What you do is stored in this browser and sent again until they agree: set the one that is wrong.`;
}
