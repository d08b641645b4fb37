/** The page says how far the library is in step with its folders, and shows what is new. */
import assert from "node:assert/strict";
import test from "node:test";
import { settle } from "./fakes.js";
import { refusal } from "./server.js";
import { start } from "./tab.js";

const CURRENT = "/api/scans/current";
const RESULT = { finished_at: "2026-01-01T00:00:00.000Z", found: 9, unusable: 0, added: 0, changed: 0, moved: 0, returned: 0, vanished: 0, problem: "" };
const IDLE = { state: "idle", is_running: false, is_wanted: false, is_paused: false, started_at: null, done: 0, total: 0, seconds_left: null, last: null };
const ANALYSING = { ...IDLE, state: "analysing", is_running: true, started_at: RESULT.finished_at, done: 1_200, total: 8_000, seconds_left: 410 };
const SOON_MS = 10_000;

const startWith = (scan, how = {}) => start({ prepare: (server) => Object.assign(server, { scan }), ...how });

test("while nothing is going on nothing is shown, and the server is asked now and then", async () => {
  const { tab, server, clock } = await startWith(IDLE);
  assert.equal(tab.scans.text, "");
  assert.equal(tab.scans.action, "");
  const before = server.asked(CURRENT).length;
  await clock.pass(60_000);
  const asked = server.asked(CURRENT).length - before;
  assert.ok(asked >= 6 && asked <= 12, `asked ${asked} times a minute`);
});

for (const [scan, text] of [
  [ANALYSING, "Analysing 1,200 of 8,000 files, about 7 min left."],
  [{ ...ANALYSING, seconds_left: 3 * 3600 + 120 }, "Analysing 1,200 of 8,000 files, about 3 h 2 min left."],
  [{ ...ANALYSING, seconds_left: 20 }, "Analysing 1,200 of 8,000 files, less than a minute left."],
  [{ ...ANALYSING, seconds_left: null }, "Analysing 1,200 of 8,000 files."],
  [{ ...ANALYSING, seconds_left: 3599 }, "Analysing 1,200 of 8,000 files, about 1 h 0 min left."],
  [{ ...ANALYSING, state: "scanning", done: 0, total: 0 }, "Looking for changes in your music."],
  [{ ...ANALYSING, state: "learning", done: 0, total: 0 }, "Learning what sounds alike."],
  [{ ...ANALYSING, state: "paused", is_paused: true }, "Analysis is paused, 1,200 of 8,000 files."],
  [{ ...IDLE, state: "paused", is_paused: true }, "Scans are paused."],
  [{ ...IDLE, is_wanted: true }, "Looking for changes in your music."],
]) {
  test(`it says: ${text}`, async () => {
    const { tab } = await startWith(scan);
    assert.equal(tab.scans.text, text);
  });
}

test("the figures follow while a scan runs, and screen readers are told what begins and ends alone", async () => {
  const { tab, server, clock } = await startWith(IDLE);
  tab.announced.length = 0;
  server.scan = ANALYSING;
  await clock.pass(SOON_MS);
  assert.equal(tab.scans.share, 0.15);
  server.scan = { ...ANALYSING, done: 4_000 };
  await clock.pass(4_000);
  assert.equal(tab.scans.share, 0.5);
  server.scan = IDLE;
  await clock.pass(4_000);
  assert.equal(tab.scans.share, null);
  assert.deepEqual(tab.announced, ["Analysing 1,200 of 8,000 files, about 7 min left.", "The library is in step with your music."]);
});

test("a scan that changed the library is told within ten seconds of its end", async () => {
  const { tab, server, clock } = await startWith({ ...IDLE, last: RESULT });
  let told = 0;
  tab.scans.addEventListener("library", () => (told += 1));
  server.scan = { ...IDLE, last: { ...RESULT, finished_at: "2026-01-01T00:01:00.000Z", vanished: 3 } };
  await clock.pass(SOON_MS);
  assert.equal(told, 1);
  await clock.pass(60_000);
  assert.equal(told, 1);
});

test("one that found nothing new changes nothing, and neither does one from before the page", async () => {
  const { tab, server, clock } = await startWith({ ...IDLE, last: { ...RESULT, added: 7 } });
  let told = 0;
  tab.scans.addEventListener("library", () => (told += 1));
  server.scan = { ...IDLE, last: { ...RESULT, finished_at: "2026-01-01T00:01:00.000Z" } };
  await clock.pass(60_000);
  assert.equal(told, 0);
});

test("what became of the last one is said", async () => {
  const { tab } = await startWith({ ...IDLE, last: { ...RESULT, added: 1_020, vanished: 2, problem: "a disk is away" } });
  assert.equal(tab.scans.lastText, "The last scan found 1,020 new, 2 gone. It was not whole: a disk is away.");
  const { tab: other } = await startWith({ ...IDLE, last: RESULT });
  assert.equal(other.scans.lastText, "The last scan found nothing new.");
  const { tab: third } = await startWith({ ...IDLE, last: { ...RESULT, added: 9, unusable: 1_005 } });
  assert.equal(third.scans.lastText, "The last scan found 9 new. 1,005 files could not be used; the program's output says why.");
});

test("who may, pauses a scan and lets it go on", async () => {
  const { tab, server } = await startWith(ANALYSING);
  assert.equal(tab.scans.action, "pause");
  await tab.scans.toggle();
  assert.equal(tab.scans.action, "resume");
  assert.equal(server.asked("/api/scans/current/pause").length, 1);
  await tab.scans.toggle();
  assert.equal(tab.scans.action, "pause");
  const [{ how }] = server.asked("/api/scans/current/resume");
  assert.equal(how.method, "POST");
  assert.equal(how.headers["Content-Type"], "application/json");
  assert.equal(how.headers["Soundalike-User"], "you");
});

test("others see how far it is, without a button", async () => {
  const { tab } = await startWith(ANALYSING, { isAdmin: false });
  assert.match(tab.scans.text, /^Analysing/);
  assert.equal(tab.scans.action, "");
});

test("a scan is asked for, and followed at once", async () => {
  const { tab, server, clock } = await startWith(IDLE);
  await tab.scans.want();
  assert.equal(server.asked("/api/scans").length, 1);
  assert.equal(tab.scans.text, "Looking for changes in your music.");
  server.scan = ANALYSING;
  await clock.pass(4_000);
  assert.match(tab.scans.text, /^Analysing/);
});

test("a refusal is said", async () => {
  const { tab, server } = await startWith(IDLE);
  server.when("/api/scans", () => refusal(403, "not_admin", "only administrators may do this"));
  await tab.scans.want();
  assert.equal(tab.said.at(-1), "Not done: only administrators may do this");
});

test("a hidden page does not ask; it does when it is shown", async () => {
  const { tab, server, clock } = await startWith(ANALYSING);
  tab.browser.show(false);
  await clock.pass(4_000);
  const before = server.asked(CURRENT).length;
  await clock.pass(60_000);
  assert.equal(server.asked(CURRENT).length, before);
  tab.browser.show(true);
  await settle();
  assert.equal(server.asked(CURRENT).length, before + 1);
});

test("who is logged out does not ask on", async () => {
  const { tab, server, clock } = await startWith(IDLE);
  const logIn = server.when(CURRENT, () => refusal(401, "unauthorized"));
  await clock.pass(SOON_MS);
  const before = server.asked(CURRENT).length;
  await clock.pass(60_000);
  assert.equal(server.asked(CURRENT).length, before);
  logIn();
  server.scan = ANALYSING;
  tab.browser.show(true);
  await settle();
  assert.match(tab.scans.text, /^Analysing/);
});

test("a server that does not answer is asked again, and what was shown stays", async () => {
  const { tab, server, clock } = await startWith(ANALYSING);
  server.isOffline = true;
  await clock.pass(SOON_MS);
  assert.match(tab.scans.text, /^Analysing/);
  server.isOffline = false;
  server.scan = IDLE;
  await clock.pass(SOON_MS);
  assert.equal(tab.scans.text, "");
});
