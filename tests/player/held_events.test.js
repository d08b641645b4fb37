/** What the server cannot take yet stays in the browser, and what is done bears the generation of then. */
import assert from "node:assert/strict";
import test from "node:test";
import { moment } from "../../src/soundalike/web/static/js/state/texts.js";
import { FakeBrowser, settle } from "./fakes.js";
import { reply } from "./server.js";
import { start } from "./tab.js";

const LISTENS = "/api/listens";
const HOUR_MS = 3_600_000;
const KEY = "soundalike:generation:you";
const generations = (server) => [...server.listens.values()].map(({ generation }) => generation);

/** The server's clock is slow: it takes what is dated up to now less so much. */
function slowBy(ms) {
  return (server) => (server.latestMs = Date.UTC(2026, 0, 1) - ms + 300_000);
}

test("what is ahead of the server's clock is kept, the rest is sent", async () => {
  const { tab, server } = await start({ prepare: (server) => (server.isOffline = true) });
  await tab.like("amber");
  tab.browser.dateMs += HOUR_MS;
  await tab.like("birch");
  tab.browser.dateMs -= HOUR_MS;
  await tab.like("cedar");
  slowBy(0)(server);
  server.isOffline = false;
  tab.browser.tell("online");
  await settle();
  assert.deepEqual(server.told, ["liked amber", "liked cedar"]);
  assert.deepEqual(tab.stored().map(({ track_id }) => track_id), ["birch"]);
  assert.deepEqual(tab.said, []);
});

test("a server whose clock is slow gets everything once that is right, and both clocks are named until then", async () => {
  const { tab, server, clock } = await start({ prepare: slowBy(HOUR_MS) });
  await tab.like("amber");
  await tab.like("birch");
  assert.deepEqual(server.told, []);
  assert.deepEqual(tab.stored().map(({ track_id }) => track_id), ["amber", "birch"]);
  for (const shown of [HOUR_MS, 0].map((ms) => moment(Date.UTC(2026, 0, 1) - ms))) assert.ok(tab.health.notice.includes(shown), tab.health.notice);
  server.latestMs = Infinity;
  await clock.pass(61_000);
  assert.deepEqual(server.told, ["liked amber", "liked birch"]);
  assert.deepEqual(tab.stored(), []);
  assert.equal(tab.health.notice, "");
});

test("what is held is tried again at a measured pace, and survives a reload", async () => {
  const { tab, server, clock } = await start({ prepare: slowBy(HOUR_MS) });
  await tab.like("amber");
  const before = server.asked(LISTENS).length;
  for (const isShown of [false, true, false, true]) tab.browser.show(isShown);
  await settle();
  await clock.pass(10 * 60_000);
  const tries = server.asked(LISTENS).length - before;
  assert.ok(tries >= 10 && tries <= 16, String(tries));
  const again = await tab.reload();
  assert.deepEqual(again.stored().map(({ track_id }) => track_id), ["amber"]);
  assert.notEqual(again.health.notice, "");
  server.latestMs = Infinity;
  again.browser.show(true);
  await settle();
  assert.deepEqual(server.told, ["liked amber"]);
});

test("a notice of the clocks that was closed stays closed until they agree, and other trouble is shown", async () => {
  const { tab, server, clock } = await start({ prepare: slowBy(HOUR_MS) });
  await tab.like("amber");
  tab.health.dismiss();
  await clock.pass(3 * 60_000);
  assert.equal(tab.health.notice, "");
  tab.api.dispatchEvent(new Event("storeaway"));
  assert.match(tab.health.notice, /The library does not answer/);
  await clock.pass(7_000); // it is asked again, and is well
  assert.equal(tab.health.notice, "");
  server.latestMs = Infinity;
  await clock.pass(61_000);
  slowBy(2 * HOUR_MS)(server);
  await tab.like("birch");
  assert.match(tab.health.notice, /The clock of this device/);
});

test("what a fast clock dated stays held once the clock is right, and no clock is called wrong", async () => {
  const { tab } = await start({ prepare: slowBy(0) });
  tab.browser.dateMs += HOUR_MS;
  await tab.like("amber");
  assert.match(tab.health.notice, /set the one that is wrong/);
  tab.browser.dateMs -= HOUR_MS;
  const again = await tab.reload();
  assert.match(again.health.notice, /bears a later time/);
  assert.equal(again.stored().length, 1);
});

test("a refusal that names no event is waited for", async () => {
  const { tab, server, clock } = await start();
  const relent = server.when(LISTENS, () => reply(409, { error: "ahead_of_clock", message: "not yet", indexes: [7] }));
  await tab.like("amber");
  assert.equal(server.asked(LISTENS).length, 1);
  assert.equal(tab.stored().length, 1);
  relent();
  await clock.pass(5_000);
  assert.deepEqual(server.told, ["liked amber"]);
});

test("what is done bears the generation that the server told", async () => {
  const { tab, server } = await start({ prepare: (server) => (server.generation = 3) });
  await tab.like("amber");
  assert.deepEqual(generations(server), [3]);
  assert.equal(tab.browser.local.json(KEY), 3);
});

test("what was done before the server told bears none, also once it has", async () => {
  const { tab, server } = await start({ prepare: (server) => (server.isOffline = true) });
  await tab.like("amber");
  Object.assign(server, { isOffline: false, generation: 2 });
  tab.browser.tell("online");
  await settle();
  await tab.like("birch");
  assert.deepEqual(generations(server), [undefined, 2]);
});

test("a later generation is for what happens from then on, in every tab, and never for what waits", async () => {
  const { tab, server } = await start();
  const other = await tab.open();
  server.isOffline = true;
  await tab.like("amber");
  Object.assign(server, { isOffline: false, generation: 1 }); // deleted on another device
  await other.like("birch");
  await settle();
  assert.deepEqual(tab.stored(), []);
  assert.deepEqual(server.told, []);
  await tab.like("cedar");
  await other.like("dogwood");
  assert.deepEqual(server.told, ["liked cedar", "liked dogwood"]);
  assert.deepEqual(generations(server), [1, 1]);
  assert.equal(other.judgements.of("amber"), null);
});

test("an answer that is older than what is known changes nothing", async () => {
  const { tab, server } = await start();
  const held = server.hold("/api/me");
  tab.browser.show(true);
  await settle();
  server.generation = 1;
  await tab.like("amber"); // hidden, and the answer tells the generation
  held[0].release(reply(200, { generation: 0 }));
  await settle();
  await tab.like("birch");
  assert.deepEqual(server.told, ["liked birch"]);
});

test("after an older backup was restored, what the server does not know is kept and what is done counts", async () => {
  const { tab, server, clock } = await start({ prepare: (server) => (server.generation = 2) });
  server.generation = 1;
  await tab.like("amber");
  assert.match(tab.health.notice, /older copy of its library/);
  await tab.like("birch");
  assert.deepEqual(server.told, ["liked birch"]);
  assert.deepEqual(tab.stored().map(({ track_id, generation }) => [track_id, generation]), [["amber", 2]]);
  server.generation = 2; // the log was replayed
  await clock.pass(61_000);
  assert.deepEqual(server.told, ["liked amber", "liked birch"].sort());
  assert.equal(tab.health.notice, "");
});

test("what was done with tracks that the library does not have is kept, and sent once they are back", async () => {
  const { tab, server, clock } = await start({ prepare: (server) => (server.isOffline = true) });
  await tab.like("amber", "birch", "cedar");
  const { tracks } = server;
  server.tracks = new Map([["birch", tracks.get("birch")]]); // a disk is missing
  server.isOffline = false;
  tab.browser.tell("online");
  await settle();
  assert.deepEqual(server.told, ["liked birch"]);
  assert.deepEqual(tab.stored().map(({ track_id }) => track_id), ["amber", "cedar"]);
  assert.match(tab.health.notice, /does not have some tracks .* stored in this browser/);
  assert.deepEqual(tab.said, []);
  await tab.like("birch");
  assert.equal(server.told.length, 2, "the rest is not held up");
  const again = await tab.reload();
  const before = server.asked(LISTENS).length;
  await clock.pass(10 * 60_000);
  const tries = server.asked(LISTENS).length - before;
  assert.ok(tries >= 8 && tries <= 12, String(tries));
  server.tracks = tracks;
  await clock.pass(61_000);
  assert.deepEqual(server.told.slice(0, 3), ["liked amber", "liked birch", "liked cedar"]);
  assert.deepEqual(again.stored(), []);
  assert.equal(again.health.notice, "");
});

test("of several reasons, each is told as long as something is held for it", async () => {
  const { tab, server, clock } = await start();
  const { tracks } = server;
  server.tracks = new Map();
  await tab.like("amber");
  assert.match(tab.health.notice, /does not have some tracks/);
  server.tracks = new Map([["birch", tracks.get("birch")]]);
  slowBy(HOUR_MS)(server);
  await tab.like("birch");
  assert.match(tab.health.notice, /The clock of this device/);
  server.latestMs = Infinity;
  await clock.pass(61_000);
  assert.deepEqual(server.told, ["liked birch"]);
  assert.match(tab.health.notice, /does not have some tracks/);
  server.tracks = tracks;
  await clock.pass(61_000);
  assert.equal(tab.health.notice, "");
});

test("a reason that this page does not know is told as well, after those that it knows", async () => {
  const { tab, server, clock } = await start();
  const relent = server.when(LISTENS, () => reply(409, { error: "of_a_later_version", message: "not yet", indexes: [0] }));
  await tab.like("amber");
  assert.match(tab.health.notice, /cannot take some of what you did .* stored in this browser/);
  assert.doesNotMatch(tab.health.notice, /older copy/);
  relent();
  slowBy(HOUR_MS)(server);
  await tab.like("birch");
  assert.match(tab.health.notice, /The clock of this device/);
  server.latestMs = Infinity;
  await clock.pass(61_000);
  assert.deepEqual(server.told, ["liked amber", "liked birch"]);
  assert.equal(tab.health.notice, "");
});

test("a browser that stores nothing bears generations too", async () => {
  const browser = new FakeBrowser();
  browser.local.isFull = true;
  const { tab, server } = await start({ browser, prepare: (server) => (server.generation = 3) });
  await tab.like("amber");
  assert.deepEqual(generations(server), [3]);
});

test("each listener of a browser has a generation of their own, forgotten with all else of them", async () => {
  const { tab, server } = await start({ prepare: (server) => (server.generation = 3) });
  tab.storage.forget();
  assert.equal(tab.browser.local.getItem(KEY), null);
  server.when("/api/me", () => Promise.reject(new TypeError()));
  await tab.like("amber");
  assert.deepEqual(generations(server), [undefined]);
});

for (const foldsLater of [false, true]) {
  test(`what does not count is not shown as a like${foldsLater ? ", nor waited for" : ""}`, async () => {
    const { tab, server, clock } = await start({ prepare: (server) => (server.foldsLater = foldsLater) });
    server.generation = 1;
    await tab.like("amber");
    await clock.pass(10_000);
    assert.equal(tab.judgements.of("amber"), null);
    assert.deepEqual(tab.stored(), []);
    assert.deepEqual(tab.stored("unfolded"), []);
    assert.equal(tab.health.notice, "");
  });
}
