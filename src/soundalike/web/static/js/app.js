/** The state of the player, put together. It knows no page: views show it, and tests run it without a browser. */
import { ApiClient } from "./api/client.js";
import { UserStorage } from "./api/storage.js";
import { Adventure } from "./state/adventure.js";
import { AutoQueue } from "./state/auto_queue.js";
import { Delivery } from "./state/delivery.js";
import { Judgements } from "./state/judgements.js";
import { Opinions } from "./state/opinions.js";
import { Outbox } from "./state/outbox.js";
import { PlayTracker } from "./state/play_tracker.js";
import { Player } from "./state/player.js";
import { ProfileWatch } from "./state/profile_watch.js";
import { Queue } from "./state/queue.js";
import { Revocable } from "./state/revocable.js";
import { ScanWatch } from "./state/scan_watch.js";
import { ServerHealth } from "./state/server_health.js";
import { SoundingTab } from "./state/sounding_tab.js";
/** @import { Browser } from "./api/browser.js" */
/** @import { Say } from "./state/types.js" */

/**
 * @param {object} outside
 * @param {Browser} outside.browser
 * @param {typeof fetch} outside.fetch
 * @param {HTMLAudioElement} outside.audio
 * @param {string} outside.user  the id of the listener whose page this is
 * @param {boolean} outside.isLogApart  whether the event log is a server of its own
 * @param {boolean} outside.isAdmin  whether the listener may ask for scans
 * @param {Say} outside.say
 * @param {(text: string) => void} outside.announce  says something to screen readers only
 */
export function createApp({ browser, fetch, audio, user, isLogApart, isAdmin, say, announce }) {
  const api = new ApiClient(fetch, user);
  const storage = new UserStorage(browser, user);
  const adventure = new Adventure(storage);
  const queue = new Queue();
  const outbox = new Outbox(browser, storage, say);
  // Before the delivery, which sends what is in the outbox when the page closes.
  const revocable = new Revocable({ browser, storage, outbox });
  const profile = new ProfileWatch({ browser, api, storage, audio });
  const judgements = new Judgements({ browser, api, outbox, profile });
  const lockName = storage.keyOf("outbox");
  const delivery = new Delivery({ browser, api, outbox, profile, say, lockName });
  const autoQueue = new AutoQueue({ browser, api, queue, adventure, delivery, profile, say });
  const player = new Player({ browser, api, storage, audio, queue, autoQueue, say });
  const recordRevocably = revocable.put.bind(revocable);
  const opinions = new Opinions({ player, judgements, record, recordRevocably, say, announce });
  new PlayTracker({ browser, storage, player, record });
  new SoundingTab({ browser, storage, player });
  const health = new ServerHealth({ browser, api, delivery, profile, player, isLogApart });
  const scans = new ScanWatch({ browser, api, isAdmin, announce, say });
  revocable.addEventListener("over", () => send({ isFollowed: true }));
  delivery.addEventListener("rejected", () => judgements.load()); // What was rejected was shown as true until now.

  /** Store what was done, and send it. @param {string} kind @param {string} trackId */
  function record(kind, trackId, /** @type {?number} */ seconds = null) {
    outbox.put(kind, trackId, seconds === null ? null : Math.round(1000 * seconds));
    send({ isFollowed: kind !== "started" });
  }

  /** Send what is stored, and let what comes next follow from it where it may. @param {{isFollowed: boolean}} how */
  function send({ isFollowed }) {
    delivery.deliver();
    if (isFollowed) autoQueue.refresh();
  }

  delivery.deliver();
  return { api, storage, adventure, outbox, profile, judgements, delivery, autoQueue, queue, player, opinions, health, scans };
}

/** @typedef {ReturnType<typeof createApp>} App */
