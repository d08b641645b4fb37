/** Tracks that are parts of one file, such as those of a CUE image: positions count from the part's own beginning. */
import assert from "node:assert/strict";
import test from "node:test";
import { settle } from "./fakes.js";
import { trackOf } from "./server.js";
import { start } from "./tab.js";

/** An image of 20 s: a track of 8 s, and one from there to the end of the file. */
const FIRST = { ...trackOf("amber"), duration_ms: 8000, part: { start_ms: 0, end_ms: 8000 } };
const LAST = { ...trackOf("birch"), duration_ms: 12_000, part: { start_ms: 8000, end_ms: null } };

async function playParts(index = 0) {
  const { tab, server } = await start();
  tab.player.playList([FIRST, LAST], index);
  await settle();
  return { tab, server };
}

test("a part begins where it is in its file, and has its own length and position", async () => {
  const { tab } = await playParts(1);
  assert.equal(tab.audio.currentTime, 8);
  assert.equal(tab.player.position, 0);
  assert.equal(tab.player.duration, 12);
  tab.audio.moveTo(11);
  assert.equal(tab.player.position, 3);
  tab.player.seek(5);
  assert.equal(tab.audio.currentTime, 13);
  tab.player.seek(0);
  assert.equal(tab.audio.currentTime, 8);
});

test("the next part follows where one ends, which is heard to its end", async () => {
  const { tab, server } = await playParts();
  tab.audio.moveTo(7.9);
  assert.equal(tab.playing, "amber");
  tab.audio.moveTo(8.1);
  await settle();
  assert.equal(tab.playing, "birch");
  assert.equal(tab.player.isPlaying, true);
  assert.deepEqual(server.told, ["started amber", "finished amber", "started birch"]);
});

test("a part ends where it ends, without a word from the audio element", async () => {
  const { tab } = await playParts();
  tab.audio.moveTo(7.9);
  tab.audio.currentTime = 7.99;
  await tab.clock.pass(100);
  assert.equal(tab.playing, "amber");
  tab.audio.currentTime = 8;
  await tab.clock.pass(20);
  await settle();
  assert.equal(tab.playing, "birch");
});

test("a part that is paused near its end goes no further by itself", async () => {
  const { tab } = await playParts();
  tab.audio.moveTo(7.9);
  tab.player.toggle();
  tab.audio.currentTime = 8;
  await tab.clock.pass(1000);
  assert.equal(tab.playing, "amber");
});

test("listens have positions in the part", async () => {
  const { tab, server } = await playParts(1);
  tab.audio.moveTo(11);
  tab.player.jump(0);
  await settle();
  assert.deepEqual(server.told, ["started birch", "skipped birch", "started amber"]);
  assert.equal([...server.listens.values()][1].position_ms, 3000);
});

test("the last part ends with its file", async () => {
  const { tab, server } = await playParts(1);
  tab.audio.end();
  await settle();
  assert.deepEqual(server.told.slice(0, 2), ["started birch", "finished birch"]);
});

test("where nothing follows, the end of a part stops the sound, and play begins it again", async () => {
  const { tab } = await start();
  tab.player.playList([FIRST], 0);
  await settle();
  tab.audio.moveTo(8.1);
  await settle();
  assert.equal(tab.audio.paused, true);
  assert.equal(tab.player.isPlaying, false);
  tab.player.toggle();
  await settle();
  assert.equal(tab.player.position, 0);
  assert.equal(tab.player.isPlaying, true);
});

test("after a reload a part goes on where it was", async () => {
  const { tab } = await playParts(1);
  tab.audio.moveTo(11);
  tab.player.changed();
  const again = await tab.reload();
  assert.equal(again.player.position, 3);
  assert.equal(again.audio.currentTime, 11);
});

/** The same two, as the server names their file, and the track after them. */
const IMAGE = [FIRST, LAST].map((track) => ({ ...track, part: { ...track.part, file: "image" } }));

test("the next part of the same file is heard without a gap, since nothing is loaded", async () => {
  const { tab, server } = await start();
  tab.player.playList(IMAGE, 0);
  await settle();
  const stops = [];
  for (const type of ["pause", "playing"]) tab.audio.addEventListener(type, () => stops.push(type));
  const { currentSrc } = tab.audio;
  tab.audio.moveTo(7.9);
  tab.audio.currentTime = 8.004;
  await tab.clock.pass(100);
  assert.equal(tab.player.track.id, "birch");
  assert.equal(tab.audio.currentSrc, currentSrc);
  assert.equal(tab.audio.currentTime, 8.004);
  assert.deepEqual(stops, []);
  assert.ok(tab.player.isPlaying && Math.abs(tab.player.position - 0.004) < 1e-9);
  assert.deepEqual(server.told, ["started amber", "finished amber", "started birch"]);
  tab.audio.moveTo(11);
  tab.player.jump(0);
  await settle();
  assert.deepEqual(server.told.slice(3), ["skipped birch", "started amber"]);
  assert.equal(tab.audio.currentTime, 0);
});

for (const [what, next] of [
  ["a part of another file", { ...IMAGE[1], part: { ...IMAGE[1].part, file: "other" } }],
  ["a later part of the file", { ...IMAGE[1], part: { ...IMAGE[1].part, start_ms: 9000 } }],
  ["a whole file", trackOf("birch")],
]) {
  test(`${what} is loaded after a part`, async () => {
    const { tab } = await start();
    tab.player.playList([IMAGE[0], next], 0);
    await settle();
    tab.audio.moveTo(8.1);
    await settle();
    assert.equal(tab.audio.trackId, "birch");
    assert.equal(tab.audio.currentTime, tab.player.position + (next.part?.start_ms ?? 0) / 1000);
  });
}

test("what was queued by hand comes before the next part", async () => {
  const { tab } = await start();
  tab.player.playList(IMAGE, 0);
  tab.player.playNext(trackOf("cedar"));
  await settle();
  tab.audio.moveTo(8.1);
  await settle();
  assert.equal(tab.playing, "cedar");
});

test("after a reload within the next part, that part goes on", async () => {
  const { tab } = await start();
  tab.player.playList(IMAGE, 0);
  await settle();
  tab.audio.moveTo(8.1);
  tab.audio.moveTo(11);
  tab.player.changed();
  const again = await tab.reload();
  assert.equal(again.audio.trackId, "birch");
  assert.equal(again.audio.currentTime, 11);
});
