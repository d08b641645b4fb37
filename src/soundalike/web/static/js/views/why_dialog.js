/** Shows why a track plays or comes next: the reason, and the listens that it follows from. */
import { pageUrl } from "../api/client.js";
import { explain } from "../state/reasons.js";
import { bdi, byId, closest, element } from "./elements.js";
/** @import { App } from "../app.js" */
/** @import { QueueEntry, Track } from "../state/types.js" */

/** @param {App} app @returns {(entry: ?QueueEntry) => void} explains an entry of the queue */
export function showWhy({ api }) {
  const dialog = byId("why", HTMLDialogElement);
  dialog.addEventListener("click", (event) => (event.target === dialog || closest(event, "a")) && dialog.close());

  /** @param {{trackId: string, text: string}} because */
  function line({ trackId, text }) {
    const name = element("span", "", "…");
    const item = element("li", "");
    item.append(name, `: ${text}`);
    api.track(trackId).then(
      (track) => name.replaceChildren(link(track)),
      () => name.replaceChildren("A track that cannot be shown at the moment"),
    );
    return item;
  }

  return (entry) => {
    if (!entry) return;
    const { text, because } = explain(entry, Date.now());
    byId("why-track").replaceChildren(link(entry.track), " by ", bdi(entry.track.artist ?? "Unknown artist"));
    byId("why-reason").textContent = text;
    byId("why-because").hidden = !because.length;
    byId("why-because").replaceChildren(...because.map(line));
    dialog.showModal();
  };
}

/** @param {Track} track */
function link(track) {
  const made = document.createElement("a");
  made.href = pageUrl(track.id);
  made.append(bdi(track.title));
  return made;
}
