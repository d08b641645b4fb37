/** What is heard, finished and skipped is recorded as it was. */
import assert from "node:assert/strict";
import test from "node:test";
import { settle } from "./fakes.js";
import { start } from "./tab.js";

test("a track that ends by itself is finished, and counts again when it is repeated", async () => {
  const { tab, server } = await start();
  await tab.inOrder("amber");
  tab.audio.end();
  await settle();
  assert.equal(tab.playing, "birch");
  assert.deepEqual(server.told, ["started amber", "finished amber", "started birch"]);
  tab.player.previous();
  await settle();
  tab.audio.end();
  await settle();
  const once = ["started amber", "finished amber", "started birch"];
  assert.deepEqual(server.told, [...once, ...once]);
});

test("next is one skip, with its position", async () => {
  const { tab, server } = await start();
  await tab.inOrder("amber");
  tab.audio.moveTo(7.2);
  await tab.next();
  assert.deepEqual(server.told, ["started amber", "skipped amber", "started birch"]);
  assert.equal([...server.listens.values()][1].position_ms, 7200);
});

test("choosing another track is a skip, from a list and from the queue", async () => {
  const { tab, server } = await start();
  await tab.inOrder("amber");
  await tab.inOrder("cedar");
  tab.player.jump(tab.queue.entries.findIndex(({ track }) => track.id === "elm"));
  await settle();
  assert.deepEqual(server.told, ["started amber", "skipped amber", "started cedar", "skipped cedar", "started elm"]);
});

test("going on in the last moment is no skip", async () => {
  const { tab, server } = await start();
  await tab.inOrder("amber");
  tab.audio.currentTime = 18.4;
  await tab.next();
  assert.deepEqual(server.told, ["started amber", "finished amber", "started birch"]);
});

test("the last two seconds are heard to the end, and 98 % of a long track", async () => {
  const { tab, server } = await start();
  await tab.inOrder("amber");
  tab.audio.moveTo(17.9);
  assert.deepEqual(server.told, ["started amber"]);
  tab.audio.moveTo(18.1);
  await settle();
  assert.deepEqual(server.told, ["started amber", "finished amber"]);
  await tab.inOrder("birch");
  tab.audio.duration = 1000;
  tab.audio.moveTo(979);
  await settle();
  assert.equal(server.told.includes("finished birch"), false);
  tab.audio.moveTo(980);
  await settle();
  assert.equal(server.told.includes("finished birch"), true);
});

test("seeking, pausing, going back and leaving are no skips", async () => {
  const { tab, server } = await start();
  await tab.inOrder("amber");
  await tab.inOrder("birch");
  const told = ["started amber", "skipped amber", "started birch"];
  tab.player.seek(10);
  tab.player.toggle();
  assert.equal(tab.audio.paused, true);
  tab.player.toggle();
  await settle();
  tab.player.previous();
  assert.equal(tab.audio.currentTime, 0);
  tab.player.previous();
  await settle();
  assert.equal(tab.playing, "amber");
  assert.deepEqual(server.told, [...told, "started amber"]);
  tab.close();
  await settle();
  assert.deepEqual(server.told, [...told, "started amber"]);
});

test("a reload neither skips nor starts anew", async () => {
  const { tab, server } = await start();
  await tab.inOrder("amber");
  const again = await tab.reload();
  assert.equal(again.playing, "amber");
  again.player.toggle();
  await settle();
  assert.deepEqual(server.told, ["started amber"]);
  await again.next();
  assert.deepEqual(server.told, ["started amber", "skipped amber", "started birch"]);
  assert.deepEqual(again.browser.session.json("soundalike:play:you"), { trackId: "birch", isStarted: true, isFinished: false });
});

test("what never sounded is neither started nor skipped", async () => {
  const { tab, server } = await start();
  server.silent.set("amber", { type: "audio/aiff" });
  await tab.inOrder("amber");
  assert.equal(tab.playing, "birch");
  assert.deepEqual(server.told, ["started birch"]);
});

test("going on from a restored track in a new tab judges nothing", async () => {
  const { tab, server } = await start();
  await tab.inOrder("amber");
  const other = await tab.open();
  assert.equal(other.playing, "amber");
  await other.next();
  assert.equal(other.playing, "birch");
  assert.deepEqual(server.told, ["started amber", "started birch"]);
});

test("a copy of a tab skips nothing that sounded in the other", async () => {
  const { tab, server } = await start();
  await tab.inOrder("amber");
  const copy = await tab.open({ session: tab.browser.session });
  await copy.next();
  assert.equal(server.told.includes("skipped amber"), false);
  await tab.next();
  assert.equal(server.told.filter((one) => one === "skipped amber").length, 1);
});

test("two tabs that play the same track are two plays", async () => {
  const { tab, server } = await start();
  await tab.play("amber");
  const other = await tab.open();
  other.player.toggle();
  await settle();
  assert.deepEqual(server.told, ["started amber", "started amber"]);
});

test("a finished track that is moved back to its beginning is heard again", async () => {
  const { tab, server } = await start();
  await tab.inOrder("fir");
  tab.audio.moveTo(18.2);
  tab.audio.moveTo(0);
  await settle();
  assert.deepEqual(server.told, ["started fir", "finished fir", "started fir"]);
});

test("while it is paused or seeking no moment counts", async () => {
  const { tab, server } = await start();
  await tab.inOrder("amber");
  tab.audio.seeking = true;
  tab.audio.moveTo(19);
  tab.audio.seeking = false;
  tab.audio.pause();
  tab.audio.moveTo(19);
  await settle();
  assert.deepEqual(server.told, ["started amber"]);
});

test("the last two seconds of a very short track begin no earlier than its middle", async () => {
  const { tab, server } = await start();
  tab.audio.duration = 3;
  await tab.inOrder("amber");
  tab.audio.moveTo(1.2);
  await settle();
  assert.deepEqual(server.told, ["started amber"]);
  tab.audio.moveTo(1.6);
  await settle();
  assert.deepEqual(server.told, ["started amber", "finished amber"]);
});

test("a track that never sounded before a reload starts after it", async () => {
  const { tab, server } = await start();
  tab.audio.isStalled = true;
  await tab.inOrder("amber");
  const again = await tab.reload();
  again.player.toggle();
  await settle();
  assert.deepEqual(server.told, ["started amber"]);
});
