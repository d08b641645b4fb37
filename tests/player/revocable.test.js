/** "Less of this" can be taken back while its message is shown, and is sent once in any case but that. */
import assert from "node:assert/strict";
import test from "node:test";
import { FakeBrowser, settle } from "./fakes.js";
import { trackOf } from "./server.js";
import { start } from "./tab.js";

const SHOWN_MS = 6000;
const LESS = "less cedar";

/** A tab that plays Amber, in which less like Cedar was asked for. */
async function lessLikeCedar(how = {}) {
  const { tab, server, clock } = await start(how);
  await tab.inOrder("amber");
  tab.opinions.less(trackOf("cedar"));
  await settle();
  assert.equal(tab.said.at(-1), "Less like “Cedar” from now on.");
  return { tab, server, clock, undo: tab.undo };
}

const lessOf = (server) => server.told.filter((told) => told === LESS);

test("it is sent when its message is gone, with the time at which it was said, and followed", async () => {
  const { tab, server, clock } = await lessLikeCedar();
  tab.player.goOn();
  const before = tab.browser.date();
  await clock.pass(SHOWN_MS);
  assert.deepEqual(lessOf(server), []);
  const asked = server.asked("/api/recommendations").length;
  await clock.pass(1000);
  assert.deepEqual(lessOf(server), [LESS]);
  assert.ok(Date.parse([...server.listens.values()].find(({ kind }) => kind === "less").at) < before + 1000);
  assert.equal(server.asked("/api/recommendations").length, asked + 1);
  assert.deepEqual([...tab.stored(), ...tab.stored("revocable")], []);
});

test("taken back, it is never sent", async () => {
  const { tab, clock, server, undo } = await lessLikeCedar();
  await clock.pass(SHOWN_MS - 1);
  undo();
  assert.equal(tab.said.at(-1), "“Cedar” counts as before.");
  await clock.pass(60_000);
  await tab.reload();
  assert.deepEqual(lessOf(server), []);
  assert.deepEqual(tab.stored("revocable"), []);
});

test("each is taken back by its own message", async () => {
  const { tab, clock, server, undo } = await lessLikeCedar();
  tab.opinions.less(trackOf("elm"));
  undo();
  await clock.pass(10_000);
  assert.deepEqual(server.told.filter((told) => told.startsWith("less")), ["less elm"]);
});

test("a message that is seen for longer says that it is too late", async () => {
  const { tab, clock, server, undo } = await lessLikeCedar();
  await clock.pass(10_000);
  undo();
  assert.match(tab.said.at(-1), /^It is too late to take that back/);
  assert.deepEqual(lessOf(server), [LESS]);
});

for (const [what, end] of [
  ["is reloaded", (tab) => tab.reload()],
  ["closes", async (tab) => tab.close()],
]) {
  test(`a page that ${what} before then sends it once`, async () => {
    const { tab, server, clock } = await lessLikeCedar();
    await end(tab);
    await settle();
    assert.deepEqual(lessOf(server), [LESS]);
    await clock.pass(10_000);
    assert.equal([...server.listens.values()].filter(({ kind }) => kind === "less").length, 1);
  });
}

test("what a browser that crashed had not sent is sent by its next page, once", async () => {
  const { tab, server, clock } = await lessLikeCedar();
  tab.browser.isClosed = true;
  tab.browser.local.tabs.delete(tab.browser);
  const next = await tab.open();
  await clock.pass(10_000);
  assert.deepEqual(lessOf(server), [LESS]);
  assert.deepEqual(next.stored("revocable"), []);
});

test("another tab does not shorten the time", async () => {
  const { tab, server, clock, undo } = await lessLikeCedar();
  await clock.pass(SHOWN_MS - 100);
  const other = await tab.open();
  await other.reload();
  undo();
  await clock.pass(60_000);
  assert.deepEqual(lessOf(server), []);
});

test("offline it waits in the outbox as everything does", async () => {
  const { tab, server, clock } = await lessLikeCedar();
  server.isOffline = true;
  await clock.pass(10_000);
  assert.deepEqual(tab.stored().map(({ kind }) => kind), ["less"]);
  server.isOffline = false;
  tab.browser.tell("online");
  await settle();
  assert.deepEqual(lessOf(server), [LESS]);
});

test("a browser that stores nothing sends it, unless it is taken back", async () => {
  for (const isTakenBack of [false, true]) {
    const browser = new FakeBrowser();
    browser.local.isFull = true;
    const { clock, server, tab } = await start({ browser });
    tab.opinions.less(trackOf("cedar"));
    if (isTakenBack) tab.undo();
    await clock.pass(10_000);
    assert.deepEqual(lessOf(server), isTakenBack ? [] : [LESS]);
  }
});
