/** A tab with the player in it: everything but the views, on a fake browser and a fake server. */
import { createApp } from "../../src/soundalike/web/static/js/app.js";
import { FakeAudio, FakeBrowser, settle } from "./fakes.js";
import { FakeServer, trackOf } from "./server.js";

export const TREES = ["amber", "birch", "cedar", "dogwood", "elm", "fir"];
export const GROUPS = ["a", "b", "c"].flatMap((group) => Array.from({ length: 20 }, (_, place) => `${group}${String(place).padStart(2, "0")}`));
export const USER = "you";

export class Tab {
  said = [];
  undo = null;
  announced = [];

  constructor(server, browser = new FakeBrowser(), { isLogApart = server.foldsLater, user = USER, isAdmin = true } = {}) {
    Object.assign(this, { server, browser, how: { isLogApart, user, isAdmin }, clock: browser.clock });
    this.audio = new FakeAudio(server);
    const never = new Promise(() => {});
    const fetch = (url, how) =>
      server.fetch(url, how).then(
        (response) => (browser.isClosed ? never : response),
        (error) => (browser.isClosed ? never : Promise.reject(error)),
      );
    const say = (text, undo) => {
      this.said.push(text.replace(/[\u2068\u2069]/g, ""));
      this.undo = undo ?? null;
    };
    Object.assign(
      this,
      createApp({ browser, fetch, audio: this.audio, isLogApart, user, isAdmin, say, announce: (text) => this.announced.push(text) }),
    );
  }

  /** Open another tab of this browser. */
  async open({ session } = {}) {
    const { clock, local, locks } = this.browser;
    const browser = new FakeBrowser({ clock, local, locks });
    if (session) for (const [key, value] of session.values) browser.session.setItem(key, value);
    return begin(this.server, browser, this.how);
  }

  /** Reload; returns the tab as it is then. */
  async reload() {
    this.close();
    await this.clock.pass(100);
    const { clock, local, locks, session } = this.browser;
    const browser = Object.assign(new FakeBrowser({ clock, local, locks }), { session, newTab: false, dateMs: this.browser.dateMs });
    return begin(this.server, browser, this.how);
  }

  close() {
    this.browser.close();
  }

  /** Ids of what comes next. */
  get coming() {
    return this.queue.upcoming.map((entry) => entry.track.id);
  }

  get playing() {
    return this.player.track?.id ?? null;
  }

  /** Events in the browser's storage that wait to be sent, or to be folded. */
  stored(name = "outbox") {
    const { local } = this.browser;
    const keys = [...local.values.keys()].filter((key) => key.startsWith(`soundalike:${name}:`));
    return keys.map((key) => local.json(key)).sort((one, other) => (one.at < other.at ? -1 : 1));
  }

  async play(id) {
    this.player.play(trackOf(id), []);
    await settle();
  }

  /** Play the library in its order from a track. */
  async inOrder(id) {
    const ids = [...this.server.tracks.keys()];
    this.player.playList(ids.map(trackOf), ids.indexOf(id));
    await settle();
  }

  async like(...ids) {
    for (const id of ids) this.opinions.like(trackOf(id));
    await settle();
  }

  async dislike(id) {
    this.opinions.dislike(trackOf(id));
    await settle();
  }

  async next() {
    await this.player.next();
    await settle();
  }
}

async function begin(server, browser, how) {
  const tab = new Tab(server, browser, how);
  await settle();
  return tab;
}

/** Start a player on a library. */
export async function start({ tracks = TREES, browser, prepare = () => {}, ...how } = {}) {
  const server = new FakeServer(tracks);
  prepare(server);
  const tab = await begin(server, browser, how);
  return { tab, server, clock: tab.clock };
}
