/** Of a listener's tabs one sounds: whichever began last. */
import { newId } from "./outbox.js";
/** @import { Browser } from "../api/browser.js" */
/** @import { UserStorage } from "../api/storage.js" */
/** @import { Player } from "./player.js" */

export class SoundingTab {
  /** @param {{browser: Browser, storage: UserStorage, player: Player}} parts */
  constructor({ browser, storage, player }) {
    const key = storage.keyOf("sounding");
    const tab = newId(browser.crypto);
    player.audio.addEventListener("playing", () => storage.write(key, tab));
    browser.events.addEventListener("storage", (event) => {
      if (/** @type {StorageEvent} */ (event).key !== key) return;
      // What is stored by now counts: two tabs that begin at once hear of each other, and must not both stop.
      const latest = storage.read(key);
      if (latest && latest !== tab) player.pause();
    });
  }
}
