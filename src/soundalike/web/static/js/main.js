/** Puts state and views together on a page. */
import { browser } from "./api/browser.js";
import { UserStorage } from "./api/storage.js";
import { createApp } from "./app.js";
import { showAdventure } from "./views/adventure_slider.js";
import { byId } from "./views/elements.js";
import { listenToKeys } from "./views/keys.js";
import { showInSystem } from "./views/media_session.js";
import { navigate } from "./views/navigation.js";
import { showHealth, showLogin } from "./views/notices.js";
import { showBar } from "./views/player_bar.js";
import { showQueue } from "./views/queue_panel.js";
import { showScan } from "./views/scan_line.js";
import { showSearch } from "./views/search.js";
import { announce, toast } from "./views/toasts.js";
import { showRows } from "./views/track_rows.js";
import { showWhy } from "./views/why_dialog.js";

// Before any of it is read again.
/** @type {NodeListOf<HTMLElement>} */
const forgotten = document.querySelectorAll("[data-forgotten]");
for (const { dataset } of forgotten) new UserStorage(browser, dataset.forgotten ?? "").forget();

const app = createApp({
  browser,
  fetch: (url, how) => fetch(url, how),
  audio: byId("audio", HTMLAudioElement),
  user: document.body.dataset.user ?? "",
  isLogApart: "apart" in byId("log-notice").dataset,
  isAdmin: "admin" in document.body.dataset,
  say: toast,
  announce,
});
const why = showWhy(app);
const explain = () => why(app.queue.currentEntry);
/** @type {(() => void)[]} */
const shown = [];
const { visit, overPage } = navigate(() => shown.forEach((show) => show()));

showBar(app, explain);
showAdventure(app);
showLogin(app);
showHealth(app);
showInSystem(app);
listenToKeys(app, { toggleQueue: showQueue(app, why, overPage), explain });
const markRows = showRows(app, visit);
shown.push(showSearch(visit, markRows), markRows, showScan(app, visit));

// A picture that does not load leaves its place empty, without a broken sign, until another loads.
for (const event of ["error", "load"]) {
  document.addEventListener(event, ({ target }) => target instanceof HTMLImageElement && target.classList.toggle("is-missing", event === "error"), true);
}
