/** How numbers and names read on the page. */

/** @import { Color, Side } from "./types.js" */

/** @param {string} hex @returns {string} such as 0x12ab…89ef */
export const short = (hex) => (hex.length > 14 ? `${hex.slice(0, 6)}…${hex.slice(-4)}` : hex);

/** @param {number} value @returns {string} such as 412,345 */
export const grouped = (value) => value.toLocaleString("en-US");

/** @param {number} value @returns {string} such as 1.8 s */
export const seconds = (value) => `${Math.max(0, value).toFixed(value < 10 ? 1 : 0)} s`;

/** @param {string} text @returns {string} the same as a sentence */
export function sentence(text) {
  const trimmed = text.trim();
  const end = /[.!?…]$/.test(trimmed) ? "" : ".";
  return `${trimmed.slice(0, 1).toUpperCase()}${trimmed.slice(1)}${end}`;
}

/** @param {number} value seconds @returns {string} such as 42 s, 3 min 5 s or 2 h 10 min */
export function duration(value) {
  const whole = Math.max(0, Math.round(value));
  const [hours, minutes, rest] = [
    Math.floor(whole / 3600),
    Math.floor(whole / 60) % 60,
    whole % 60,
  ];
  if (hours) return `${hours} h ${minutes} min`;
  return minutes ? `${minutes} min ${rest} s` : `${rest} s`;
}

/** @param {number} left seconds @returns {string} such as 9:05, or 0:08.3 near the end */
export function clockText(left) {
  const value = Math.max(0, left);
  if (value < 20) return `0:${(Math.floor(value * 10) / 10).toFixed(1).padStart(4, "0")}`;
  const whole = Math.floor(value);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** @param {number} at unix seconds @returns {string} such as 17:03:21 */
export const timeOfDay = (at) => new Date(at * 1000).toLocaleTimeString("en-GB");

/** @param {Side} side */
export const sideName = (side) =>
  side.kind === "bot" ? side.name : `Player ${short(side.address)}`;

/** @param {Color} color */
export const capital = (color) => (color === "white" ? "White" : "Black");
