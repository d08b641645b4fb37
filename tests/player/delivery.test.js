/** What is done reaches the server once, whatever happens on the way. */
import assert from "node:assert/strict";
import test from "node:test";
import { FakeBrowser, settle } from "./fakes.js";
import { refusal, reply } from "./server.js";
import { Tab, start } from "./tab.js";

const LISTENS = "/api/listens";
const LIKED_BOTH = ["liked amber", "liked cedar"];
const ids = (server) => server.asked(LISTENS).flatMap(({ events }) => events.map(({ id }) => id));

test("likes made offline come back after a reload, once", async () => {
  const { tab, server } = await start();
  server.isOffline = true;
  await tab.like("amber", "cedar");
  server.isOffline = false;
  const again = await tab.reload();
  assert.deepEqual(server.told, LIKED_BOTH);
  assert.deepEqual(again.stored(), []);
  await again.reload();
  assert.deepEqual(server.told, LIKED_BOTH);
  assert.equal(server.listens.size, 2);
});

test("a reload while nothing can be sent loses nothing, and shows what was liked", async () => {
  const { tab, server } = await start();
  const away = server.when(LISTENS, () => Promise.reject(new TypeError()));
  await tab.like("amber", "cedar");
  const again = await tab.reload();
  assert.deepEqual(again.stored().map(({ track_id }) => track_id), ["amber", "cedar"]);
  assert.equal(again.judgements.of("amber"), "liked");
  away();
  again.browser.tell("online");
  await settle();
  assert.deepEqual(server.told, LIKED_BOTH);
  assert.equal(new Set(ids(server)).size, 2);
});

test("coming back online sends without a reload", async () => {
  const { tab, server } = await start();
  server.isOffline = true;
  await tab.like("amber", "cedar");
  server.isOffline = false;
  tab.browser.tell("online");
  await settle();
  assert.deepEqual(server.told, LIKED_BOTH);
  assert.deepEqual(tab.stored(), []);
});

test("where nobody answers it is tried again later, at most every half minute", async () => {
  const { tab, server, clock } = await start();
  server.isOffline = true;
  await tab.like("amber");
  await clock.pass(10 * 60_000);
  const tries = server.asked(LISTENS).length;
  await clock.pass(31_000);
  assert.ok(server.asked(LISTENS).length > tries);
  server.isOffline = false;
  await clock.pass(31_000);
  assert.deepEqual(server.told, ["liked amber"]);
});

test("where nobody answers, whatever is done next tries at once", async () => {
  const { tab, server } = await start();
  server.isOffline = true;
  await tab.like("amber");
  server.isOffline = false;
  await tab.like("cedar");
  assert.deepEqual(server.told, LIKED_BOTH);
});

test("a page that closes sends once more what was not acknowledged", async () => {
  const { tab, server } = await start();
  const held = server.hold(LISTENS);
  await tab.like("amber");
  assert.equal(held.length, 1);
  server.when(LISTENS, (request) => server.answer(request));
  tab.close();
  await settle();
  const last = server.asked(LISTENS).at(-1);
  assert.equal(last.how.keepalive, true);
  assert.deepEqual(server.told, ["liked amber"]);
  assert.equal(new Set(ids(server)).size, 1);
});

for (const has of ["locks", "no locks"]) {
  test(`two tabs of a browser with ${has} neither double nor lose anything`, async () => {
    const browser = new FakeBrowser();
    if (has === "no locks") browser.locks = null;
    const { tab, server } = await start({ browser });
    const other = await tab.open();
    if (has === "no locks") other.browser.locks = null;
    server.isOffline = true;
    await tab.like("amber", "birch");
    await other.like("dogwood");
    await tab.like("cedar");
    server.isOffline = false;
    tab.browser.tell("online");
    other.browser.tell("online");
    await settle();
    assert.deepEqual([...server.told].sort(), ["liked amber", "liked birch", "liked cedar", "liked dogwood"]);
    assert.equal(new Set(ids(server)).size, 4);
    assert.deepEqual(tab.stored(), []);
  });
}

test("tabs take turns where the browser has locks", async () => {
  const { tab, server } = await start();
  const other = await tab.open();
  const held = server.hold(LISTENS);
  await tab.like("amber");
  await other.like("cedar");
  assert.equal(held.length, 1);
  held[0].release();
  await settle();
  held.slice(1).forEach(({ release }) => release());
  await settle();
  assert.deepEqual([...server.told].sort(), LIKED_BOTH);
  assert.deepEqual(tab.stored(), []);
  assert.equal(ids(server).length, 2);
});

test("a rejected event is dropped with a message, and the rest is sent", async () => {
  const { tab, server } = await start();
  server.isOffline = true;
  await tab.like("amber", "birch", "cedar");
  server.malformed.add("birch");
  server.isOffline = false;
  tab.browser.tell("online");
  await settle();
  assert.deepEqual(server.told, LIKED_BOTH);
  assert.match(tab.said.at(-1), /One thing you did was rejected .* track, not 'birch'/);
  assert.deepEqual(tab.stored(), []);
});

test("several rejected events are one message", async () => {
  const { tab, server } = await start();
  server.isOffline = true;
  await tab.like("amber", "birch", "cedar");
  for (const id of ["amber", "birch"]) server.malformed.add(id);
  server.isOffline = false;
  tab.browser.tell("online");
  await settle();
  assert.equal(tab.said.length, 1);
  assert.match(tab.said[0], /^2 things you did were rejected .*'amber'/);
});

test("a like that the server rejects is not shown as one", async () => {
  const { tab, server } = await start();
  server.when(LISTENS, ({ events }) => {
    assert.deepEqual(events.map(({ track_id }) => track_id), ["amber"]);
    return reply(400, { error: "bad_event", index: 0, message: "no such track" });
  });
  await tab.like("amber");
  assert.match(tab.said.at(-1), /One thing you did was rejected/);
  assert.equal(tab.judgements.of("amber"), null);
  assert.deepEqual(server.told, []);
});

test("where the server does not say which event is bad, it is found by halves", async () => {
  const { tab, server } = await start();
  server.isOffline = true;
  await tab.like("amber", "birch", "cedar", "dogwood", "elm");
  server.isOffline = false;
  server.when(LISTENS, (request) =>
    request.events.some(({ track_id }) => track_id === "cedar") ? refusal(400, "bad_event", "one of them is wrong") : server.answer(request),
  );
  tab.browser.tell("online");
  await settle();
  assert.deepEqual(server.told, ["liked amber", "liked birch", "liked dogwood", "liked elm"]);
  assert.match(tab.said.at(-1), /One thing you did was rejected/);
  assert.deepEqual(tab.stored(), []);
});

test("too much at once is sent in parts", async () => {
  const { tab, server } = await start();
  server.isOffline = true;
  await tab.like("amber", "birch", "cedar");
  server.isOffline = false;
  server.when(LISTENS, (request) => (request.events.length > 1 ? refusal(413, "too_large", "send fewer") : server.answer(request)));
  tab.browser.tell("online");
  await settle();
  assert.deepEqual(server.told, ["liked amber", "liked birch", "liked cedar"]);
  assert.deepEqual(tab.stored(), []);
});

test("after a batch that was too large, batches grow again", async () => {
  const { tab, server } = await start();
  server.isOffline = true;
  for (let round = 0; round < 4; round += 1) await tab.like("amber", "birch", "cedar", "dogwood");
  server.isOffline = false;
  let refusals = 2;
  server.when(LISTENS, (request) => ((refusals -= 1) >= 0 ? refusal(413, "too_large", "send fewer") : server.answer(request)));
  tab.browser.tell("online");
  await settle();
  assert.deepEqual(server.asked(LISTENS).slice(-5).map(({ events }) => events.length), [16, 8, 4, 8, 4]);
});

test("once the server takes what was done, recommendations that failed are asked for again", async () => {
  const { tab, server, clock } = await start();
  const relent = [server.when(LISTENS, () => refusal(503)), server.when("/api/recommendations", () => refusal(503))];
  await tab.play("amber");
  assert.deepEqual(tab.coming, []);
  relent.forEach((again) => again());
  await clock.pass(5_000);
  assert.deepEqual(server.told, ["started amber"]);
  assert.ok(tab.coming.length > 0);
});

for (const [how, prepare] of [
  ["cannot take yet", (server) => (server.latestMs = 0)],
  ["rejects", (server) => server.malformed.add("amber")],
]) {
  test(`what waits until the server answers again goes on, also where it ${how} what was done`, async () => {
    const { tab, server, clock } = await start();
    let taken = 0;
    tab.delivery.addEventListener("taken", () => (taken += 1));
    server.isOffline = true;
    await tab.like("amber");
    server.isOffline = false;
    prepare(server);
    await clock.pass(31_000);
    assert.equal(taken, 1);
  });
}

test("what was done in a long time offline is sent in batches, the oldest first", async () => {
  const { tab, server } = await start();
  for (let number = 0; number < 1203; number += 1) {
    const id = `id${String((number * 7) % 1203)}`;
    const at = new Date(Date.UTC(2025, 0, 1) + 1000 * ((number * 7) % 1203)).toISOString();
    const listen = { id, track_id: "amber", kind: "started", position_ms: number, at };
    tab.browser.local.setItem(`soundalike:outbox:you:${id}`, JSON.stringify(listen));
  }
  await tab.like("cedar");
  const sent = server.asked(LISTENS).map(({ events }) => events);
  assert.deepEqual(sent.map((events) => events.length), [500, 500, 204]);
  const times = sent.flat().map(({ at }) => at);
  assert.deepEqual(times, [...times].sort());
  assert.equal(server.listens.size, 1204);
  assert.deepEqual(tab.stored(), []);
});

test("a batch is no larger than a server takes", async () => {
  const { tab, server } = await start();
  for (let number = 0; number < 40; number += 1) {
    const listen = { id: `id${number}`, track_id: "amber", kind: "started", position_ms: 0, at: `2025-01-01T00:00:${number + 10}Z`, more: "x".repeat(20_000) };
    tab.browser.local.setItem(`soundalike:outbox:you:id${number}`, JSON.stringify(listen));
  }
  tab.browser.tell("online");
  await settle();
  const sizes = server.asked(LISTENS).map(({ how }) => how.body.length);
  assert.ok(sizes.length > 1);
  assert.ok(Math.max(...sizes) <= 256 * 1024);
  assert.equal(server.listens.size, 40);
});

for (const status of [429, 503]) {
  test(`after ${status} a busy server is left alone for as long as it asks`, async () => {
    const { tab, server, clock } = await start();
    const relent = server.when(LISTENS, () => refusal(status, "x", "not now", { "Retry-After": "5" }));
    const refusedAt = clock.ms;
    await tab.like("amber");
    relent();
    await tab.like("cedar");
    await clock.pass(4_999);
    assert.equal(server.asked(LISTENS).length, 1);
    assert.equal(tab.stored().length, 2);
    await clock.pass(600, () => server.listens.size === 2);
    assert.deepEqual(server.told, LIKED_BOTH);
    assert.ok(clock.ms - refusedAt >= 5_000);
  });
}

test("a server that stays busy is asked less and less often", async () => {
  const { tab, server, clock } = await start();
  const times = [];
  server.when(LISTENS, () => {
    times.push(clock.ms);
    return refusal(503);
  });
  await tab.like("amber");
  await clock.pass(60_000, () => times.length === 5);
  const pauses = times.slice(1).map((time, index) => time - times[index]);
  assert.ok(pauses[0] >= 500 && pauses[1] >= 1000 && pauses[2] >= 2000 && pauses[3] >= 4000, String(pauses));
  await clock.pass(3_600_000);
  const last = times.slice(-2);
  assert.ok(last[1] - last[0] <= 5 * 60_000 + 1);
});

for (const status of [200, 400, 403, 404, 415, 500]) {
  test(`an answer of ${status} loses nothing`, async () => {
    const { tab, server } = await start();
    const relent = server.when(LISTENS, () => refusal(status));
    await tab.like("amber");
    assert.equal(server.asked(LISTENS).length, 1);
    assert.equal(tab.stored().length, 1);
    relent();
    await tab.reload();
    assert.deepEqual(server.told, ["liked amber"]);
  });
}

test("a listener who is logged out keeps everything until there is a login", async () => {
  const { tab, server } = await start();
  const relent = server.when(LISTENS, () => refusal(401));
  let changes = 0;
  tab.delivery.addEventListener("change", () => (changes += 1));
  await tab.like("amber");
  assert.equal(tab.delivery.isLoggedOut, true);
  assert.equal(changes, 1);
  await tab.like("cedar");
  assert.equal(server.asked(LISTENS).length, 1);
  assert.equal(tab.stored().length, 2);
  relent();
  tab.browser.show(true);
  await settle();
  assert.deepEqual(server.told, LIKED_BOTH);
  assert.equal(tab.delivery.isLoggedOut, false);
});

test("recommendations that ask for a login log out too", async () => {
  const { tab, server } = await start();
  server.when("/api/recommendations", () => refusal(401));
  await tab.play("amber");
  assert.equal(tab.delivery.isLoggedOut, true);
});

test("what one listener has not sent is never sent as another", async () => {
  const { tab: mira, server } = await start();
  server.isOffline = true;
  await mira.like("amber");
  mira.close();
  server.isOffline = false;
  const { clock, local } = mira.browser;
  const tom = new Tab(server, new FakeBrowser({ clock, local }), { user: "tom" });
  await settle();
  await tom.like("cedar");
  assert.deepEqual(server.told, ["liked cedar"]);
  assert.equal(server.asked(LISTENS).at(-1).how.headers["Soundalike-User"], "tom");
  assert.equal(tom.judgements.of("amber"), null);
  assert.equal(tom.playing, null);
  tom.close();
  const again = new Tab(server, new FakeBrowser({ clock, local }));
  await settle();
  assert.deepEqual([...server.told].sort(), LIKED_BOTH);
  assert.equal(server.asked(LISTENS).at(-1).how.headers["Soundalike-User"], "you");
  assert.deepEqual(again.stored(), []);
});
