/**
 * What plays now, what has played and what comes next: plain data, no sound and no page.
 * @typedef {{id: string, title: string, artist: ?string, album: ?string, duration_ms: number}} Track
 * @typedef {{track: Track, isAsked: boolean}} Entry  an entry somebody asked for goes before the rest
 */

const MAX_PLAYED = 200;
const MAX_KEPT = 500;

export class Queue {
  /** @type {Entry[]} */
  entries = [];
  index = -1;

  /** @returns {?Track} */
  get current() {
    return this.entries[this.index]?.track ?? null;
  }

  /** @returns {Track[]} */
  get upcoming() {
    return this.entries.slice(this.index + 1).map((entry) => entry.track);
  }

  /** Play a list from one of its tracks; what was asked for stays next. */
  replace(tracks, index) {
    const asked = this.entries.slice(this.index + 1).filter((entry) => entry.isAsked);
    const entries = tracks.map((track) => ({ track, isAsked: false }));
    entries.splice(index + 1, 0, ...asked);
    this.entries = entries;
    this.index = index;
  }

  playNext(track) {
    this.entries.splice(this.index + 1, 0, { track, isAsked: true });
  }

  /** Queue a track behind whatever else was asked for. */
  add(track) {
    let place = this.index + 1;
    while (this.entries[place]?.isAsked) place += 1;
    this.entries.splice(place, 0, { track, isAsked: true });
  }

  /** @param {Track[]} tracks */
  append(tracks) {
    this.entries.push(...tracks.map((track) => ({ track, isAsked: false })));
  }

  /** Go on or back; false where there is nothing. */
  step(by) {
    return this.jump(this.index + by);
  }

  jump(index) {
    if (!this.entries[index]) return false;
    this.index = index;
    this.entries[index].isAsked = false;
    const surplus = this.index - MAX_PLAYED;
    if (surplus > 0) {
      this.entries.splice(0, surplus);
      this.index -= surplus;
    }
    return true;
  }

  /** Take out something that is still to come. */
  remove(index) {
    if (index > this.index) this.entries.splice(index, 1);
  }

  /** Forget what is to come. */
  clear() {
    this.entries.length = this.index + 1;
  }

  toJSON() {
    return { entries: this.entries.slice(0, MAX_KEPT), index: this.index };
  }

  /** Take up what `toJSON` gave; anything else leaves the queue empty. */
  restore(saved) {
    const entries = Array.isArray(saved?.entries) ? saved.entries : [];
    const isWhole = entries.every((entry) => typeof entry?.track?.id === "string" && typeof entry.track.title === "string");
    if (!isWhole || !Number.isInteger(saved?.index) || !entries[saved.index]) return;
    this.entries = entries;
    this.index = saved.index;
  }
}
