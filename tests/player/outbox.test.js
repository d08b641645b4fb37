/** What waits for the server, in a browser that may store nothing. */
import assert from "node:assert/strict";
import test from "node:test";
import { FakeBrowser, settle } from "./fakes.js";
import { start } from "./tab.js";

test("a browser that stores nothing says so once and sends all the same", async () => {
  const browser = new FakeBrowser();
  browser.local.isFull = true;
  const { tab, server } = await start({ browser });
  await tab.like("amber", "cedar");
  assert.deepEqual(server.told, ["liked amber", "liked cedar"]);
  assert.equal(tab.said.filter((text) => text.includes("storage is not available")).length, 1);
  assert.equal(tab.judgements.of("amber"), "liked");
});

test("a browser that forbids its storage plays and sends", async () => {
  const browser = new FakeBrowser();
  browser.storage = () => {
    throw new Error("SecurityError");
  };
  const { tab, server } = await start({ browser });
  await tab.like("amber");
  await tab.inOrder("cedar");
  assert.equal(tab.playing, "cedar");
  assert.deepEqual(server.told, ["liked amber", "started cedar"]);
});

test("ids are UUIDs where the browser makes none itself", async () => {
  const browser = new FakeBrowser();
  let byte = 0;
  browser.crypto = { getRandomValues: (bytes) => bytes.map(() => (byte = (byte * 5 + 251) % 256)) };
  const { tab, server } = await start({ browser });
  await tab.like("amber", "cedar");
  assert.deepEqual(server.told, ["liked amber", "liked cedar"]);
  for (const id of server.listens.keys()) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("what is no event in storage does no harm", async () => {
  const browser = new FakeBrowser();
  browser.local.setItem("soundalike:outbox:you:a", "no JSON");
  browser.local.setItem("soundalike:outbox:you:b", "[1]");
  browser.local.setItem("soundalike:outbox:you:c", '{"id": "d"}');
  const { tab, server } = await start({ browser });
  await tab.like("amber");
  assert.deepEqual(server.told, ["liked amber"]);
  assert.equal(browser.local.length >= 3, true);
});

test("what is done later has a later time, however coarse the clock", async () => {
  const { tab, server } = await start();
  await tab.like("amber", "birch", "cedar");
  const times = [...server.listens.values()].map(({ at }) => at);
  assert.equal(new Set(times).size, 3);
  assert.deepEqual(times, [...times].sort());
});

test("positions are whole milliseconds", async () => {
  const { tab, server } = await start();
  await tab.inOrder("amber");
  tab.audio.moveTo(7.0004);
  await tab.next();
  const skipped = [...server.listens.values()].find(({ kind }) => kind === "skipped");
  assert.equal(skipped.position_ms, 7000);
});

test("what another tab puts in the outbox is heard here", async () => {
  const { tab } = await start();
  const other = await tab.open();
  await other.like("amber");
  await settle();
  assert.equal(tab.judgements.of("amber"), "liked");
});

test("what is done after a clock was set back has the time that it shows then", async () => {
  const { tab, server } = await start();
  tab.browser.dateMs += 3_600_000;
  await tab.like("amber");
  tab.browser.dateMs -= 3_600_000;
  await tab.like("birch");
  const [amber, birch] = [...server.listens.values()].map(({ at }) => Date.parse(at));
  assert.equal(amber - birch, 3_600_000);
});
