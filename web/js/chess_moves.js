/**
 * The 1858 moves a net can name, in Lc0's order, and their meaning on a board.
 *
 * An index names a move as its mover sees it: for Black the ranks are flipped.
 *
 *     0..1791     from-to pairs a queen or a knight could travel, by from-square, then by
 *                 to-square, both counted a1, b1, .. h1, a2, .. h8
 *     1792..1857  promotions to queen, rook and bishop: by from-file a..h on the seventh rank,
 *                 then by to-file, then q, r, b
 *
 * A bare from-to of a pawn onto the last rank is the knight promotion; castling is the king
 * taking his own rook (e1h1, e1a1).
 */

/** @import { Chess, Move } from "../vendor/chess.js/chess.js" */

export const POLICY_SIZE = 1858;

const FILES = "abcdefgh";
const PROMOTIONS = ["q", "r", "b"];

/** @param {number} square 0..63 */
const nameOf = (square) => `${FILES[square & 7]}${(square >> 3) + 1}`;

/** @param {number} from @param {number} to */
function isPolicyStep(from, to) {
  const files = Math.abs((to & 7) - (from & 7));
  const ranks = Math.abs((to >> 3) - (from >> 3));
  if (files * ranks === 2) return true;
  return from !== to && (files === 0 || ranks === 0 || files === ranks);
}

function allMoves() {
  const squares = Array.from({ length: 64 }, (_, square) => square);
  const plain = squares.flatMap((from) =>
    squares.filter((to) => isPolicyStep(from, to)).map((to) => nameOf(from) + nameOf(to)),
  );
  const promotions = Array.from(FILES).flatMap((file, i) =>
    Array.from(FILES.slice(Math.max(0, i - 1), i + 2)).flatMap((toFile) =>
      PROMOTIONS.map((piece) => `${file}7${toFile}8${piece}`),
    ),
  );
  return [...plain, ...promotions];
}

/** The mover-relative name of each index, such as `e2e4` or `a7a8q`. */
export const MOVES = Object.freeze(allMoves());

const INDEX = new Map(MOVES.map((name, index) => [name, index]));

/** @param {string} square @param {string} color */
const turned = (square, color) => (color === "w" ? square : `${square[0]}${9 - Number(square[1])}`);

/**
 * The policy index of a legal move of chess.js.
 *
 * @param {Move} move
 * @returns {number}
 */
export function moveIndex(move) {
  const to = castlingRook(move) ?? move.to;
  const promotion = move.promotion && move.promotion !== "n" ? move.promotion : "";
  const name = turned(move.from, move.color) + turned(to, move.color) + promotion;
  const index = INDEX.get(name);
  if (index === undefined) throw new RangeError(`no policy index for ${move.lan}`);
  return index;
}

/**
 * The legal move that an index names in a position, or null if there is none.
 *
 * @param {Chess} chess
 * @param {number} index
 */
export function indexMove(chess, index) {
  const name = MOVES[index];
  if (name === undefined) return null;
  const square = turned(name.slice(0, 2), chess.turn());
  const moves = chess.moves({ verbose: true, square });
  return moves.find((move) => moveIndex(move) === index) ?? null;
}

/**
 * The square of the rook that castles, or null for any other move.
 *
 * @param {Move} move
 */
export function castlingRook(move) {
  if (move.isKingsideCastle()) return `h${move.from[1]}`;
  return move.isQueensideCastle() ? `a${move.from[1]}` : null;
}
