/** What is wrong with the server is shown until it is well again, and what was done is sent then. */
import assert from "node:assert/strict";
import test from "node:test";
import { settle } from "./fakes.js";
import { refusal } from "./server.js";
import { GROUPS, start } from "./tab.js";

const HEALTH = "/healthz";
const events = (is_up, is_consumed, detail = "") => ({ status: "ok", events: { is_up, is_consumed, detail } });
const WELL = events(true, true);
const NOBODY = events(true, false, "no consumer is running; start one with 'soundalike consume'");
const AWAY = events(false, false, "the event log takes nothing just now.");
const STORE_AWAY = "The library's store does not answer just now. What you do is stored in this browser until it is back.";
const CANNOT_BE_REACHED = "soundalike cannot be reached. What you do is stored in this browser until it is back.";
const ASKED_AGAIN_MS = 6_500;

const apart = (health) => (server) => Object.assign(server, { foldsLater: true, health });
const startApart = (health = WELL) => start({ tracks: GROUPS, prepare: apart(health) });
const storeAway = () => refusal(503, "store_unavailable", "the library's store does not answer just now");
const STORE_PATHS = ["/api/recommendations", "/api/listens", "/api/judgements", "/api/profile", HEALTH];

/** Let the store be away for every request; returns what brings it back. */
function loseStore(server) {
  const back = STORE_PATHS.map((path) => server.when(path, storeAway));
  return () => back.forEach((bring) => bring());
}

test("a server that is well shows nothing", async () => {
  const { tab } = await startApart();
  assert.equal(tab.health.notice, "");
});

test("that nobody folds is shown until somebody does, and is followed then", async () => {
  const { tab, server, clock } = await startApart(NOBODY);
  assert.equal(tab.health.notice, "What you do is stored, but recommendations are not updated at the moment: no consumer is running.");
  await tab.play("a00");
  await tab.like("a00");
  await clock.pass(ASKED_AGAIN_MS);
  assert.deepEqual(tab.stored(), []);
  assert.equal(server.waiting.length, 2);
  assert.equal(tab.coming.length, 10);
  server.fold();
  server.health = WELL;
  await clock.pass(2 * ASKED_AGAIN_MS);
  assert.equal(tab.health.notice, "");
  assert.ok(tab.queue.upcoming.some(({ reason }) => reason?.text.includes("which you liked")));
});

test("that nobody folds any more is shown although the server notices it late", async () => {
  const { tab, server, clock } = await startApart();
  await tab.play("a00");
  await tab.like("a00");
  await clock.pass(5_000);
  assert.equal(tab.health.notice, "");
  server.health = NOBODY;
  await clock.pass(ASKED_AGAIN_MS);
  assert.match(tab.health.notice, /no consumer is running/);
});

test("a server that is well is not asked for ever", async () => {
  const { tab, server, clock } = await startApart();
  await tab.play("a00");
  await tab.like("a00");
  await clock.pass(60_000);
  const before = server.asked(HEALTH).length;
  await clock.pass(60_000);
  assert.equal(server.asked(HEALTH).length, before);
});

test("a notice without details is one sentence", async () => {
  const { tab } = await startApart(events(true, false));
  assert.equal(tab.health.notice, "What you do is stored, but recommendations are not updated at the moment.");
});

test("a dismissed notice comes back for another trouble only", async () => {
  const { tab, server, clock } = await startApart(NOBODY);
  tab.health.dismiss();
  assert.equal(tab.health.notice, "");
  tab.browser.show(true);
  await clock.pass(500);
  assert.equal(tab.health.notice, "");
  server.health = AWAY;
  tab.browser.show(true);
  await settle();
  assert.equal(tab.health.notice, "What you do is stored in this browser until the server can take it: the event log takes nothing just now.");
  server.health = WELL;
  await clock.pass(ASKED_AGAIN_MS);
  server.health = NOBODY;
  tab.browser.show(true);
  await settle();
  assert.match(tab.health.notice, /no consumer is running/);
});

test("a hidden page does not ask; it does when it is shown", async () => {
  const { tab, server, clock } = await startApart(NOBODY);
  tab.browser.show(false);
  const before = server.asked(HEALTH).length;
  await clock.pass(60_000);
  assert.equal(server.asked(HEALTH).length, before);
  tab.browser.show(true);
  await settle();
  assert.equal(server.asked(HEALTH).length, before + 1);
});

test("while the log is away everything is kept, and sent when it is back", async () => {
  const { tab, server, clock } = await startApart();
  const back = server.when("/api/listens", () => refusal(503, "log_unavailable"));
  server.health = AWAY;
  await tab.like("a03");
  assert.match(tab.health.notice, /stored in this browser until the server can take it/);
  await tab.dislike("b03");
  await clock.pass(500);
  assert.deepEqual(tab.stored().map(({ track_id }) => track_id), ["a03", "b03"]);
  back();
  server.health = WELL;
  await clock.pass(2 * ASKED_AGAIN_MS);
  assert.deepEqual(server.told, ["liked a03", "disliked b03"]);
  assert.deepEqual(tab.stored(), []);
  assert.equal(tab.health.notice, "");
});

test("a server that is known to be well again is sent to at once, however long it asked to wait", async () => {
  const { tab, server, clock } = await startApart();
  const back = server.when("/api/listens", () => refusal(503, "log_unavailable", "", { "Retry-After": "3600" }));
  server.health = AWAY;
  await tab.like("a03");
  back();
  server.health = WELL;
  await clock.pass(ASKED_AGAIN_MS);
  assert.deepEqual(server.told, ["liked a03"]);
});

test("while the store is away what plays goes on, the queue stays, and sound comes back with it", async () => {
  const { tab, server, clock } = await startApart();
  await tab.play("a00");
  server.fold();
  await clock.pass(ASKED_AGAIN_MS);
  const before = tab.coming;
  const back = loseStore(server);
  await tab.like("a00");
  await clock.pass(1_100);
  assert.match(tab.said.at(-1), /the queue stays as it is: the library's store does not answer just now/);
  assert.equal(tab.audio.paused, false);
  assert.deepEqual(tab.coming, before);
  assert.deepEqual(tab.stored().map(({ kind }) => kind), ["liked"]);
  server.silent.set(before[0], { status: 503 });
  server.when(`/api/tracks/${before[0]}`, storeAway);
  await tab.next();
  assert.match(tab.said.at(-1), /The library cannot be reached at the moment. Playback continues when it is back/);
  assert.equal(tab.audio.paused, true);
  assert.deepEqual(tab.coming, before.slice(1));
  back();
  server.silent.clear();
  server.health = NOBODY; // nor does that keep the sound away
  await clock.pass(ASKED_AGAIN_MS);
  assert.equal(tab.playing, before[0]);
  assert.equal(tab.audio.paused, false);
  server.fold();
  server.health = WELL;
  await clock.pass(2 * ASKED_AGAIN_MS);
  assert.deepEqual(tab.stored(), []);
  assert.equal(tab.coming.length, 10);
});

test("that the store is away replaces an older notice until it is back", async () => {
  const { tab, server, clock } = await startApart(NOBODY);
  server.health = WELL;
  const back = loseStore(server);
  await tab.play("a00");
  await clock.pass(1_100);
  assert.equal(tab.health.notice, STORE_AWAY);
  await tab.like("a03");
  await clock.pass(7_000);
  assert.equal(tab.health.notice, STORE_AWAY);
  assert.ok(tab.stored().some(({ kind }) => kind === "liked"));
  back();
  await clock.pass(2 * ASKED_AGAIN_MS);
  assert.equal(tab.health.notice, "");
  assert.deepEqual(tab.stored(), []);
  assert.equal(tab.coming.length, 10);
});

test("where the log is part of the server too, that the store is away is shown", async () => {
  const { tab, server, clock } = await start({ tracks: GROUPS });
  const back = loseStore(server);
  await tab.play("a00");
  await clock.pass(1_100);
  assert.equal(tab.health.notice, STORE_AWAY);
  back();
  await clock.pass(ASKED_AGAIN_MS);
  assert.equal(tab.health.notice, "");
});

test("that the server cannot be reached replaces an older notice until it can", async () => {
  const { tab, server, clock } = await startApart(NOBODY);
  server.health = WELL;
  server.isOffline = true;
  await clock.pass(ASKED_AGAIN_MS);
  assert.equal(tab.health.notice, CANNOT_BE_REACHED);
  server.isOffline = false;
  await clock.pass(ASKED_AGAIN_MS);
  assert.equal(tab.health.notice, "");
});

test("any other failure is shown in the server's words", async () => {
  const { tab } = await start({ prepare: (server) => server.when(HEALTH, () => refusal(500, "broken", "it broke")), isLogApart: true });
  assert.equal(tab.health.notice, "Something is wrong with the server: it broke.");
});

test("sound that stopped with the server comes back with it, even unseen", async () => {
  const { tab, server, clock } = await start({ tracks: GROUPS });
  server.isOffline = true;
  await tab.play("a00");
  assert.ok(tab.said.includes("soundalike cannot be reached. Playback continues when it is back."));
  assert.equal(tab.health.notice, CANNOT_BE_REACHED);
  assert.equal(tab.player.isPlaying, false);
  tab.browser.show(false);
  await clock.pass(ASKED_AGAIN_MS);
  server.isOffline = false;
  await clock.pass(ASKED_AGAIN_MS);
  assert.equal(tab.playing, "a00");
  assert.equal(tab.audio.paused, false);
  assert.equal(tab.health.notice, "");
});

test("nobody is startled by sound long after it stopped", async () => {
  const { tab, server, clock } = await start({ tracks: GROUPS });
  server.isOffline = true;
  await tab.play("a00");
  await clock.pass(11 * 60_000);
  server.isOffline = false;
  await clock.pass(ASKED_AGAIN_MS);
  assert.equal(tab.health.notice, "");
  assert.equal(tab.audio.paused, true);
  tab.player.toggle();
  await settle();
  assert.equal(tab.audio.paused, false);
});

test("what the listener plays meanwhile is not replaced when the server is back", async () => {
  const { tab, server, clock } = await start({ tracks: GROUPS });
  server.isOffline = true;
  await tab.play("a00");
  server.isOffline = false;
  await tab.play("b00");
  tab.audio.moveTo(7);
  await clock.pass(ASKED_AGAIN_MS);
  assert.equal(tab.playing, "b00");
  assert.equal(tab.audio.currentTime, 7);
});

test("however often the page is shown, the server is asked once in a while", async () => {
  const { tab, server, clock } = await startApart(NOBODY);
  for (let time = 0; time < 3; time += 1) {
    tab.browser.show(true);
    await settle();
  }
  const before = server.asked(HEALTH).length;
  await clock.pass(ASKED_AGAIN_MS);
  assert.equal(server.asked(HEALTH).length, before + 1);
});

for (const code of ["store_unavailable", "log_unavailable"]) {
  test(`a store that takes nothing (${code}) is shown where the log is part of it, until it takes something`, async () => {
    const { tab, server, clock } = await start();
    const why = "the library's store was removed; stop soundalike";
    const back = [["/api/listens", code], [HEALTH, "store_unavailable"]].map(([path, as]) => server.when(path, () => refusal(503, as, why)));
    await tab.like("amber");
    assert.equal(tab.health.notice, "The library's store was removed. What you do is stored in this browser until it is back.");
    back.forEach((bring) => bring());
    await clock.pass(2 * ASKED_AGAIN_MS);
    assert.equal(tab.health.notice, "");
    assert.deepEqual(server.told, ["liked amber"]);
  });
}

test("a store whose health is not known to all servers is not asked without a pause", async () => {
  const { tab, server, clock } = await start();
  server.when("/api/listens", storeAway);
  await tab.like("amber");
  await clock.pass(60_000);
  assert.ok(server.asked("/api/listens").length < 60);
});

test("that the store is away is shown though only what was done shows it", async () => {
  const { tab, server } = await start();
  server.when("/api/listens", storeAway);
  await tab.like("amber");
  assert.equal(tab.health.notice, STORE_AWAY);
});
