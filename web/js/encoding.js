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
 */

const PIECES = "pnbrqk";

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
  if (enPassant !== "-") word |= ("abcdefgh".indexOf(enPassant[0]) + 1) << 4;
  return word | (Math.min(repetitions, 2) << 8) | (Math.min(Number(halfmoves), 255) << 10);
}
