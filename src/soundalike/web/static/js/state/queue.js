/** What plays now, what has played and what comes next: plain data. A change makes a new array of entries. */
/** @import { QueueEntry, Reason, Recommendation, Track } from "./types.js" */

const MAX_PLAYED = 200;
export const MAX_KEPT = 500;

export class Queue {
  /** @type {QueueEntry[]} */
  entries = [];
  index = -1;

  /** @returns {?QueueEntry} */
  get currentEntry() {
    return this.entries[this.index] ?? null;
  }

  /** @returns {?Track} */
  get current() {
    return this.currentEntry?.track ?? null;
  }

  /** @returns {QueueEntry[]} */
  get upcoming() {
    return this.entries.slice(this.index + 1);
  }

  /** @returns {QueueEntry[]} what comes next because the listener asked for it */
  get asked() {
    return this.upcoming.filter((entry) => entry.isAsked);
  }

  /** Play a list from one of its tracks; what was asked for stays next. @param {Track[]} tracks @param {number} index */
  replace(tracks, index) {
    const entries = tracks.map((track) => entryOf(track));
    this.entries = entries.slice(0, index + 1).concat(this.asked, entries.slice(index + 1));
    this.index = index;
  }

  /** Play a track now, with nothing after it but what was asked for. @param {Track} track */
  begin(track) {
    this.forget((entry) => !entry.isAsked);
    this.#insert(this.index + 1, entryOf(track));
    return this.step(1);
  }

  /** @param {Track} track */
  playNext(track) {
    this.#insert(this.index + 1, entryOf(track, { isAsked: true }));
  }

  /** Queue a track after everything else that was asked for. @param {Track} track */
  add(track) {
    let place = this.index + 1;
    while (this.entries[place]?.isAsked) place += 1;
    this.#insert(place, entryOf(track, { isAsked: true }));
  }

  /** @param {Track[]} tracks */
  append(tracks) {
    this.entries = this.entries.concat(tracks.map((track) => entryOf(track)));
  }

  /** Let entries that were upcoming be so again, in place of everything but what was asked for since. @param {QueueEntry[]} upcoming */
  putBack(upcoming) {
    this.entries = [...this.entries.slice(0, this.index + 1), ...this.asked, ...upcoming];
  }

  /** @param {number} place @param {QueueEntry} entry */
  #insert(place, entry) {
    this.entries = [...this.entries.slice(0, place), entry, ...this.entries.slice(place)];
  }

  /**
   * Let recommendations come after what was asked for, in place of everything else.
   * @param {Recommendation[]} found
   */
  recommend(found) {
    const known = new Map(this.upcoming.map((entry) => [entry.track.id, entry]));
    const entries = found.map(({ track, reason }) => {
      const entry = known.get(track.id);
      return entry && !entry.isAsked ? Object.assign(entry, { reason }) : entryOf(track, { reason });
    });
    this.entries = [...this.entries.slice(0, this.index + 1), ...this.asked, ...entries];
  }

  /** Go on or back; false where there is nothing. @param {number} by */
  step(by) {
    return this.jump(this.index + by);
  }

  /**
   * Go to an entry. What was asked for and is passed over stays next; what was recommended and is passed over goes.
   * @param {number} index @returns {boolean} whether there is one
   */
  jump(index) {
    const target = this.entries[index];
    if (!target) return false;
    if (index > this.index) {
      const passed = this.entries.slice(this.index + 1, index);
      const played = [...this.entries.slice(0, this.index + 1), ...passed.filter((entry) => !entry.isAsked && !entry.reason)];
      const asked = passed.filter((entry) => entry.isAsked);
      this.entries = [...played, target, ...asked, ...this.entries.slice(index + 1)];
    }
    this.index = this.entries.indexOf(target);
    target.isAsked = false;
    const surplus = Math.max(0, this.index - MAX_PLAYED);
    this.entries = this.entries.slice(surplus);
    this.index -= surplus;
    return true;
  }

  /** Remove an upcoming entry. @param {number} index */
  remove(index) {
    this.forget((entry) => entry === this.entries[index]);
  }

  /** Remove upcoming entries. @param {(entry: QueueEntry) => boolean} isMeant */
  forget(isMeant) {
    this.entries = this.entries.filter((entry, index) => index <= this.index || !isMeant(entry));
  }

  toJSON() {
    const first = Math.max(0, this.index - MAX_PLAYED);
    return { entries: this.entries.slice(first, first + MAX_KEPT), index: this.index - first };
  }

  /** Restore what `toJSON` gave; anything else leaves the queue empty. @param {any} saved */
  restore(saved) {
    const entries = Array.isArray(saved?.entries) ? saved.entries : [];
    if (!entries.every(isEntry) || !Number.isInteger(saved?.index) || !entries[saved.index]) return;
    this.entries = entries;
    this.index = saved.index;
  }
}

/** @param {Track} track @param {{isAsked?: boolean, reason?: ?Reason}} how @returns {QueueEntry} */
function entryOf(track, { isAsked = false, reason = null } = {}) {
  return { track, isAsked, reason };
}

/** @param {any} entry @returns {entry is QueueEntry} */
function isEntry(entry) {
  const { track, reason } = entry ?? {};
  const isTrack = typeof track?.id === "string" && typeof track.title === "string";
  if (!isTrack || !reason) return isTrack;
  return typeof reason.text === "string" && Array.isArray(reason.because) && reason.because.every(isBecause);
}

/** @param {any} listen */
const isBecause = (listen) => typeof listen?.track_id === "string";
