/** How far from the familiar a listener wants to be led: a slider that is remembered. */
import { recall, remember } from "../api/storage.js";

const DEFAULT = 0.2;
const NAME = "adventure";
let chosen = DEFAULT; // where the browser remembers nothing

/** @returns {number} 0 to 1 */
export function adventure() {
  const value = recall(NAME);
  return typeof value === "number" && value >= 0 && value <= 1 ? value : chosen;
}

/** @param {() => void} changed */
export function showAdventure(changed) {
  const slider = document.getElementById("adventure");

  function show(value = adventure()) {
    slider.value = String(value);
    slider.style.setProperty("--filled", `${100 * value}%`);
    slider.setAttribute("aria-valuetext", `${Math.round(100 * value)} % adventurous`);
  }

  slider.addEventListener("input", () => show(Number(slider.value)));
  slider.addEventListener("change", () => {
    chosen = Number(slider.value);
    remember(NAME, chosen);
    changed();
  });
  show();
}
