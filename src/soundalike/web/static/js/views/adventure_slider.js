/** A slider for how far from the familiar recommendations may go. */
import { byId } from "./elements.js";
/** @import { App } from "../app.js" */

/** @param {App} app */
export function showAdventure({ adventure, autoQueue }) {
  const slider = byId("adventure", HTMLInputElement);

  function show(value = adventure.value) {
    slider.value = String(value);
    slider.style.setProperty("--filled", `${100 * value}%`);
    slider.setAttribute("aria-valuetext", `${Math.round(100 * value)} % adventurous`);
  }

  slider.addEventListener("input", () => show(Number(slider.value)));
  slider.addEventListener("change", () => {
    adventure.value = Number(slider.value);
    autoQueue.refresh();
  });
  show();
}
