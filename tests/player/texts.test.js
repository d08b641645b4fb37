/** Small texts. */
import assert from "node:assert/strict";
import test from "node:test";
import { explain } from "../../src/soundalike/web/static/js/state/reasons.js";
import { ago, clock, named } from "../../src/soundalike/web/static/js/state/texts.js";

const NOW = Date.UTC(2026, 0, 31, 12);
const at = (secondsAgo) => new Date(NOW - 1000 * secondsAgo).toISOString();
const entry = (reason) => ({ track: { id: "a", title: "A" }, isAsked: false, reason });

test("times are read as on a clock", () => {
  assert.deepEqual([0, 5.9, 65, 3725, -3, NaN, Infinity].map(clock), ["0:00", "0:05", "1:05", "1:02:05", "0:00", "0:00", "0:00"]);
});

test("a title in a sentence is cut short and cannot turn the text around it", () => {
  assert.equal(named("Amber"), "“\u2068Amber\u2069”");
  const long = named("é𝄞".repeat(40));
  assert.equal([...long].length, 60 + 4);
  assert.ok(long.endsWith("…\u2069”"));
});

test("times past are told in the largest unit that fits", () => {
  const times = [10, 70, 7200, 86_400, 3 * 86_400, 40 * 86_400, 800 * 86_400];
  assert.deepEqual(times.map((seconds) => ago(at(seconds), NOW)), ["just now", "1 minute ago", "2 hours ago", "yesterday", "3 days ago", "last month", "2 years ago"]);
});

test("what nothing recommended was chosen", () => {
  assert.deepEqual(explain(entry(null), NOW), { text: "It was not recommended: you chose it, or the list it is in.", because: [] });
});

test("the same thing done several times is one line, where it first stood, with the last time", () => {
  const because = [
    { track_id: "b", kind: "finished", at: at(7200) },
    { track_id: "c", kind: "liked", at: at(10) },
    { track_id: "b", kind: "finished", at: at(70) },
    { track_id: "b", kind: "finished", at: at(86_400) },
    { track_id: "d", kind: "started", at: at(7200) },
    { track_id: "d", kind: "started", at: at(70) },
    { track_id: "e", kind: "<b>", at: at(70) },
  ];
  assert.deepEqual(explain(entry({ text: "near", because }), NOW), {
    text: "near",
    because: [
      { trackId: "b", text: "you finished it 3 times, last 1 minute ago" },
      { trackId: "c", text: "you liked it just now" },
      { trackId: "d", text: "you played it twice, last 1 minute ago" },
      { trackId: "e", text: "you listened to it 1 minute ago" },
    ],
  });
});
