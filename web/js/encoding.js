/**
 * A position as the two integers that a proof is about, seen by its mover: for Black the board is
 * turned, ranks flipped and colours swapped.
 *
 *     board word, 256 bits: four bits a square, square s (a1 = 0, b1 = 1, .. h8 = 63) at bit 4s
 *         0 empty    1..6 own P N B R Q K    7..12 their P N B R Q K
 *     context word, 20 bits:
 *         bits 0..3    castling: own O-O, own O-O-O, their O-O, their O-O-O
 *         bits 4..7    en-passant file + 1, 0 for none; set only when such a capture is legal
 *         bits 8..9    earlier occurrences of this position, 0..2 (2 means two or more)
 *         bits 10..17  halfmove clock of the fifty-move rule, at most 255
 *
 * Where a game begins is signed as these two words, the second with bit 20 set if Black moves
 * first; both zero are the usual position.
 */

/** @import { Open } from "./types.js" */

const PIECES = "pnbrqk";
const BLACK_FIRST = 1 << 20;
const FILES = "abcdefgh";

/** The usual starting position. */
export const START = "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1";

/** @param {string} fen @returns {bigint} */
export function boardWord(fen) {
  const [placement, turn] = fen.split(" ");
  let word = 0n;
  for (const [i, rank] of placement.split("/").entries()) {
    let file = 0;
    for (const letter of rank) {
      if (letter >= "1" && letter <= "8") {
        file += Number(letter);
        continue;
      }
      const piece = letter.toLowerCase();
      const own = (letter === piece ? "b" : "w") === turn;
      const code = PIECES.indexOf(piece) + (own ? 1 : 7);
      const square = 8 * (turn === "w" ? 7 - i : i) + file;
      word |= BigInt(code) << BigInt(4 * square);
      file += 1;
    }
  }
  return word;
}

/**
 * @param {string} fen with an en-passant square only if such a capture is legal
 * @param {number} repetitions how often the position occurred before
 * @returns {number}
 */
export function contextWord(fen, repetitions) {
  const [, turn, castling, enPassant, halfmoves] = fen.split(" ");
  const rights = turn === "w" ? "KQkq" : "kqKQ";
  let word = 0;
  for (const [bit, right] of [...rights].entries()) {
    if (castling.includes(right)) word |= 1 << bit;
  }
  if (enPassant !== "-") word |= (FILES.indexOf(enPassant[0]) + 1) << 4;
  return word | (Math.min(repetitions, 2) << 8) | (Math.min(Number(halfmoves), 255) << 10);
}

/**
 * The fields of an opening that say where its game begins.
 *
 * @param {string} fen as for contextWord
 * @returns {{start: string, startContext: number}}
 */
export function startWords(fen) {
  if (fen === START) return { start: hexWord(0n), startContext: 0 };
  const first = fen.split(" ")[1] === "b" ? BLACK_FIRST : 0;
  return { start: hexWord(boardWord(fen)), startContext: contextWord(fen, 0) | first };
}

/**
 * The position at which a signed game begins; its first move has the number 1.
 *
 * @param {Pick<Open, "start" | "startContext">} open
 * @returns {string} a FEN
 */
export function startFen({ start, startContext = 0 }) {
  const word = BigInt(start);
  if (word === 0n && startContext === 0) return START;
  const black = firstPly({ startContext }) === 1;
  const rights = [...(black ? "kqKQ" : "KQkq")].filter((_, bit) => (startContext >> bit) & 1);
  const file = (startContext >> 4) & 15;
  return [
    placement(word, black),
    black ? "b" : "w",
    rights.sort().join("") || "-",
    file ? `${FILES[file - 1]}${black ? 3 : 6}` : "-",
    (startContext >> 10) & 255,
    1,
  ].join(" ");
}

/**
 * The number of a game's first ply: plies of White are even.
 *
 * @param {Pick<Open, "startContext">} open
 * @returns {0 | 1}
 */
export const firstPly = ({ startContext = 0 }) => (startContext & BLACK_FIRST ? 1 : 0);

/** @param {bigint} word @param {boolean} turned whether its squares are Black's */
function placement(word, turned) {
  const ranks = Array.from({ length: 8 }, (_, i) => {
    const rank = turned ? i : 7 - i;
    return Array.from({ length: 8 }, (__, file) => {
      const code = Number((word >> BigInt(4 * (8 * rank + file))) & 15n);
      if (code === 0) return " ";
      const letter = PIECES[(code - 1) % 6] ?? "?";
      return code <= 6 === turned ? letter : letter.toUpperCase();
    }).join("");
  });
  return ranks.map((rank) => rank.replace(/ +/g, (gap) => String(gap.length))).join("/");
}

/** @param {bigint} value @returns {string} */
const hexWord = (value) => `0x${value.toString(16).padStart(64, "0")}`;
