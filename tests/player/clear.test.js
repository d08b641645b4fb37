/** "Clear" empties what is upcoming; the music goes on with what is recommended, and it can be undone. */
import assert from "node:assert/strict";
import test from "node:test";
import { settle } from "./fakes.js";
import { refusal, trackOf } from "./server.js";
import { GROUPS, TREES, start } from "./tab.js";

const RECOMMENDATIONS = "/api/recommendations";

async function clear(tab) {
  tab.player.clear();
  assert.deepEqual(tab.coming, []);
  await settle();
}

async function inOrder() {
  const { tab, server } = await start({ tracks: GROUPS });
  await tab.inOrder("c00");
  const before = tab.coming;
  assert.equal(before.length, 19);
  return { tab, server, before };
}

test("a list that is cleared is followed by recommendations", async () => {
  const { tab } = await inOrder();
  await clear(tab);
  assert.equal(tab.autoQueue.mode, "follow");
  assert.equal(tab.coming.length, 10);
  assert.ok(tab.queue.upcoming.every(({ reason }) => reason.text));
  const [first] = tab.coming;
  tab.audio.end();
  await settle();
  assert.deepEqual([tab.playing, tab.player.isPlaying], [first, true]);
});

test("recommendations that are cleared make room for others", async () => {
  const { tab } = await start({ tracks: GROUPS });
  await tab.play("a00");
  const cleared = [];
  for (let time = 0; time < 3; time += 1) {
    assert.equal(tab.coming.length, 10);
    assert.deepEqual(tab.coming.filter((id) => cleared.includes(id)), []);
    cleared.push(...tab.coming);
    await clear(tab);
  }
});

test("where there are no others they come again, rather than silence", async () => {
  const { tab } = await start();
  await tab.play("amber");
  await clear(tab);
  assert.deepEqual(tab.coming, TREES.slice(1));
  await clear(tab);
  tab.audio.end();
  await settle();
  assert.deepEqual([tab.playing, tab.player.isPlaying], ["birch", true]);
});

test("where nothing can be recommended the list stays, rather than silence", async () => {
  const { tab, server, before } = await inOrder();
  server.when(RECOMMENDATIONS, () => refusal(503, "no_artefact", "run 'soundalike build'"));
  await clear(tab);
  assert.match(tab.said.at(-1), /the queue stays as it is: run 'soundalike build'/);
  assert.deepEqual(tab.coming, before);
});

test("clearing a list is undone, behind what was asked for since", async () => {
  const { tab, server, before } = await inOrder();
  await clear(tab);
  const { undo } = tab;
  assert.equal(tab.said.at(-1), "The queue is cleared.");
  tab.player.add(trackOf("a07"));
  undo();
  await settle();
  assert.equal(tab.autoQueue.mode, null);
  assert.deepEqual(tab.coming, ["a07", ...before]);
  const asked = server.asked(RECOMMENDATIONS).length;
  await tab.next();
  assert.equal(server.asked(RECOMMENDATIONS).length, asked);
});

test("clearing is undone while its recommendations are on their way", async () => {
  const { tab, server, before } = await inOrder();
  const held = server.hold(RECOMMENDATIONS);
  await clear(tab);
  tab.undo();
  held.forEach(({ release }) => release());
  await settle();
  assert.deepEqual(tab.coming, before);
});

test("clearing is undone once another track plays", async () => {
  const { tab, before } = await inOrder();
  await clear(tab);
  const { undo } = tab;
  await tab.next();
  const { playing } = tab;
  undo();
  assert.deepEqual([tab.playing, tab.coming], [playing, before]);
});

test("undone, what was recommended may be so again", async () => {
  const { tab, server } = await start({ tracks: GROUPS });
  await tab.play("a00");
  tab.player.remove(tab.queue.index + 1);
  const before = tab.coming;
  await clear(tab);
  assert.equal(server.asked(RECOMMENDATIONS).at(-1).query.exclude.split(",").length, 10);
  tab.undo();
  assert.deepEqual(tab.coming, before);
  await tab.like("a00");
  assert.equal(server.asked(RECOMMENDATIONS).at(-1).query.exclude, "a01");
});

test("a radio that is cleared ends, and goes on once that is undone", async () => {
  const { tab } = await start({ tracks: GROUPS });
  tab.player.playLike(trackOf("b03"));
  await settle();
  const before = tab.coming;
  await clear(tab);
  assert.deepEqual([tab.autoQueue.mode, tab.autoQueue.seed], ["follow", null]);
  tab.undo();
  assert.deepEqual([tab.autoQueue.mode, tab.autoQueue.seed.id, tab.coming], ["like", "b03", before]);
});

test("a queue that is cleared stays so after a reload", async () => {
  const { tab } = await inOrder();
  await clear(tab);
  const again = await tab.reload();
  assert.deepEqual([again.coming, again.autoQueue.mode], [tab.coming, "follow"]);
});
