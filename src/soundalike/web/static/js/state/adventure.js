/** How far from the familiar recommendations may go: 0 to 1, remembered by the browser. */
/** @import { UserStorage } from "../api/storage.js" */

const DEFAULT = 0.2;

export class Adventure {
  /** The last choice, for browsers that store nothing. */
  #chosen = DEFAULT;

  /** @param {UserStorage} storage */
  constructor(storage) {
    this.storage = storage;
    this.key = storage.keyOf("adventure");
  }

  get value() {
    const value = this.storage.read(this.key);
    return typeof value === "number" && value >= 0 && value <= 1 ? value : this.#chosen;
  }

  set value(value) {
    this.#chosen = value;
    this.storage.write(this.key, value);
  }
}
