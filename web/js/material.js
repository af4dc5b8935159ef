/** What was taken, read off the positions of a game. */

/** @import { Color } from "./types.js" */

/** @typedef {"p" | "n" | "b" | "r" | "q"} Man */

export const MEN = /** @type {Man[]} */ (["q", "r", "b", "n", "p"]);
const WORTH = { p: 1, n: 3, b: 3, r: 5, q: 9 };

/** @param {string} fen @param {Man} man @param {Color} color */
function count(fen, man, color) {
  const letter = color === "white" ? man.toUpperCase() : man;
  return fen.slice(0, fen.indexOf(" ")).split(letter).length - 1;
}

/**
 * How many men of each kind a colour has lost. A promotion is no loss: only the moves of the
 * other side count.
 *
 * @param {string[]} fens from the start of the game
 * @param {Color} color
 * @returns {Record<Man, number>}
 */
export function lost(fens, color) {
  const taken = { p: 0, n: 0, b: 0, r: 0, q: 0 };
  const mover = color === "white" ? "b" : "w";
  for (let i = 1; i < fens.length; i++) {
    if (fens[i - 1].split(" ")[1] !== mover) continue;
    for (const man of MEN)
      taken[man] += count(fens[i - 1], man, color) - count(fens[i], man, color);
  }
  return taken;
}

/** By how much White is ahead, in pawns. @param {string} fen */
export const balance = (fen) =>
  MEN.reduce(
    (sum, man) => sum + WORTH[man] * (count(fen, man, "white") - count(fen, man, "black")),
    0,
  );
