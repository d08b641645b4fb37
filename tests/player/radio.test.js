/** A radio like one track, and what plays for a listener at the press of a button. */
import assert from "node:assert/strict";
import test from "node:test";
import { settle } from "./fakes.js";
import { trackOf } from "./server.js";
import { GROUPS, TREES, start } from "./tab.js";

const RECOMMENDATIONS = "/api/recommendations";
const startGroups = (how = {}) => start({ tracks: GROUPS, ...how });
const questions = (server) => server.asked(RECOMMENDATIONS).map(({ query }) => query);

/** A radio like Cedar, whose next question waits for its answer. */
async function radio() {
  const { tab, server, clock } = await start();
  tab.player.playLike(trackOf("cedar"));
  await settle();
  assert.deepEqual(tab.coming, TREES.filter((id) => id !== "cedar"));
  const held = server.hold(RECOMMENDATIONS, () => held.length === 0);
  tab.audio.isStalled = true; // what has not sounded is not skipped, so nothing else asks
  await tab.next();
  await tab.next();
  await tab.next();
  assert.equal(held.length, 1);
  return { tab, server, clock, held };
}

test("'Play for me' asks without a seed and plays", async () => {
  const { tab, server } = await startGroups();
  tab.player.playForMe();
  await settle();
  assert.equal("seed" in questions(server)[0], false);
  assert.equal(tab.audio.paused, false);
  assert.ok(tab.coming.length > 0);
  assert.ok(tab.queue.upcoming.every(({ reason }) => reason.text.includes("first mix")));
  assert.deepEqual(server.told, [`started ${tab.playing}`]);
});

test("a choice made while 'Play for me' is waiting stays", async () => {
  const { tab, server } = await start();
  const held = server.hold(RECOMMENDATIONS, ({ query }) => !query.seed && held.length === 0);
  tab.player.playForMe();
  await settle();
  assert.equal(held.length, 1);
  await tab.play("cedar");
  held[0].release();
  await settle();
  assert.equal(tab.playing, "cedar");
  assert.deepEqual(server.told, ["started cedar"]);
});

test("'Play for me' that is waiting plays nothing once something else is asked for", async () => {
  const { tab, server } = await startGroups();
  await tab.play("a00");
  const held = server.hold(RECOMMENDATIONS);
  tab.player.playForMe();
  await settle();
  tab.player.goOn();
  await settle();
  held[0].release();
  await settle();
  assert.equal(tab.playing, "a00");
  assert.equal(tab.autoQueue.mode, "follow");
});

test("a radio keeps its seed until it is stopped", async () => {
  const { tab, server } = await startGroups();
  tab.player.playLike(trackOf("b03"));
  await settle();
  await tab.next();
  assert.deepEqual(new Set(questions(server).map(({ seed }) => seed)), new Set(["b03"]));
  assert.equal(tab.autoQueue.seed.title, "B03");
  tab.player.goOn();
  await settle();
  assert.equal(tab.autoQueue.mode, "follow");
  assert.equal(questions(server).at(-1).seed, tab.playing);
});

test("a radio of what plays already goes on playing it", async () => {
  const { tab, server } = await startGroups();
  await tab.play("a00");
  tab.player.toggle();
  tab.player.playLike(trackOf("a00"));
  await settle();
  assert.equal(tab.player.isPlaying, true);
  assert.deepEqual(server.told, ["started a00"]);
});

test("a radio repeats nothing and ends with a message", async () => {
  const { tab } = await start();
  for (const seed of ["cedar", "birch"]) {
    tab.player.playLike(trackOf(seed));
    await settle();
    const heard = [tab.playing];
    for (let time = 0; time < 5; time += 1) {
      await tab.next();
      heard.push(tab.playing);
    }
    assert.deepEqual([...heard].sort(), TREES);
    const title = trackOf(seed).title;
    assert.ok(tab.said.some((text) => text === `There are no more tracks similar to “${title}”.`), tab.said.join());
    assert.equal(tab.autoQueue.mode, null);
  }
});

test("what is passed by before an answer does not come again", async () => {
  const { tab, held } = await radio();
  const left = tab.coming;
  held[0].release();
  await settle();
  assert.deepEqual(tab.coming, left);
});

test("a radio whose answer has all been played asks once more before it ends", async () => {
  const { tab, server, held } = await radio();
  const before = questions(server).length;
  await tab.next();
  await tab.next();
  assert.deepEqual(tab.coming, []);
  held[0].release();
  await settle();
  assert.ok(tab.said.some((text) => text.startsWith("There are no more tracks similar to")));
  assert.equal(questions(server).length, before + 1);
});

test("a radio that is cut off says so", async () => {
  const { tab, server } = await start();
  server.when(RECOMMENDATIONS, () => Promise.reject(new TypeError()));
  tab.player.playLike(trackOf("cedar"));
  await settle();
  assert.ok(tab.said.includes("The radio stopped: soundalike cannot be reached."));
  assert.equal(tab.playing, "cedar");
});
