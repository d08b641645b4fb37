/** A log that takes at once and folds later: the queue follows once the profile has. */
import assert from "node:assert/strict";
import test from "node:test";
import { settle } from "./fakes.js";
import { trackOf } from "./server.js";
import { GROUPS, start } from "./tab.js";

const [PROFILE, RECOMMENDATIONS, HEALTH] = ["/api/profile", "/api/recommendations", "/healthz"];
const ASKED_ANYWAY_MS = 1_000;
const LONGER_THAN_WATCHED_MS = 6_000;
const NOBODY = { status: "ok", events: { is_up: true, is_consumed: false, detail: "no consumer is running; start one" } };

const later = (server) => {
  server.foldsLater = true;
  server.health = { status: "ok", events: { is_up: true, is_consumed: true, detail: "" } };
};
const startLater = () => start({ tracks: GROUPS, prepare: later });
const reasons = (tab) => tab.queue.upcoming.map((entry) => entry.reason?.text);
const followsLike = (tab) => reasons(tab).some((text) => text?.includes("which you liked"));

/** A track plays, its queue is there, and that it started is folded and known. */
async function playing() {
  const { tab, server, clock } = await startLater();
  await tab.play("a00");
  server.fold();
  await clock.pass(LONGER_THAN_WATCHED_MS);
  server.requests.length = 0;
  return { tab, server, clock, asked: (path = RECOMMENDATIONS) => server.asked(path).length };
}

test("the queue is asked for once the profile has changed, and not before", async () => {
  const { tab, server, clock, asked } = await playing();
  await tab.like("a00");
  assert.equal(server.waiting.length, 1);
  await clock.pass(300);
  assert.equal(asked(), 0);
  server.fold();
  await clock.pass(ASKED_ANYWAY_MS - 400, () => asked() === 1);
  assert.ok(followsLike(tab));
  await clock.pass(500);
  assert.equal(asked(), 1);
});

test("one loop asks for the profile, one question at a time", async () => {
  const { tab, server, clock } = await playing();
  let open = 0;
  let most = 0;
  server.when(PROFILE, async (request) => {
    most = Math.max(most, (open += 1));
    await settle();
    open -= 1;
    return server.answer(request);
  });
  await tab.like("a00");
  await tab.next();
  server.fold();
  await clock.pass(LONGER_THAN_WATCHED_MS);
  assert.ok(followsLike(tab));
  assert.equal(most, 1);
});

test("that a track starts changes no queue", async () => {
  const { tab, server, clock } = await startLater();
  await tab.play("a00");
  await clock.pass(ASKED_ANYWAY_MS);
  server.requests.length = 0;
  server.fold();
  await clock.pass(LONGER_THAN_WATCHED_MS);
  assert.ok(server.asked(PROFILE).length > 0);
  assert.equal(server.asked(RECOMMENDATIONS).length, 0);
  assert.equal(tab.coming.length, 10);
});

test("where folding takes longer the queue is asked for without, and again when it is done", async () => {
  const { tab, server, clock, asked } = await playing();
  await tab.like("a00");
  await clock.pass(ASKED_ANYWAY_MS + 500);
  assert.equal(asked(), 1);
  assert.equal(followsLike(tab), false);
  server.fold();
  await clock.pass(2_500, () => asked() === 2);
  assert.ok(followsLike(tab));
  assert.equal(asked(), 2);
});

test("two things done at once are followed though they are folded one by one", async () => {
  const { tab, server, clock, asked } = await playing();
  tab.opinions.like(trackOf("a00"));
  await tab.dislike("c03");
  assert.equal(server.waiting.length, 2);
  server.fold(1);
  await clock.pass(ASKED_ANYWAY_MS - 100, () => asked() === 1);
  assert.ok(followsLike(tab));
  server.fold(1);
  await clock.pass(LONGER_THAN_WATCHED_MS, () => asked() === 2);
  assert.equal(asked(), 2);
  assert.equal(tab.autoQueue.version, server.version);
});

test("where nothing changes the profile is asked for less and less often, then the health", async () => {
  const { tab, server, clock } = await startLater();
  server.requests.length = 0;
  server.health = NOBODY;
  const times = [];
  server.when(PROFILE, (request) => {
    times.push(clock.ms);
    return server.answer(request);
  });
  await tab.like("a03");
  await clock.pass(LONGER_THAN_WATCHED_MS);
  assert.ok(times.length >= 5 && times.length <= 8, String(times.length));
  const pauses = times.slice(1).map((time, index) => time - times[index]);
  assert.ok(pauses[0] < 500);
  assert.ok(pauses.at(-1) > 1_200);
  assert.ok(server.asked(HEALTH).length > 0);
  assert.match(tab.health.notice, /no consumer is running/);
  await clock.pass(LONGER_THAN_WATCHED_MS);
  assert.equal(server.asked(PROFILE).length, times.length);
});

test("after a wait in vain nobody waits for the next change", async () => {
  const { tab, server, clock, asked } = await playing();
  await tab.like("a00");
  await clock.pass(LONGER_THAN_WATCHED_MS);
  const before = asked();
  await tab.like("a00");
  assert.equal(asked(), before + 1);
  assert.equal(server.waiting.length, 2);
  server.fold();
  await clock.pass(LONGER_THAN_WATCHED_MS, () => asked() === before + 2);
  assert.equal(asked(), before + 2);
  assert.ok(tab.coming.length > 0);
});

test("once a change came in time again it is waited for again", async () => {
  const { tab, server, clock, asked } = await playing();
  await tab.like("a00");
  await clock.pass(LONGER_THAN_WATCHED_MS);
  await tab.like("a00");
  server.fold();
  await clock.pass(LONGER_THAN_WATCHED_MS);
  const before = asked();
  await tab.like("a00");
  await clock.pass(300);
  assert.equal(asked(), before);
});

test("a hidden tab that is silent asks nothing until it is seen", async () => {
  const { tab, server, clock } = await startLater();
  tab.browser.show(false);
  await tab.like("c03");
  await clock.pass(LONGER_THAN_WATCHED_MS);
  assert.equal(server.asked(PROFILE).length, 0);
  tab.browser.show(true);
  await clock.pass(1_000);
  assert.ok(server.asked(PROFILE).length > 1);
});

test("a hidden tab that plays goes on asking", async () => {
  const { tab, server, clock } = await playing();
  tab.browser.show(false);
  await tab.like("c03");
  await clock.pass(1_000);
  assert.ok(server.asked(PROFILE).length > 1);
});

test("what is liked stays liked over reloads until the server knows", async () => {
  const { tab, server, clock } = await playing();
  await tab.like("a00");
  assert.deepEqual(tab.stored(), []);
  tab.browser.show(true);
  await settle();
  let again = tab;
  for (let time = 0; time < 2; time += 1) {
    again = await again.reload();
    await clock.pass(100);
    assert.equal(again.judgements.of("a00"), "liked");
  }
  await again.like("a00");
  assert.equal(server.waiting.length, 2);
  again = await again.reload();
  assert.equal(again.judgements.of("a00"), null);
  assert.equal(again.stored("unfolded").length, 2);
  server.fold();
  await clock.pass(LONGER_THAN_WATCHED_MS);
  assert.deepEqual(again.stored("unfolded"), []);
  // From now on the server alone is believed.
  server.listen("liked", "a00");
  server.fold();
  again.browser.show(true);
  await settle();
  assert.equal(again.judgements.of("a00"), "liked");
});

test("a page that opens with something that may not be folded asks for the profile", async () => {
  const { tab, server, clock } = await playing();
  await tab.like("a00");
  const again = await tab.reload();
  await clock.pass(100);
  server.fold();
  await clock.pass(LONGER_THAN_WATCHED_MS);
  assert.deepEqual(again.stored("unfolded"), []);
});

test("an answer that is late does not take the known version back", async () => {
  const { tab, server, clock } = await playing();
  const held = server.hold("/api/judgements");
  tab.browser.show(true);
  const old = server.answer(held[0].request);
  await tab.like("a00");
  server.fold();
  await clock.pass(100);
  const { version } = tab.profile;
  assert.equal(version, server.version);
  assert.equal(tab.profile.state, "asking");
  held[0].release(old);
  await settle();
  assert.equal(tab.profile.version, version);
});

test("'Play for me' plays though something is still being folded", async () => {
  const { tab, server, clock } = await startLater();
  await tab.like("a03");
  assert.equal(server.waiting.length, 1);
  const playing = tab.player.playForMe();
  await clock.pass(ASKED_ANYWAY_MS + 1);
  await playing;
  await settle();
  assert.notEqual(tab.playing, null);
  assert.equal(tab.audio.paused, false);
});

test("where the log folds at once nobody asks for the profile or the health", async () => {
  const { tab, server, clock } = await start({ tracks: GROUPS });
  await tab.play("a00");
  await tab.like("a00");
  await tab.next();
  await clock.pass(LONGER_THAN_WATCHED_MS);
  assert.ok(server.asked("/api/listens").length > 0);
  assert.equal(server.asked(PROFILE).length + server.asked(HEALTH).length, 0);
});

test("a change that is seen during a question is followed by the next, once the first is answered", async () => {
  const { tab, server, clock, asked } = await playing();
  await tab.like("a00");
  const held = server.hold(RECOMMENDATIONS);
  await clock.pass(ASKED_ANYWAY_MS + 1);
  assert.equal(held.length, 1);
  const old = server.answer(held[0].request);
  server.fold();
  await clock.pass(1_700);
  assert.equal(tab.profile.version, server.version);
  assert.equal(held.length, 1);
  held[0].release(old);
  await settle();
  await clock.pass(ASKED_ANYWAY_MS + 1);
  assert.equal(held.length, 2);
  held[1].release();
  await settle();
  assert.ok(followsLike(tab));
  assert.equal(asked(), 2);
});
