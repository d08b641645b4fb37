/** What comes next follows from what is done. */
import assert from "node:assert/strict";
import test from "node:test";
import { settle } from "./fakes.js";
import { refusal, reply, trackOf } from "./server.js";
import { GROUPS, start } from "./tab.js";

const RECOMMENDATIONS = "/api/recommendations";
const startGroups = (how = {}) => start({ tracks: GROUPS, ...how });
const questions = (server) => server.asked(RECOMMENDATIONS).map(({ query }) => query);
const idsOf = (list) => list.split(",").filter(Boolean);
const recommending = (...ids) => reply(200, { recommendations: ids.map((id) => ({ track: trackOf(id), reason: { text: "x", because: [] } })), note: null, profile_version: "p" });

test("a skip, a like and its undoing change the queue, with reasons", async () => {
  const { tab } = await startGroups();
  await tab.play("a00");
  assert.equal(tab.coming.length, 10);
  assert.ok(tab.queue.upcoming.every(({ reason }) => reason.text));
  const before = tab.coming;
  await tab.next();
  assert.equal(tab.coming.length, 10);
  assert.ok(tab.coming.some((id) => !before.includes(id)));
  const isFollowed = () => tab.queue.upcoming.some(({ reason }) => reason.text.includes("which you liked"));
  await tab.like("a01");
  assert.equal(isFollowed(), true);
  await tab.like("a01");
  assert.equal(isFollowed(), false);
});

test("a dislike goes on and clears the queue of the track", async () => {
  const { tab, server } = await startGroups();
  await tab.play("a00");
  tab.player.add(trackOf("b01"));
  assert.equal(tab.coming.length, 11);
  const [, first] = tab.coming;
  await tab.dislike(first);
  assert.equal(tab.coming.includes(first), false);
  assert.equal(tab.playing, "a00");
  await tab.dislike("a00");
  assert.equal(tab.playing, "b01");
  assert.equal(tab.coming.includes("a00"), false);
  assert.deepEqual(server.told, ["started a00", `disliked ${first}`, "disliked a00", "started b01"]);
});

test("'less of this' goes on, is one event, and takes only recommendations away", async () => {
  const { tab, server, clock } = await startGroups();
  await tab.play("a00");
  const [first, second] = tab.coming;
  tab.opinions.less(trackOf("a00"));
  await settle();
  assert.equal(tab.playing, first);
  await clock.pass(7000);
  assert.deepEqual(server.told, ["started a00", "less a00", `started ${first}`]);
  tab.player.playNext(trackOf("c09"));
  server.when(RECOMMENDATIONS, () => recommending(second));
  tab.opinions.less(trackOf("c09"));
  await clock.pass(7000);
  assert.equal(tab.playing, first);
  assert.deepEqual(tab.coming, ["c09", second]);
});

test("what was asked for stays first and untouched", async () => {
  const { tab } = await startGroups();
  await tab.play("a00");
  tab.player.add(trackOf("c05"));
  tab.player.add(trackOf("c06"));
  await tab.like("a03");
  assert.deepEqual(tab.coming.slice(0, 2), ["c05", "c06"]);
  assert.equal(tab.coming.length, 12);
  tab.player.jump(tab.queue.index + 5);
  await settle();
  assert.deepEqual(tab.coming.slice(0, 2), ["c05", "c06"]);
  await tab.next();
  assert.equal(tab.playing, "c05");
  assert.equal(tab.coming[0], "c06");
});

test("questions say what plays and what must not come", async () => {
  const { tab, server } = await startGroups();
  await tab.play("a00");
  tab.player.add(trackOf("c05"));
  await tab.next();
  await tab.next();
  const last = questions(server).at(-1);
  assert.equal(last.seed, tab.playing);
  assert.deepEqual(idsOf(last.recent), ["a00", "c05", tab.playing]);
  assert.equal(last.exclude, "");
  assert.equal(last.adventure, "0.2");
  assert.equal(last.limit, "10");
});

test("what was asked for and will play before the answer is the latest, each once", async () => {
  const { tab, server } = await startGroups();
  await tab.play("a00");
  for (const id of ["c05", "c06", "c05"]) tab.player.add(trackOf(id));
  const removed = tab.coming[3];
  tab.player.remove(tab.queue.index + 4);
  await tab.like("a00");
  const last = questions(server).at(-1);
  assert.deepEqual(idsOf(last.recent), ["a00", "c06", "c05"]);
  assert.deepEqual(idsOf(last.exclude), [removed]);
});

test("no question names more than a hundred tracks, and then the latest", async () => {
  const { tab, server } = await startGroups();
  tab.autoQueue.restore({ mode: "follow", played: Array.from({ length: 150 }, (_, number) => `gone${number}`) });
  await tab.play("a00");
  const last = idsOf(questions(server).at(-1).recent);
  assert.equal(last.length, 100);
  assert.deepEqual(last.slice(-2), ["gone149", "a00"]);
});

test("adventure is asked for anew and remembered", async () => {
  const { tab, server } = await startGroups();
  await tab.play("a00");
  tab.adventure.value = 1;
  tab.autoQueue.refresh();
  await settle();
  assert.equal(questions(server).at(-1).adventure, "1");
  const again = await tab.reload();
  assert.equal(again.adventure.value, 1);
});

test("an adventure that makes no sense is the default", async () => {
  const { tab } = await startGroups();
  for (const value of ["loud", -1, 2, null]) {
    tab.browser.local.setItem("soundalike:adventure:you", JSON.stringify(value));
    assert.equal(tab.adventure.value, 0.2);
  }
});

test("a note is there until the next question", async () => {
  const { tab } = await startGroups({ prepare: (server) => (server.note = "Your library has two tracks.") });
  await tab.play("a00");
  assert.equal(tab.autoQueue.note, "Your library has two tracks.");
  tab.player.clear();
  assert.equal(tab.autoQueue.note, null);
});

test("without recommendations the list goes on, it is said once, and recovers", async () => {
  const { tab, server } = await startGroups();
  const back = server.when(RECOMMENDATIONS, () => refusal(503, "no_artefact", "run 'soundalike build'"));
  tab.player.play(trackOf("a00"), GROUPS.slice(1).map(trackOf));
  await settle();
  await tab.next();
  await tab.next();
  assert.equal(tab.playing, "a02");
  assert.equal(tab.said.length, 1);
  assert.match(tab.said[0], /There are no new recommendations at the moment.*run 'soundalike build'/);
  assert.deepEqual(tab.coming.slice(0, 2), ["a03", "a04"]);
  back();
  await tab.next();
  assert.equal(tab.playing, "a03");
  assert.equal(tab.coming.length, 10);
});

test("offline the queue stays as it is, and is asked for again online", async () => {
  const { tab, server } = await startGroups();
  await tab.play("a00");
  const before = tab.coming;
  const back = server.when(RECOMMENDATIONS, () => Promise.reject(new TypeError()));
  await tab.next();
  assert.equal(tab.playing, before[0]);
  assert.match(tab.said.at(-1), /the queue stays as it is: soundalike cannot be reached/);
  assert.deepEqual(tab.coming, before.slice(1));
  back();
  tab.browser.tell("online");
  await settle();
  assert.equal(tab.coming.length, 10);
});

for (const [status, name] of [[404, "is gone"], [409, "was never analysed"]]) {
  test(`a track that ${name} is followed by what the listener likes`, async () => {
    const { tab, server } = await startGroups();
    server.when(RECOMMENDATIONS, (request) => (request.query.seed ? refusal(status) : server.answer(request)));
    await tab.play("a00");
    assert.equal(tab.coming.length, 10);
    assert.deepEqual(questions(server).map(({ seed }) => seed), ["a00", undefined]);
  });
}

test("a slow outbox keeps the queue waiting for no more than a second", async () => {
  const { tab, server, clock } = await startGroups();
  await tab.play("a00");
  const held = server.hold("/api/listens");
  const before = questions(server).length;
  await tab.next();
  assert.equal(held.length, 1);
  await clock.pass(999);
  assert.equal(questions(server).length, before);
  await clock.pass(2);
  assert.equal(questions(server).length, before + 1);
});

test("the queue is asked for once the server has what was done", async () => {
  const { tab, server } = await startGroups();
  await tab.play("a00");
  const held = server.hold("/api/listens");
  const before = questions(server).length;
  await tab.next();
  assert.equal(questions(server).length, before);
  held[0].release();
  await settle();
  held[1]?.release();
  await settle();
  assert.equal(questions(server).length, before + 1);
});

test("only the answer to the latest question counts", async () => {
  const { tab, server } = await startGroups();
  const held = server.hold(RECOMMENDATIONS);
  await tab.play("a00");
  await tab.play("b00");
  assert.equal(held.length, 2);
  held[1].release(recommending("b01"));
  await settle();
  held[0].release(recommending("a01"));
  await settle();
  assert.deepEqual(tab.coming, ["b01"]);
});

test("what was removed from the queue does not come back", async () => {
  const { tab } = await start();
  await tab.play("amber");
  const [first] = tab.coming;
  tab.player.remove(tab.queue.index + 1);
  await tab.like("amber");
  assert.equal(tab.coming.includes(first), false);
});

test("next waits for what is being asked for", async () => {
  const { tab, server } = await start();
  await tab.play("fir");
  const held = server.hold(RECOMMENDATIONS);
  tab.player.playLike(trackOf("fir"));
  tab.player.next();
  await settle();
  assert.equal(held.length, 1);
  assert.equal(tab.playing, "fir");
  held[0].release();
  await settle();
  assert.notEqual(tab.playing, "fir");
  assert.equal(tab.audio.paused, false);
});

test("a small library goes on with what was heard longest ago", async () => {
  const { tab, server } = await start({ tracks: ["a00", "a01", "a02"] });
  // Where nothing is named but what plays, the server's own rules decide what may come again.
  server.when(RECOMMENDATIONS, ({ query }) => {
    const out = idsOf(query.recent);
    const order = ["a00", "a01", "a02"].filter((id) => !out.includes(id));
    return recommending(...order.slice(0, 1));
  });
  await tab.play("a00");
  const heard = [];
  for (let time = 0; time < 5; time += 1) {
    heard.push(tab.playing);
    await tab.next();
  }
  assert.deepEqual(new Set(heard.slice(0, 3)), new Set(["a00", "a01", "a02"]));
  assert.equal(heard[3], "a00");
});

test("the queue is filled up before it is empty", async () => {
  const { tab, server } = await startGroups();
  await tab.play("a00");
  tab.audio.isStalled = true; // what has not sounded is not skipped, so nothing else asks
  await tab.next();
  const before = questions(server).length;
  assert.equal(tab.coming.length, 10);
  for (let time = 0; time < 7; time += 1) await tab.next();
  assert.equal(questions(server).length, before);
  assert.equal(tab.coming.length, 3);
  await tab.next();
  assert.equal(questions(server).length, before + 1);
  assert.equal(tab.coming.length, 10);
});

test("next waits for whichever question is being asked by then", async () => {
  const { tab, server } = await startGroups();
  server.when(RECOMMENDATIONS, () => recommending("b01", "b02"));
  await tab.play("a00");
  const held = server.hold(RECOMMENDATIONS);
  tab.audio.isStalled = true; // what has not sounded is not skipped, so nothing else asks
  await tab.next();
  await tab.next();
  assert.deepEqual([tab.playing, tab.coming, held.length], ["b02", [], 1]);
  tab.player.next();
  await settle();
  held[0].release(recommending("b02"));
  await settle();
  held[1].release(recommending("b03"));
  await settle();
  assert.equal(tab.playing, "b03");
  assert.equal(tab.player.isPlaying, true);
});

test("what is chosen while next waits is not skipped", async () => {
  const { tab, server } = await start();
  await tab.inOrder("fir");
  const held = server.hold(RECOMMENDATIONS);
  tab.player.goOn();
  tab.player.next();
  await settle();
  await tab.play("cedar");
  held.forEach(({ release }) => release());
  await settle();
  held.forEach(({ release }) => release());
  await settle();
  assert.equal(tab.playing, "cedar");
});

test("a failure after things went well again is said again", async () => {
  const { tab, server } = await startGroups();
  await tab.play("a00");
  for (let time = 1; time <= 2; time += 1) {
    const back = server.when(RECOMMENDATIONS, () => refusal(503));
    await tab.like("a00");
    await tab.like("a00");
    assert.equal(tab.said.length, time);
    back();
    await tab.like("b00");
  }
});
