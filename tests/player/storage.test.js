/** What the browser remembers, and forgets. */
import assert from "node:assert/strict";
import test from "node:test";
import { UserStorage } from "../../src/soundalike/web/static/js/api/storage.js";
import { FakeBrowser } from "./fakes.js";

test("keys are of one listener", () => {
  const browser = new FakeBrowser();
  assert.equal(new UserStorage(browser, "ann").keyOf("outbox", "id"), "soundalike:outbox:ann:id");
  assert.equal(new UserStorage(browser, "ann").keyOf("player"), "soundalike:player:ann");
});

test("a browser forgets a listener who is deleted, and nobody else", () => {
  const browser = new FakeBrowser();
  for (const key of ["soundalike:player:ann", "soundalike:outbox:ann:1", "soundalike:player:else", "other:player:ann"]) browser.local.setItem(key, "1");
  browser.session.setItem("soundalike:play:ann", "1");
  new UserStorage(browser, "ann").forget();
  assert.deepEqual([...browser.local.values.keys()], ["soundalike:player:else", "other:player:ann"]);
  assert.equal(browser.session.length, 0);
});

test("a browser that forbids its storage forgets nothing and does not fail", () => {
  new UserStorage({ storage: () => { throw new Error("SecurityError"); } }, "ann").forget();
});

test("a value that is no JSON is none", () => {
  const browser = new FakeBrowser();
  browser.local.setItem("key", "{");
  assert.equal(new UserStorage(browser, "ann").read("key"), null);
});
