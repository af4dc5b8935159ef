/** A move made while the other side thinks: played at once when its turn comes, if it is legal then. */
import { indexOf, legalMoves } from "./line.js";

/** @import { Color } from "./types.js" */

/** @typedef {{from: string, to: string}} Premove a pawn that arrives becomes a queen */

/** @param {string} fen @param {string} square @returns {string} such as P or k; empty for none */
export function manOn(fen, square) {
  const rank = fen.split(" ")[0].split("/")[8 - Number(square[1])];
  let file = "abcdefgh".indexOf(square[0]);
  for (const letter of rank) {
    if (file === 0 && !(letter >= "1" && letter <= "8")) return letter;
    file -= letter >= "1" && letter <= "8" ? Number(letter) : 1;
    if (file < 0) return "";
  }
  return "";
}

/** @param {string} from @param {string} to files and ranks between, not signed */
function apart(from, to) {
  return {
    files: Math.abs(to.charCodeAt(0) - from.charCodeAt(0)),
    ranks: Math.abs(Number(to[1]) - Number(from[1])),
  };
}

/** @type {Record<string, (from: string, to: string, color: Color) => boolean>} */
const REACHES = {
  n: (from, to) => apart(from, to).files * apart(from, to).ranks === 2,
  b: (from, to) => apart(from, to).files === apart(from, to).ranks,
  r: (from, to) => apart(from, to).files * apart(from, to).ranks === 0,
  q: (from, to) => REACHES.b(from, to, "white") || REACHES.r(from, to, "white"),
  k: (from, to, color) => {
    const { files, ranks } = apart(from, to);
    const castles =
      from === `e${color === "white" ? 1 : 8}` && ranks === 0 && "acgh".includes(to[0]);
    return (files <= 1 && ranks <= 1) || castles;
  },
  p: (from, to, color) => {
    const up = (Number(to[1]) - Number(from[1])) * (color === "white" ? 1 : -1);
    const { files } = apart(from, to);
    const home = from[1] === (color === "white" ? "2" : "7");
    return (up === 1 && files <= 1) || (up === 2 && files === 0 && home);
  },
};

/**
 * Where a man could go if the board were empty or full as it likes.
 *
 * @param {string} fen
 * @param {string} from
 * @param {Color} color whose man it has to be
 * @returns {string[]}
 */
export function premoveTargets(fen, from, color) {
  const man = manOn(fen, from);
  if (!man || (man === man.toUpperCase()) !== (color === "white")) return [];
  const reaches = REACHES[man.toLowerCase()];
  const squares = [..."12345678"].flatMap((rank) => [..."abcdefgh"].map((file) => file + rank));
  return squares.filter((to) => to !== from && reaches(from, to, color));
}

/**
 * The policy index that a premove has now.
 *
 * @param {string} fen with its owner to move
 * @param {Premove} premove
 * @returns {number | null} null if it is not legal
 */
export function premoveIndex(fen, { from, to }) {
  const castled = /** @type {Record<string, string>} */ ({ a: "c", h: "g" });
  const moves = legalMoves(fen, from);
  const found =
    moves.find((move) => move.to === to && (!move.promotion || move.promotion === "q")) ??
    moves.find(
      (move) =>
        (move.isKingsideCastle() || move.isQueensideCastle()) &&
        move.to === `${castled[to[0]]}${to[1]}`,
    );
  return found ? indexOf(found) : null;
}
