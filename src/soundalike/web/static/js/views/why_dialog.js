/** Why a track plays or comes next: the reason it was recommended for, and the listens this rests on. */
import { pageUrl, track as trackOf } from "../api/client.js";
import { ago, bdi, element } from "./elements.js";

const DONE = {
  started: "you played it",
  finished: "you finished it",
  skipped: "you skipped it",
  liked: "you liked it",
  unliked: "you took back that you liked it",
  disliked: "you disliked it",
  undisliked: "you took back that you disliked it",
  less: "you asked for less like it",
};
const CHOSEN = "Nothing recommended it: you chose it yourself, or the list that it stands in.";

/** @returns {(entry: ?import("../state/queue.js").Entry) => void} explains an entry of the queue */
export function showWhy() {
  const dialog = document.getElementById("why");
  const at = (id) => document.getElementById(id);
  dialog.addEventListener("click", (event) => (event.target === dialog || event.target.closest("a")) && dialog.close());

  return (entry) => {
    if (!entry) return;
    const { track, reason } = entry;
    at("why-track").replaceChildren(link(track), " by ", bdi(track.artist ?? "Unknown artist"));
    at("why-reason").textContent = reason?.text ?? CHOSEN;
    const listens = grouped(reason?.because ?? []);
    at("why-because").hidden = !listens.length;
    at("why-because").replaceChildren(...listens.map(line));
    dialog.showModal();
  };
}

/** The same thing done to the same track several times is one line, where it first stands. */
function grouped(because) {
  const lines = new Map();
  for (const { track_id, kind, at } of because) {
    const key = `${track_id}:${kind}`;
    const one = lines.get(key) ?? { track_id, kind, at, times: 0 };
    lines.set(key, { ...one, at: at > one.at ? at : one.at, times: one.times + 1 });
  }
  return [...lines.values()];
}

function line({ track_id, kind, at, times }) {
  const item = element("li", "");
  const name = element("span", "", "…");
  const often = times > 1 ? ` ${times === 2 ? "twice" : `${times} times`}, last` : "";
  item.append(name, `: ${DONE[kind] ?? "you had to do with it"}${often} ${ago(at)}`);
  trackOf(track_id).then(
    (track) => name.replaceChildren(link(track)),
    () => name.replaceChildren("A track that cannot be shown just now"),
  );
  return item;
}

function link(track) {
  const made = element("a", "");
  made.href = pageUrl(track.id);
  made.append(bdi(track.title));
  return made;
}
