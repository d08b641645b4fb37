/** What is liked and disliked is shown as the server knows it, with what it has not heard yet on top. */
import assert from "node:assert/strict";
import test from "node:test";
import { settle } from "./fakes.js";
import { refusal, reply, trackOf } from "./server.js";
import { start } from "./tab.js";

const JUDGEMENTS = "/api/judgements";

test("what was said on another device is known here", async () => {
  const { tab } = await start({
    prepare(server) {
      server.listen("liked", "amber");
      server.listen("disliked", "cedar");
      server.listen("liked", "birch");
      server.listen("unliked", "birch");
    },
  });
  assert.deepEqual(["amber", "cedar", "birch"].map((id) => tab.judgements.of(id)), ["liked", "disliked", null]);
});

for (const [name, look] of [["looking at the page again", (tab) => tab.browser.show(true)], ["coming back online", (tab) => tab.browser.tell("online")]]) {
  test(`${name} shows what was said elsewhere meanwhile`, async () => {
    const { tab, server } = await start();
    server.listen("liked", "amber");
    look(tab);
    await settle();
    assert.equal(tab.judgements.of("amber"), "liked");
  });
}

test("a page that is hidden asks nothing", async () => {
  const { tab, server } = await start();
  tab.browser.show(false);
  await settle();
  assert.equal(server.asked(JUDGEMENTS).length, 1);
});

test("an answer that comes late undoes nothing said meanwhile", async () => {
  const { tab, server } = await start({ prepare: (server) => server.listen("liked", "cedar") });
  const held = server.hold(JUDGEMENTS);
  const again = await tab.reload();
  await again.like("amber");
  assert.deepEqual(again.stored(), []);
  held[0].release(reply(200, { liked: ["cedar"], disliked: [] }));
  await settle();
  assert.deepEqual(["cedar", "amber"].map((id) => again.judgements.of(id)), ["liked", "liked"]);
});

test("of two answers the one to the later question counts", async () => {
  const { tab, server } = await start();
  const held = server.hold(JUDGEMENTS);
  tab.browser.show(true);
  tab.browser.show(true);
  held[1].release(reply(200, { liked: ["amber"], disliked: [] }));
  await settle();
  held[0].release(reply(200, { liked: ["birch"], disliked: [] }));
  await settle();
  assert.deepEqual(["amber", "birch"].map((id) => tab.judgements.of(id)), ["liked", null]);
});

test("a busy server leaves what is known", async () => {
  const { tab, server } = await start({ prepare: (server) => server.listen("liked", "amber") });
  server.when(JUDGEMENTS, () => refusal(503, "store_busy"));
  tab.browser.show(true);
  await settle();
  assert.equal(tab.judgements.of("amber"), "liked");
});

test("a like is known to every tab, survives a reload and is taken back", async () => {
  const { tab, server } = await start();
  await tab.play("amber");
  const other = await tab.open();
  await tab.like("amber");
  await settle();
  assert.equal(other.judgements.of("amber"), "liked");
  const again = await tab.reload();
  assert.equal(again.judgements.of("amber"), "liked");
  await again.like("amber");
  assert.equal(again.judgements.of("amber"), null);
  assert.deepEqual(server.told, ["started amber", "liked amber", "unliked amber"]);
  assert.deepEqual(tab.announced.map(plain), ["You like “Amber”."]);
  assert.deepEqual(again.announced.map(plain), ["You no longer like “Amber”."]);
});

test("a dislike can be undone once, and is announced both ways", async () => {
  const { tab, server } = await start();
  await tab.play("amber");
  await tab.dislike("amber");
  assert.match(tab.said.at(-1), /“Amber” will not be recommended again\./);
  const { undo } = tab;
  undo();
  await settle();
  assert.equal(tab.judgements.of("amber"), null);
  assert.match(tab.said.at(-1), /“Amber” may be recommended again\./);
  undo();
  await settle();
  assert.deepEqual(server.told.filter((one) => one.endsWith("disliked amber")), ["disliked amber", "undisliked amber"]);
});

test("taking back another judgement leaves this one", async () => {
  const { tab } = await start();
  await tab.like("amber");
  tab.outbox.put("undisliked", "amber", null);
  assert.equal(tab.judgements.of("amber"), "liked");
});

test("a dislike replaces a like", async () => {
  const { tab } = await start();
  await tab.like("amber");
  await tab.dislike("amber");
  assert.equal(tab.judgements.of("amber"), "disliked");
  tab.opinions.dislike(trackOf("amber"));
  assert.equal(tab.judgements.of("amber"), null);
});

const plain = (text) => text.replace(/[\u2068\u2069]/g, "");
