/** Everything together. */
import { showBar } from "./bar.js";
import { listenToKeys } from "./keys.js";
import { navigate } from "./navigation.js";
import { showPanel } from "./panel.js";
import { Player } from "./player.js";
import { showRows } from "./rows.js";
import { showSearch } from "./search.js";
import { tellSystem } from "./session.js";
import { toast } from "./toasts.js";

const player = new Player(document.getElementById("audio"), toast);
const shown = [];
const visit = navigate(() => shown.forEach((show) => show()));
showBar(player);
tellSystem(player);
listenToKeys(player, showPanel(player));
const markRows = showRows(player, visit);
shown.push(showSearch(visit), markRows);
document.addEventListener("rows", markRows);

// A picture that does not come leaves its place empty, without a broken sign, until another comes.
for (const event of ["error", "load"]) {
  document.addEventListener(event, ({ target }) => target instanceof HTMLImageElement && target.classList.toggle("is-missing", event === "error"), true);
}
