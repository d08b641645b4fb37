/** What sounds, and what the listener does with it. */
import assert from "node:assert/strict";
import test from "node:test";
import { FakeBrowser, settle } from "./fakes.js";
import { refusal, trackOf } from "./server.js";
import { TREES, Tab, start } from "./tab.js";

test("a list plays in its order, with what is asked for in between", async () => {
  const { tab } = await start();
  await tab.inOrder("amber");
  tab.player.playNext(trackOf("elm"));
  tab.player.add(trackOf("fir"));
  assert.deepEqual(tab.coming, ["elm", "fir", "birch", "cedar", "dogwood", "elm", "fir"]);
  tab.player.remove(2);
  assert.deepEqual(tab.coming, ["elm", "birch", "cedar", "dogwood", "elm", "fir"]);
  await tab.next();
  assert.equal(tab.playing, "elm");
  tab.player.jump(3);
  await settle();
  assert.equal(tab.playing, "cedar");
  tab.player.previous();
  await settle();
  assert.equal(tab.playing, "birch");
});

const pageFrom = (place) => new URLSearchParams({ album: "trees", cursor: place });

test("a list goes on beyond what its page shows, without what has no audio", async () => {
  const { tab, server } = await start({ prepare: (made) => (made.tracks.get("dogwood").has_audio = false) });
  tab.player.playAll([trackOf("amber"), trackOf("birch")], pageFrom("2"));
  assert.equal(tab.playing, "amber");
  await settle();
  assert.deepEqual(tab.coming, ["birch", "cedar", "elm", "fir"]);
  assert.deepEqual(server.asked("/api/tracks").map(({ query }) => query), [
    { album: "trees", cursor: "2" },
    { album: "trees", cursor: "4" },
  ]);
  tab.player.playAll([trackOf("elm"), trackOf("fir")], pageFrom(""));
  await settle();
  assert.deepEqual(tab.coming, ["fir"]);
  assert.equal(server.asked("/api/tracks").length, 2);
});

for (const [what, choose, coming] of [
  ["another list", (tab) => tab.player.playList([trackOf("elm"), trackOf("fir")], 0), ["fir"]],
  ["a queue that was cleared", (tab) => tab.player.clear(), TREES.slice(1)],
  ["the same list again", (tab) => tab.player.playAll([trackOf("amber"), trackOf("birch")], pageFrom("")), ["birch"]],
]) {
  test(`the rest of a list does not come after ${what}`, async () => {
    const { tab, server } = await start();
    const held = server.hold("/api/tracks");
    tab.player.playAll([trackOf("amber"), trackOf("birch")], pageFrom("2"));
    await settle();
    choose(tab);
    held.forEach(({ release }) => release());
    await settle();
    assert.deepEqual(tab.coming, coming);
  });
}

test("where the rest of a list does not come, the player says so and plays what it has", async () => {
  const { tab, server } = await start();
  server.when("/api/tracks", () => refusal(503));
  tab.player.playAll([trackOf("amber"), trackOf("birch")], pageFrom("2"));
  await settle();
  assert.deepEqual([tab.playing, tab.coming], ["amber", ["birch"]]);
  assert.match(tab.said.join(), /The rest of the list could not be queued: not now/);
});

test("of a very long list as much is queued as is kept", async () => {
  const tracks = Array.from({ length: 600 }, (_, place) => `t${place}`);
  const { tab } = await start({ tracks });
  tab.player.playAll([trackOf("t0"), trackOf("t1")], pageFrom("2"));
  for (let page = 0; page < 300; page += 1) await settle();
  assert.equal(tab.queue.entries.length, 500);
});

test("a track is followed by what is recommended when it ends", async () => {
  const { tab, server } = await start();
  await tab.play("dogwood");
  assert.equal(server.asked("/api/recommendations").at(-1).query.seed, "dogwood");
  const [first] = tab.coming;
  tab.audio.end();
  await settle();
  assert.equal(tab.playing, first);
  assert.equal(tab.audio.paused, false);
});

test("a list that ends stops", async () => {
  const { tab } = await start();
  await tab.inOrder("fir");
  tab.audio.end();
  await settle();
  assert.equal(tab.playing, "fir");
  assert.equal(tab.player.isPlaying, false);
});

test("previous restarts a track after three seconds, and the first always", async () => {
  const { tab } = await start();
  await tab.inOrder("birch");
  tab.audio.moveTo(4);
  tab.player.previous();
  assert.deepEqual([tab.playing, tab.audio.currentTime], ["birch", 0]);
  tab.player.previous();
  tab.player.previous();
  await settle();
  assert.equal(tab.playing, "amber");
});

test("seeking stays within the track", async () => {
  const { tab } = await start();
  tab.player.seek(5);
  assert.equal(tab.audio.currentTime, 0);
  await tab.play("amber");
  for (const [asked, reached] of [[-5, 0], [7, 7], [99, 20]]) {
    tab.player.seek(asked);
    assert.equal(tab.audio.currentTime, reached);
  }
});

test("until the audio is there its length is the track's", async () => {
  const { tab } = await start();
  await tab.play("amber");
  tab.audio.duration = NaN;
  assert.equal(tab.player.duration, 20);
  tab.audio.duration = 21.5;
  assert.equal(tab.player.duration, 21.5);
});

test("volume follows the ear, and silence by the slider ends with the button", async () => {
  const { tab } = await start();
  tab.player.setVolume(0.5);
  assert.equal(tab.audio.volume, 0.25);
  tab.player.toggleMute();
  assert.equal(tab.audio.muted, true);
  tab.player.setVolume(0);
  assert.equal(tab.audio.muted, false);
  tab.player.toggleMute();
  assert.deepEqual([tab.audio.muted, tab.audio.volume], [false, 1]);
  tab.player.setVolume(7);
  assert.equal(tab.player.volume, 1);
});

test("a track that is queued on silence is played", async () => {
  const { tab } = await start();
  tab.player.add(trackOf("elm"));
  await settle();
  assert.equal(tab.playing, "elm");
  assert.equal(tab.player.isPlaying, true);
});

test("pausing elsewhere, as by a headset, is seen", async () => {
  const { tab } = await start();
  await tab.play("amber");
  tab.audio.pause();
  assert.equal(tab.player.state, "paused");
  tab.audio.play();
  await settle();
  assert.equal(tab.player.state, "playing");
});

test("a browser that wants a gesture before sound leaves it paused", async () => {
  const { tab } = await start();
  tab.audio.isBlocked = true;
  await tab.play("amber");
  assert.equal(tab.player.state, "paused");
});

const silent = (tab, id, type, status) => tab.server.silent.set(id, { type, status });

test("what the browser cannot play, or is gone, is said and skipped", async () => {
  const { tab } = await start();
  silent(tab, "amber", "audio/aiff");
  silent(tab, "birch", "audio/mpeg", 410);
  silent(tab, "cedar", "audio/mpeg", 500);
  await tab.inOrder("amber");
  assert.deepEqual(tab.said, [
    "“Amber” is skipped: this browser cannot play AIFF.",
    "“Birch” is skipped: its file is gone from its folder.",
    "“Cedar” is skipped: it cannot be loaded at the moment.",
  ]);
  assert.equal(tab.playing, "dogwood");
});

for (const [type, name] of [
  ["audio/aiff", "AIFF"],
  ["audio/mp4", "this MPEG-4 audio"],
  ["audio/mp4; codecs=alac", "ALAC"],
  ["audio/ogg; codecs=opus", "Opus"],
  ["audio/x-caf", "CAF"],
  ["audio/ogg; codecs=flac", "FLAC"],
  ["audio/webm; codecs=opus", "WEBM with OPUS"],
  ["audio/x-matroska; codecs=flac", "FLAC in Matroska"],
  ["audio/x-ms-wma", "Windows Media Audio"],
]) {
  test(`the format ${type} is called ${name}`, async () => {
    const { tab } = await start();
    silent(tab, "amber", type);
    await tab.play("amber");
    assert.equal(tab.said[0], `“Amber” is skipped: this browser cannot play ${name}.`);
  });
}

test("a format that the browser plays is damaged", async () => {
  const { tab } = await start();
  silent(tab, "amber", "audio/mpeg");
  await tab.play("amber");
  assert.equal(tab.said[0], "“Amber” is skipped: this browser cannot play MPEG, or the file is damaged.");
});

test("a library of nothing playable ends in silence after five", async () => {
  const { tab } = await start();
  for (const id of TREES) silent(tab, id, "audio/aiff");
  await tab.inOrder("amber");
  assert.equal(tab.said.at(-1), "Several tracks in a row could not be played, so playback stops here.");
  assert.equal(tab.player.isPlaying, false);
  assert.equal(tab.playing, "elm");
});

test("a listener who is logged out keeps the place", async () => {
  const { tab } = await start();
  silent(tab, "amber", "", 401);
  await tab.inOrder("amber");
  assert.equal(tab.said.at(-1), "You are logged out. Log in, then press play to continue.");
  assert.deepEqual([tab.playing, tab.player.state], ["amber", "paused"]);
  tab.server.silent.clear();
  tab.player.toggle();
  await settle();
  assert.equal(tab.player.state, "playing");
});

test("a lost server is said and the music waits", async () => {
  const { tab, server } = await start();
  await tab.inOrder("amber");
  server.isOffline = true;
  await tab.next();
  assert.equal(tab.said.at(-1), "soundalike cannot be reached. Playback continues when it is back.");
  assert.deepEqual([tab.playing, tab.player.state], ["birch", "lost"]);
});

test("a reload remembers queue, place, volume and mode, paused", async () => {
  const { tab } = await start();
  await tab.inOrder("birch");
  tab.audio.moveTo(12);
  tab.player.setVolume(0.5);
  tab.player.toggleMute();
  const again = await tab.reload();
  assert.equal(again.playing, "birch");
  assert.equal(again.audio.src, "/api/tracks/birch/audio#t=12");
  assert.deepEqual([again.audio.paused, again.audio.muted, again.audio.volume, again.player.volume], [true, true, 0.25, 0.5]);
  again.player.toggle();
  await settle();
  assert.deepEqual([again.audio.currentTime, again.player.isPlaying], [12, true]);
  await again.next();
  assert.equal(again.playing, "cedar");
});

test("the place is saved now and then while it plays", async () => {
  const { tab, clock } = await start();
  await tab.inOrder("birch");
  await clock.pass(3_100);
  tab.audio.moveTo(9);
  assert.equal(tab.browser.local.json("soundalike:player:you").position, 9);
  tab.audio.moveTo(10);
  assert.equal(tab.browser.local.json("soundalike:player:you").position, 9);
});

test("the browser stores what it always did", async () => {
  const { tab } = await start();
  await tab.play("amber");
  const stored = tab.browser.local.json("soundalike:player:you");
  assert.deepEqual(Object.keys(stored), ["queue", "guide", "volume", "isMuted", "position"]);
  assert.deepEqual(Object.keys(stored.queue), ["entries", "index"]);
  assert.deepEqual(Object.keys(stored.queue.entries[0]), ["track", "isAsked", "reason"]);
  assert.deepEqual(Object.keys(stored.guide), ["mode", "seed", "played", "version"]);
});

const TRACK = { id: "amber", title: "Amber" };
for (const state of [
  [],
  { queue: 5, guide: "x", volume: "loud", position: {} },
  { queue: { entries: [{ track: TRACK }], index: 0 }, guide: { mode: "like", seed: { id: "a" } } },
  { guide: { mode: "constructor", seed: 1 } },
  { volume: 1e9, position: -5, guide: { played: [1, null] } },
]) {
  test(`a memory that makes no sense does no harm: ${JSON.stringify(state)}`, async () => {
    const browser = new FakeBrowser();
    browser.local.setItem("soundalike:player:you", JSON.stringify(state));
    const { tab } = await start({ browser });
    assert.equal(tab.autoQueue.mode, null);
    assert.ok(tab.autoQueue.played.every((id) => typeof id === "string"));
    await tab.inOrder("birch");
    await tab.next();
    assert.equal(tab.playing, "cedar");
    assert.ok([0, 1].includes(tab.audio.volume));
  });
}

test("each listener of a browser has a player of their own", async () => {
  const { tab, server } = await start();
  await tab.play("amber");
  await tab.like("amber");
  const tom = new Tab(server, new FakeBrowser({ clock: tab.clock, local: tab.browser.local }), { user: "tom" });
  await settle();
  assert.equal(tom.playing, null);
  assert.deepEqual(tom.coming, []);
});

test("why a track did not play is not said once another plays", async () => {
  const { tab, server } = await start();
  silent(tab, "amber", "audio/aiff");
  const held = server.hold("/api/tracks/amber/audio");
  await tab.play("amber");
  await tab.play("birch");
  held[0].release();
  await settle();
  assert.deepEqual(tab.said, []);
  assert.equal(tab.playing, "birch");
});

test("only tracks in a row count as failures", async () => {
  const { tab } = await start({ tracks: ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"] });
  for (const id of ["a", "b", "c", "d", "f", "g", "h", "i"]) silent(tab, id, "audio/aiff");
  await tab.inOrder("a");
  assert.equal(tab.playing, "e");
  await tab.next();
  assert.equal(tab.playing, "j");
  assert.equal(tab.player.isPlaying, true);
});

test("between a track that ends and the next it does not look paused", async () => {
  const { tab } = await start();
  await tab.inOrder("amber");
  const states = new Set();
  tab.player.addEventListener("change", () => states.add(tab.player.state));
  tab.audio.end();
  await settle();
  assert.deepEqual([...states], ["playing"]);
});

test("a busy server that knows the track keeps nobody waiting for it", async () => {
  for (const answer of [undefined, () => refusal(404, "unknown_track")]) {
    const { tab, server } = await start();
    silent(tab, "amber", "", 503);
    if (answer) server.when("/api/tracks/amber", answer);
    await tab.inOrder("amber");
    assert.deepEqual(tab.said, ["“Amber” is skipped: it cannot be loaded at the moment."]);
    assert.equal(tab.playing, "birch");
  }
});
