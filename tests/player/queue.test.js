/** What plays, what has played and what comes next. */
import assert from "node:assert/strict";
import test from "node:test";
import { Queue } from "../../src/soundalike/web/static/js/state/queue.js";
import { trackOf } from "./server.js";

const tracks = (...ids) => ids.map(trackOf);
const found = (...ids) => ids.map((id) => ({ track: trackOf(id), reason: { text: `like ${id}`, because: [] } }));
const ids = (entries) => entries.map((entry) => entry.track.id);

function playing(...all) {
  const queue = new Queue();
  queue.replace(tracks(...all), 0);
  return queue;
}

test("a new queue plays nothing", () => {
  const queue = new Queue();
  assert.equal(queue.current, null);
  assert.deepEqual(queue.upcoming, []);
  assert.equal(queue.step(1), false);
});

test("what is asked for comes next, in the order asked, before the rest", () => {
  const queue = playing("a", "b");
  queue.add(trackOf("x"));
  queue.add(trackOf("y"));
  queue.playNext(trackOf("z"));
  assert.deepEqual(ids(queue.upcoming), ["z", "x", "y", "b"]);
});

test("another list keeps what was asked for next", () => {
  const queue = playing("a", "b");
  queue.add(trackOf("x"));
  queue.replace(tracks("m", "n", "o"), 1);
  assert.deepEqual(ids(queue.entries), ["m", "n", "x", "o"]);
  assert.equal(queue.current.id, "n");
});

test("a track that is played now keeps what was asked for behind it, and nothing else", () => {
  const queue = playing("a", "b");
  queue.add(trackOf("x"));
  assert.equal(queue.begin(trackOf("n")), true);
  assert.equal(queue.current.id, "n");
  assert.deepEqual(ids(queue.upcoming), ["x"]);
});

test("recommendations replace everything but what was asked for, and a known entry stays the same", () => {
  const queue = playing("a", "b");
  queue.add(trackOf("x"));
  queue.recommend(found("c", "d"));
  const [, kept] = queue.upcoming;
  queue.recommend(found("d", "c"));
  assert.deepEqual(ids(queue.upcoming), ["x", "d", "c"]);
  assert.equal(queue.upcoming[2], kept);
  assert.equal(queue.upcoming[1].reason.text, "like d");
});

test("jumping over entries keeps what was asked for, drops what was recommended, and leaves a list behind", () => {
  const queue = playing("a", "b", "c");
  assert.equal(queue.jump(2), true);
  assert.deepEqual(ids(queue.entries), ["a", "b", "c"]);
  queue.add(trackOf("x"));
  queue.recommend(found("d", "e", "f"));
  queue.jump(queue.entries.length - 1);
  assert.equal(queue.current.id, "f");
  assert.deepEqual(ids(queue.entries), ["a", "b", "c", "f", "x"]);
  assert.equal(queue.jump(99), false);
});

test("what was asked for is no longer so once it plays", () => {
  const queue = playing("a");
  queue.add(trackOf("x"));
  queue.step(1);
  queue.step(-1);
  assert.deepEqual(ids(queue.upcoming), ["x"]);
  assert.deepEqual(queue.asked, []);
});

test("only what is upcoming can be removed", () => {
  const queue = playing("a", "b", "c");
  queue.remove(0);
  queue.remove(1);
  queue.remove(7);
  assert.deepEqual(ids(queue.entries), ["a", "c"]);
  queue.forget(() => true);
  assert.deepEqual(ids(queue.entries), ["a"]);
});

test("every change makes a new array, so that views can see it", () => {
  const queue = playing("a", "b");
  const changes = [
    () => queue.add(trackOf("x")),
    () => queue.playNext(trackOf("y")),
    () => queue.append(tracks("z")),
    () => queue.recommend(found("c")),
    () => queue.remove(1),
    () => queue.begin(trackOf("n")),
  ];
  for (const change of changes) {
    const before = queue.entries;
    change();
    assert.notEqual(queue.entries, before, String(change));
  }
});

test("a place far down a long list survives being stored", () => {
  const queue = new Queue();
  const again = new Queue();
  queue.replace(Array.from({ length: 700 }, (_, number) => trackOf(`t${number}`)), 600);
  again.restore(JSON.parse(JSON.stringify(queue)));
  assert.deepEqual([again.current.id, again.upcoming[0].track.id, again.entries.length], ["t600", "t601", 300]);
});

test("at most two hundred played tracks are kept", () => {
  const queue = new Queue();
  queue.replace(Array.from({ length: 300 }, (_, number) => trackOf(`t${number}`)), 0);
  for (let step = 0; step < 250; step += 1) queue.step(1);
  assert.equal(queue.index, 200);
  assert.equal(queue.current.id, "t250");
});

const TRACK = { id: "amber", title: "Amber" };
const ODD = [
  null,
  5,
  {},
  { entries: 5, index: 0 },
  { entries: [null], index: 0 },
  { entries: [{ track: TRACK }, { track: { id: "b", title: null } }], index: 0 },
  { entries: [{ track: TRACK }], index: "length" },
  { entries: [{ track: TRACK }], index: 1 },
  { entries: [{ track: TRACK, reason: { text: 5 } }], index: 0 },
  { entries: [{ track: TRACK, reason: { text: "", because: [null] } }], index: 0 },
];

for (const saved of ODD) {
  test(`a stored queue that makes no sense is none: ${JSON.stringify(saved)}`, () => {
    const queue = new Queue();
    queue.restore(saved);
    assert.deepEqual([queue.entries, queue.index], [[], -1]);
  });
}
