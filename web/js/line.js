/**
 * A game's moves replayed by the page itself: the rules from chess.js, the index from the policy
 * map, the history from keccak. What the server says is compared with it, never trusted.
 */
import { Chess } from "../vendor/chess.js/chess.js";
import { indexMove, moveIndex } from "./chess_moves.js";
import { START } from "./encoding.js";
import { nextHistory } from "./signing.js";

/** @import { Move } from "../vendor/chess.js/chess.js" */
/** @import { Color, MoveRecord } from "./types.js" */

/**
 * @typedef {object} Position a position of the game and the move that led to it
 * @property {string} fen
 * @property {string} history
 * @property {{san: string, uci: string, from: string, to: string, index: number} | null} move
 */

/** A record that the rules or the hashes contradict. */
export class RecordFault extends Error {
  name = "RecordFault";
}

/**
 * Where a game begins.
 *
 * @param {string} game
 * @param {string} [fen] from startFen, for a game from another position than the usual one
 * @returns {Position}
 */
export const startOf = (game, fen = START) => ({ fen, history: game, move: null });

/**
 * A position that somebody gives as a FEN, written as a game can begin there: whether one may, the
 * arena and the contract say.
 *
 * @param {string} fen
 * @returns {string}
 * @throws {Error} if it is no FEN
 */
export function asStart(fen) {
  const fields = new Chess(fen.trim()).fen().split(" "); // en passant only if it is legal
  return [...fields.slice(0, 5), "1"].join(" ");
}

/**
 * The position before a ply, if the line has it.
 *
 * @param {Position[]} line
 * @param {number} ply
 * @returns {Position | undefined}
 */
export const atPly = (line, ply) => line[ply - firstPlyOf(line)];

/** The number of a line's first ply: White's are even. @param {Position[]} line @returns {0 | 1} */
export const firstPlyOf = (line) => (turnOf(line[0].fen) === "black" ? 1 : 0);

/**
 * The position after an index.
 *
 * @param {Position} position
 * @param {number} index
 * @returns {Position | null} null if no legal move has that index
 */
export function after(position, index) {
  const chess = new Chess(position.fen);
  const move = indexMove(chess, index);
  if (!move) return null;
  const { san, lan: uci, from, to, after: fen } = move;
  const history = nextHistory(position.history, index);
  return { fen, history, move: { san, uci, from, to, index } };
}

/**
 * The position after a record of the server.
 *
 * @param {Position} position
 * @param {MoveRecord} record
 * @throws {RecordFault} if the record is not what its index means here
 */
export function follow(position, record) {
  const next = after(position, record.index);
  const name = `Ply ${record.ply + 1} (${record.uci.slice(0, 5)})`;
  if (!next?.move) throw new RecordFault(`${name} is not legal here.`);
  if (record.uci !== next.move.uci) {
    throw new RecordFault(`${name} is not the move that its index names.`);
  }
  if (next.history !== record.history.toLowerCase()) {
    throw new RecordFault(`${name} has another history hash than its moves.`);
  }
  if (samePosition(next.fen) !== samePosition(record.fen)) {
    throw new RecordFault(`${name} leads to another position than the server shows.`);
  }
  return next;
}

/** Placement, mover and castling; writers of FEN disagree on the en-passant field. @param {string} fen */
const samePosition = (fen) => fen.split(" ").slice(0, 3).join(" ");

/** @param {string} fen @returns {Color} */
export const turnOf = (fen) => (fen.split(" ")[1] === "b" ? "black" : "white");

/** @param {string} fen @param {string} [square] @returns {Move[]} */
export const legalMoves = (fen, square) => new Chess(fen).moves({ verbose: true, square });

/** @param {Move} move */
export const indexOf = (move) => moveIndex(move);

/**
 * The square of the king in check, or null.
 *
 * @param {string} fen
 */
export function checkedKing(fen) {
  const chess = new Chess(fen);
  return chess.inCheck() ? chess.findPiece({ color: chess.turn(), type: "k" })[0] : null;
}

/** @param {string} fen whether there is no move left, or nothing left to mate with */
export function isFinal(fen) {
  const chess = new Chess(fen);
  return chess.isCheckmate() || chess.isStalemate() || chess.isInsufficientMaterial();
}

/**
 * What draw the mover could claim at the end of a line.
 *
 * @param {Position[]} line from the start of the game
 * @returns {"threefold" | "fifty" | null}
 */
export function drawClaim(line) {
  const last = line.length - 1;
  if (repetitions(line, last) >= 2) return "threefold";
  return Number(line[last].fen.split(" ")[4]) >= 100 ? "fifty" : null;
}

/**
 * How often a position of a line occurred before.
 *
 * @param {Position[]} line from the start of the game
 * @param {number} at an index of the line
 */
export function repetitions(line, at) {
  // chess.js sets the en-passant field only when such a capture is legal, as the contract does
  const key = (/** @type {string} */ fen) => fen.split(" ").slice(0, 4).join(" ");
  return line.slice(0, at).filter(({ fen }) => key(fen) === key(line[at].fen)).length;
}
