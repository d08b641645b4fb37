/** Everything together. */
import { showAdventure } from "./adventure.js";
import { showBar } from "./bar.js";
import { Delivery } from "./delivery.js";
import { showHealth } from "./health.js";
import { keepAccount } from "./hearing.js";
import { Judgements } from "./judgements.js";
import { listenToKeys } from "./keys.js";
import { showLogin } from "./login.js";
import { forgetListener } from "./memory.js";
import { navigate } from "./navigation.js";
import { Opinions, showOpinions } from "./opinions.js";
import { Outbox } from "./outbox.js";
import { showPanel } from "./panel.js";
import { Player } from "./player.js";
import { ProfileWatch } from "./profile.js";
import { showRows } from "./rows.js";
import { showSearch } from "./search.js";
import { tellSystem } from "./session.js";
import { toast } from "./toasts.js";
import { showWhy } from "./why.js";

// Before anything of it is taken up again.
for (const { dataset } of document.querySelectorAll("[data-forgotten]")) forgetListener(dataset.forgotten);

const audio = document.getElementById("audio");
const outbox = new Outbox(toast);
const profile = new ProfileWatch(audio);
const judgements = new Judgements(outbox, profile);
const delivery = new Delivery(outbox, profile, (text) => {
  toast(text);
  judgements.load(); // What was let go was believed.
});
const player = new Player(audio, toast, delivery);
const opinions = new Opinions(player, judgements, record, toast);
const why = showWhy();
const explain = () => why(player.queue.currentEntry);
const shown = [];
const visit = navigate(() => shown.forEach((show) => show()));

/** Keep what was done, send it, and let what comes next follow from it. */
function record(kind, trackId, seconds = null) {
  outbox.put(kind, trackId, seconds === null ? null : Math.round(1000 * seconds));
  delivery.deliver();
  if (kind !== "started") player.guide.refresh();
}

showBar(player);
showOpinions(opinions, explain);
showAdventure(() => player.guide.refresh());
showLogin(delivery);
showHealth(delivery, profile, player);
keepAccount(player, record);
tellSystem(player);
listenToKeys(player, opinions, { toggleQueue: showPanel(player, why), explain });
const markRows = showRows(player, opinions, visit);
shown.push(showSearch(visit), markRows);
document.addEventListener("rows", markRows);
addEventListener("online", () => player.guide.recover());
delivery.addEventListener("taken", () => player.guide.recover());
delivery.deliver();

// A picture that does not come leaves its place empty, without a broken sign, until another comes.
for (const event of ["error", "load"]) {
  document.addEventListener(event, ({ target }) => target instanceof HTMLImageElement && target.classList.toggle("is-missing", event === "error"), true);
}
