/**
 * The records that state passes around, as the API writes them.
 * What was saved by an older version of the player lacks the members that may be missing.
 * @typedef {{id: string, name: string}} Named
 * @typedef {object} Track
 * @property {string} id
 * @property {string} title
 * @property {?string} artist
 * @property {?string} album
 * @property {number} duration_ms
 * @property {boolean} [has_audio]
 * @property {Named[]} [artists]
 * @property {?string} [album_id]
 * @property {Named[]} [genres]
 * @property {?{file?: string, start_ms: number, end_ms: ?number}} [part]  where it is in which file
 * @typedef {{text: string, because: {track_id: string, kind: string, at: string}[]}} Reason
 *
 * @typedef {{track: Track, reason: Reason}} Recommendation
 * @typedef {{recommendations: Recommendation[], note?: ?string, profile_version?: ?string}} Recommendations
 *
 * An entry that the listener asked for comes before the rest; one that was recommended has its reason.
 * @typedef {{track: Track, isAsked: boolean, reason: ?Reason}} QueueEntry
 *
 * Something the listener did. `generation` is that of their data when they did it, where the server had told it; `before` is
 * the profile's version when it was sent, once it was.
 * @typedef {{id: string, track_id: string, kind: string, position_ms: ?number, at: string, generation?: number, before?: ?string}} Listen
 *
 * How far the library is in step with its folders, and what became of the last scan.
 * @typedef {{finished_at: string, found: number, unusable: number, added: number, changed: number, moved: number, returned: number, vanished: number, problem: string}} ScanResult
 * @typedef {object} Scan
 * @property {"idle" | "scanning" | "analysing" | "learning" | "paused"} state
 * @property {boolean} is_running
 * @property {boolean} is_wanted
 * @property {boolean} is_paused
 * @property {number} done  files
 * @property {number} total
 * @property {?number} seconds_left
 * @property {?ScanResult} last
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
