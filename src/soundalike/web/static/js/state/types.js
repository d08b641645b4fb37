/**
 * The records that state passes around, as the API writes them.
 * @typedef {{id: string, title: string, artist: ?string, album: ?string, duration_ms: number}} Track
 * @typedef {{text: string, because: {track_id: string, kind: string, at: string}[]}} Reason
 *
 * @typedef {{track: Track, reason: Reason}} Recommendation
 * @typedef {{recommendations: Recommendation[], note?: ?string, profile_version?: ?string}} Recommendations
 *
 * An entry that the listener asked for comes before the rest; one that was recommended has its reason.
 * @typedef {{track: Track, isAsked: boolean, reason: ?Reason}} Entry
 *
 * Something the listener did. `before` is the profile's version when it was sent, once it was.
 * @typedef {{id: string, track_id: string, kind: string, position_ms: ?number, at: string, before?: ?string}} Listen
 *
 * Shows a short message; `undo` is what its button takes back.
 * @typedef {(text: string, undo?: () => unknown) => void} Say
 */

/** An event with what it is about. @template T */
export class DataEvent extends Event {
  /** @param {string} type @param {T} data */
  constructor(type, data) {
    super(type);
    this.data = data;
  }
}
