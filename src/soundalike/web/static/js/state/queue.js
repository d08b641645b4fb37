/**
 * What plays now, what has played and what comes next: plain data, no sound and no page.
 * @typedef {{id: string, title: string, artist: ?string, album: ?string, duration_ms: number}} Track
 * @typedef {{text: string, because: {track_id: string, kind: string, at: string}[]}} Reason
 * @typedef {{track: Track, isAsked: boolean, reason: ?Reason}} Entry
 *   an entry somebody asked for goes before the rest; one that was recommended has its reason
 */

const MAX_PLAYED = 200;
const MAX_KEPT = 500;

export class Queue {
  /** @type {Entry[]} */
  entries = [];
  index = -1;

  /** @returns {?Entry} */
  get currentEntry() {
    return this.entries[this.index] ?? null;
  }

  /** @returns {?Track} */
  get current() {
    return this.currentEntry?.track ?? null;
  }

  /** @returns {Entry[]} */
  get upcoming() {
    return this.entries.slice(this.index + 1);
  }

  /** @returns {Entry[]} what is to come because somebody asked for it */
  get asked() {
    return this.upcoming.filter((entry) => entry.isAsked);
  }

  /** Play a list from one of its tracks; what was asked for stays next. */
  replace(tracks, index) {
    const entries = tracks.map((track) => entryOf(track));
    entries.splice(index + 1, 0, ...this.asked);
    this.entries = entries;
    this.index = index;
  }

  /** Play a track now, with nothing behind it but what was asked for. */
  begin(track) {
    this.forget((entry) => !entry.isAsked);
    this.entries.splice(this.index + 1, 0, entryOf(track));
    return this.step(1);
  }

  playNext(track) {
    this.entries.splice(this.index + 1, 0, entryOf(track, { isAsked: true }));
  }

  /** Queue a track behind whatever else was asked for. */
  add(track) {
    let place = this.index + 1;
    while (this.entries[place]?.isAsked) place += 1;
    this.entries.splice(place, 0, entryOf(track, { isAsked: true }));
  }

  /** @param {Track[]} tracks */
  append(tracks) {
    this.entries.push(...tracks.map((track) => entryOf(track)));
  }

  /**
   * Let recommendations come after what was asked for, in place of whatever came there.
   * @param {{track: Track, reason: Reason}[]} found
   */
  recommend(found) {
    const known = new Map(this.upcoming.map((entry) => [entry.track.id, entry]));
    const entries = found.map(({ track, reason }) => {
      const entry = known.get(track.id);
      return entry && !entry.isAsked ? Object.assign(entry, { reason }) : entryOf(track, { reason });
    });
    this.entries = [...this.entries.slice(0, this.index + 1), ...this.asked, ...entries];
  }

  /** Go on or back; false where there is nothing. */
  step(by) {
    return this.jump(this.index + by);
  }

  /** Go to an entry. What was asked for and is passed over stays next; what was recommended and is passed over goes. */
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

  /** Take out of what is to come. @param {(entry: Entry) => boolean} isMeant */
  forget(isMeant) {
    this.entries = this.entries.filter((entry, index) => index <= this.index || !isMeant(entry));
  }

  toJSON() {
    const first = Math.max(0, this.index - MAX_PLAYED);
    return { entries: this.entries.slice(first, first + MAX_KEPT), index: this.index - first };
  }

  /** Take up what `toJSON` gave; anything else leaves the queue empty. */
  restore(saved) {
    const entries = Array.isArray(saved?.entries) ? saved.entries : [];
    if (!entries.every(isEntry) || !Number.isInteger(saved?.index) || !entries[saved.index]) return;
    this.entries = entries;
    this.index = saved.index;
  }
}

function entryOf(track, { isAsked = false, reason = null } = {}) {
  return { track, isAsked, reason };
}

function isEntry(entry) {
  const isTrack = typeof entry?.track?.id === "string" && typeof entry.track.title === "string";
  return isTrack && (!entry.reason || isReason(entry.reason));
}

function isReason({ text, because }) {
  return typeof text === "string" && Array.isArray(because) && because.every((listen) => typeof listen?.track_id === "string");
}
