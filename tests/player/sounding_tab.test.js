/** Of a listener's tabs one sounds. */
import assert from "node:assert/strict";
import test from "node:test";
import { FakeBrowser, settle } from "./fakes.js";
import { Tab, start } from "./tab.js";

async function twoTabs() {
  const { tab, server, clock } = await start();
  await tab.inOrder("amber");
  return { tab, other: await tab.open(), server, clock };
}

const sounding = (...tabs) => tabs.map((tab) => tab.player.isPlaying && !tab.audio.paused);

test("the tab that plays pauses the other, without a skip, time and again", async () => {
  const { tab, other, server } = await twoTabs();
  await other.inOrder("cedar");
  assert.deepEqual(sounding(tab, other), [false, true]);
  tab.player.toggle();
  await settle();
  assert.deepEqual(sounding(tab, other), [true, false]);
  other.player.toggle();
  await settle();
  assert.deepEqual(sounding(tab, other), [false, true]);
  assert.deepEqual(server.told, ["started amber", "started cedar"]);
});

test("a tab in which nothing plays is not disturbed", async () => {
  const { tab, other } = await twoTabs();
  tab.player.toggle();
  let changes = 0;
  tab.player.addEventListener("change", () => (changes += 1));
  await other.inOrder("cedar");
  await other.next();
  assert.equal(changes, 0);
  assert.deepEqual(sounding(tab, other), [false, true]);
});

test("a tab without sound pauses no other", async () => {
  const { tab, other } = await twoTabs();
  other.audio.isBlocked = true;
  await other.inOrder("cedar");
  assert.deepEqual(sounding(tab, other), [true, false]);
});

test("another listener of the browser is not paused", async () => {
  const { tab, server, clock } = await twoTabs();
  const tom = new Tab(server, new FakeBrowser({ clock, local: tab.browser.local }), { user: "tom" });
  await tom.inOrder("cedar");
  assert.deepEqual(sounding(tab, tom), [true, true]);
});

test("of two tabs that begin at once one goes on", async () => {
  const { tab, other } = await twoTabs();
  await other.inOrder("cedar");
  // That this tab plays is heard only now that the other has said so, too.
  other.browser.tell("storage", { key: "soundalike:sounding:you", newValue: '"the first"' });
  assert.deepEqual(sounding(tab, other), [false, true]);
});

test("a listener who is forgotten goes on hearing", async () => {
  const { tab, other } = await twoTabs();
  other.storage.forget();
  tab.browser.tell("storage", { key: "soundalike:sounding:you", newValue: null });
  assert.deepEqual(sounding(tab), [true]);
});

test("sound that was lost does not come back into another tab's", async () => {
  const { tab, other, server } = await twoTabs();
  server.isOffline = true;
  await tab.next();
  assert.equal(tab.player.isLost, true);
  server.isOffline = false;
  await other.inOrder("cedar");
  tab.player.recover();
  await settle();
  assert.deepEqual(sounding(tab, other), [false, true]);
});

test("a tab that waits for its next track leaves the sound to another", async () => {
  const { tab, other, server } = await twoTabs();
  tab.player.goOn();
  await settle();
  const held = server.hold("/api/recommendations");
  tab.queue.forget(() => true);
  tab.audio.end();
  await settle();
  await other.inOrder("cedar");
  held.forEach(({ release }) => release());
  await settle();
  assert.deepEqual(sounding(tab, other), [false, true]);
});

test("a tab that asks why its track does not play leaves the sound to another", async () => {
  const { tab, other, server } = await twoTabs();
  server.silent.set("birch", { type: "audio/aiff" });
  const held = server.hold("/api/tracks/birch/audio");
  await tab.next();
  await other.inOrder("cedar");
  held.forEach(({ release }) => release());
  await settle();
  assert.deepEqual(sounding(tab, other), [false, true]);
});

test("a browser that stores nothing plays", async () => {
  const browser = new FakeBrowser();
  browser.local.isFull = true;
  const { tab } = await start({ browser });
  await tab.inOrder("amber");
  assert.deepEqual(sounding(tab), [true]);
});
