/** Small words and pieces of page that several modules show. */

/** @param {number} seconds */
export function clock(seconds) {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.floor(seconds)) : 0;
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

const MAX_SAID = 60;
const [ISOLATE, END_ISOLATE] = ["\u2068", "\u2069"];

/** A title that can be said in a sentence, which it can neither fill nor turn around. */
export function named(title) {
  const characters = [...title];
  const cut = characters.length > MAX_SAID ? `${characters.slice(0, MAX_SAID - 1).join("")}…` : title;
  return `“${ISOLATE}${cut}${END_ISOLATE}”`;
}

const UNITS = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

/** How long ago a time was, in words. @param {string} at  as the API writes times */
export function ago(at) {
  const seconds = (Date.now() - Date.parse(at)) / 1000;
  const [unit, length] = UNITS.find(([, size]) => seconds >= size) ?? [];
  return unit ? new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(-Math.round(seconds / length), unit) : "just now";
}

/** @returns {HTMLElement} an element with text, whatever the text holds */
export function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

/** Text from tags, kept from turning the line around it. */
export function bdi(text) {
  return element("bdi", "", text);
}

/** @returns {HTMLButtonElement} a button that shows an icon and is called by its label */
export function iconButton(name, what, label) {
  const button = element("button", "icon-button");
  button.type = "button";
  button.dataset.do = what;
  button.setAttribute("aria-label", label);
  button.append(icon(name));
  return button;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${document.body.dataset.icons}#${name}`);
  svg.append(use);
  return svg;
}
