/** Keys for those who like them; none is taken from a field or button that needs it. */

const STEP_S = 5;
const VOLUME_STEP = 0.05;

/**
 * @param {import("../state/player.js").Player} player
 * @param {import("../state/opinions.js").Opinions} opinions
 * @param {{toggleQueue: () => void, explain: () => void}} views
 */
export function listenToKeys(player, opinions, { toggleQueue, explain }) {
  const help = document.getElementById("help");
  const search = document.getElementById("search").elements.query;
  const keys = {
    " ": () => player.toggle(),
    ArrowLeft: () => player.seek(player.audio.currentTime - STEP_S),
    ArrowRight: () => player.seek(player.audio.currentTime + STEP_S),
    n: () => player.next(),
    p: () => player.previous(),
    l: () => player.track && opinions.like(player.track),
    d: () => player.track && opinions.dislike(player.track),
    x: () => player.track && opinions.less(player.track),
    w: () => explain(),
    m: () => player.toggleMute(),
    q: () => toggleQueue(),
    "/": () => search.select(),
    "?": () => help.showModal(),
  };
  const shifted = {
    ArrowUp: () => player.setVolume(player.volume + VOLUME_STEP),
    ArrowDown: () => player.setVolume(player.volume - VOLUME_STEP),
  };

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const action = (event.shiftKey && shifted[event.key]) || (keys[event.key] ?? keys[event.key.toLowerCase()]);
    if (!action || isNeeded(event)) return;
    event.preventDefault();
    // A key held down is one wish, except where it leads on.
    if (!event.repeat || event.key.startsWith("Arrow")) action();
  });
}

function isNeeded(event) {
  const { target, key } = event;
  if (target.matches("input:not([type=range]), textarea, select") || target.closest("dialog, [popover]")) return true;
  if (target.matches("input[type=range]")) return key.startsWith("Arrow") && target.id !== "seek";
  return key === " " && target.matches("button, summary");
}
