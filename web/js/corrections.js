/** What was shown and does not hold, in words. */

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
  return `${number}${line[ply + 1]?.move?.san ?? ""}`;
}

/** @param {string} text @returns {string} the same as a sentence */
function sentence(text) {
  const trimmed = text.trim();
  const ending = /[.!?]$/.test(trimmed) ? "" : ".";
  return trimmed ? ` ${trimmed[0].toUpperCase()}${trimmed.slice(1)}${ending}` : "";
}

/** @type {Record<CorrectionData["cause"], (move: string) => string>} */
const WHY = {
  reorg: (move) => `The chain lost blocks, and ${move} with them`,
  refused: (move) => `The contract refused ${move}`,
  unprovable: (move) => `There is no proof of ${move}`,
  other_move: (move) => `Another move was played instead of ${move}`,
  ended: (move) => `The game ended before ${move} was on the chain`,
};

/**
 * A correction that the server tells, about the line that was shown until now.
 *
 * @param {Position[]} line
 * @param {CorrectionData} data
 * @returns {Correction}
 */
export function told(line, { ply, cause, message, at }) {
  const why = WHY[cause]?.(moveName(line, ply)) ?? `${moveName(line, ply)} does not hold`;
  const later = line.length - 1 - (ply + 1);
  const rest = [`, nor does the move after it`, `, nor do the ${later} moves after it`];
  const text = `${why}: what was shown of it does not hold${later > 0 ? rest[Math.min(later, 2) - 1] : ""}.${sentence(message)}`;
  return { ply, text, at, followed: false };
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
  const ply = shown.findIndex(({ index, stage }, i) => {
    const same = moves[i]?.index === index;
    return !same || (stage === "verified" && moves[i].stage !== "verified");
  });
  if (ply < 0 || shown[ply].stage === "rejected") return null;
  const text = `What was shown from ${moveName(line, ply)} on does not hold any more.`;
  return { ply, text, at: null, followed: true };
}
