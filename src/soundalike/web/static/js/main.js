/** Everything together. */
import { showAdventure } from "./views/adventure_slider.js";
import { showBar } from "./views/player_bar.js";
import { Delivery } from "./state/delivery.js";
import { showHealth } from "./views/health_notice.js";
import { keepAccount } from "./state/play_tracker.js";
import { Judgements } from "./state/judgements.js";
import { listenToKeys } from "./views/keys.js";
import { showLogin } from "./views/login_notice.js";
import { forgetListener } from "./api/storage.js";
import { navigate } from "./views/navigation.js";
import { Opinions, showOpinions } from "./state/opinions.js";
import { Outbox } from "./state/outbox.js";
import { showPanel } from "./views/queue_panel.js";
import { Player } from "./state/player.js";
import { ProfileWatch } from "./state/profile_watch.js";
import { showRows } from "./views/track_rows.js";
import { showSearch } from "./views/search.js";
import { tellSystem } from "./views/media_session.js";
import { toast } from "./views/toasts.js";
import { showWhy } from "./views/why_dialog.js";

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
