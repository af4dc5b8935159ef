/** What was shown and does not hold, in words. */

import { sentence } from "./format.js";
import { atPly, firstPlyOf } from "./line.js";

/** @import { Position } from "./line.js" */
/** @import { CorrectionData, MoveRecord } from "./types.js" */

/**
 * @typedef {object} Correction
 * @property {number} ply the first that does not hold
 * @property {string} text
 * @property {number | null} at unix seconds; null for one that the page found by itself
 * @property {boolean} followed whether the game as it really is came after it
 */

/**
 * @param {Position[]} line
 * @param {number} ply -1 is the opening
 * @returns {string} such as 3.Nf3 or 3…Na6
 */
export function moveName(line, ply) {
  if (ply < 0) return "the opening";
  const number = `${Math.floor(ply / 2) + 1}${ply % 2 ? "…" : "."}`;
  return `${number}${atPly(line, ply + 1)?.move?.san ?? ""}`;
}

/** @type {Record<CorrectionData["cause"], (message: string) => string>} */
const WHY = {
  reorg: (message) => message || "the chain lost blocks",
  refused: (message) =>
    message.includes("refused") ? message : `the contract refused it: ${message}`,
  unprovable: (message) => `it could not be proven: ${message}`,
  other_move: (message) => message || "another move has landed",
  ended: (message) => message || "the game ended before this move",
};

/**
 * A correction that the server tells, about the line that was shown until now.
 *
 * @param {Position[]} line
 * @param {CorrectionData} data
 * @returns {Correction}
 */
export function told(line, { ply, cause, message, at }) {
  const why = WHY[cause]?.(message) ?? message;
  return { ply, text: sentence(`${subject(line, ply, cause)}${why}`), at, followed: false };
}

/** @param {Position[]} line @param {number} ply @param {string} cause what a correction is about */
function subject(line, ply, cause) {
  const [name, later] = [moveName(line, ply), firstPlyOf(line) + line.length - 2 - ply];
  if (later > 1) return `${name} and the ${later} moves after it do not hold as shown: `;
  if (later === 1) return `${name} and the move after it do not hold as shown: `;
  if (later === 0) return `${name} does not hold as shown: `;
  return cause === "refused" ? "" : "the game’s end does not hold as shown: "; // after all moves
}

/**
 * A correction that nobody told: the page was not there when it came.
 *
 * @param {Position[]} line that was shown
 * @param {MoveRecord[]} shown
 * @param {MoveRecord[]} moves as they are now
 * @returns {Correction | null} null if everything shown still holds, or was told already
 */
export function found(line, shown, moves) {
  const at = shown.findIndex(({ index, stage }, i) => {
    const same = moves[i]?.index === index;
    return !same || (stage === "verified" && moves[i].stage !== "verified");
  });
  if (at < 0 || shown[at].stage === "rejected") return null;
  const ply = firstPlyOf(line) + at;
  const text = `What was shown from ${moveName(line, ply)} on does not hold any more.`;
  return { ply, text, at: null, followed: true };
}
