/** Small texts that several modules show. */

/** How long a short message is shown. */
export const SHOWN_MS = 6000;
const MAX_TITLE = 60;
const [ISOLATE, END_ISOLATE] = ["\u2068", "\u2069"];
const UNITS = /** @type {const} */ ([
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
]);

/** @param {number} seconds */
export function clock(seconds) {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.floor(seconds)) : 0;
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** A title in quotes for use in a sentence: cut short, and unable to turn the text around it. @param {string} title */
export function named(title) {
  const characters = [...title];
  const cut = characters.length > MAX_TITLE ? `${characters.slice(0, MAX_TITLE - 1).join("")}…` : title;
  return `“${ISOLATE}${cut}${END_ISOLATE}”`;
}

const MOMENT = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });

/** A date with its time, where this device is. @param {number} ms  since 1970 */
export const moment = (ms) => MOMENT.format(ms);

/** How long ago a time was, in words. @param {string} at  as the API writes times @param {number} nowMs */
export function ago(at, nowMs) {
  const seconds = (nowMs - Date.parse(at)) / 1000;
  const [unit, length] = UNITS.find(([, size]) => seconds >= size) ?? [];
  return unit ? new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(-Math.round(seconds / length), unit) : "just now";
}
