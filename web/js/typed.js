/** Moves as people type them: Nf3, nf3, exd5, ed5, O-O, 0-0, e8=Q, e8q, g1f3, e7e8q. */
import { indexOf, legalMoves } from "./line.js";

/** @import { Move } from "../vendor/chess.js/chess.js" */

/** @param {string} text without what carries no meaning */
const plain = (text) => text.replace(/[\s+#!?=x:-]/g, "").replace(/0/g, "O");

/** The ways to write a move. @param {Move} move @returns {string[]} */
function namesOf({ san, lan, piece, from, to }) {
  const long = `${piece === "p" ? "" : piece.toUpperCase()}${from}${to}`; // Ng1f3
  const castling = san.startsWith("O") ? [] : [long];
  return [plain(san), lan, ...castling];
}

/**
 * The move that a text means.
 *
 * @param {string} fen
 * @param {string} text
 * @returns {{index: number, san: string} | {fault: string}} the fault is one line for the person
 */
export function typedMove(fen, text) {
  const wanted = plain(text);
  const moves = wanted ? legalMoves(fen) : [];
  const exact = moves.filter((move) => namesOf(move).includes(wanted));
  // bxc3 is a pawn's move, and only if there is none a bishop's
  const loose = moves.filter((move) =>
    namesOf(move).some((name) => name.toLowerCase() === wanted.toLowerCase()),
  );
  const [move, ...others] = exact.length ? exact : loose;
  if (move && !others.length) return { index: indexOf(move), san: move.san };
  if (others.length) {
    const names = [move, ...others].map(({ san }) => san).join(", ");
    return { fault: `${text.trim()} could be ${names}.` };
  }
  return { fault: faultOf(moves, wanted, text.trim()) };
}

/** @param {Move[]} moves @param {string} wanted @param {string} text */
function faultOf(moves, wanted, text) {
  const square = wanted.slice(-2);
  const same = moves.filter(({ san, to }) => to === square && san[0] === wanted[0]);
  if (same.length > 1) return `${text} could be ${same.map(({ san }) => san).join(", ")}.`;
  return text ? `${text} is no legal move here.` : "Type a move, such as Nf3 or g1f3.";
}

const NAMES = /** @type {Record<string, string>} */ ({
  K: "king",
  Q: "queen",
  R: "rook",
  B: "bishop",
  N: "knight",
});

/** A move in words, for screen readers. @param {string} san @returns {string} such as knight takes f3, check */
export function spoken(san) {
  const end = san.endsWith("#") ? ", checkmate" : san.endsWith("+") ? ", check" : "";
  if (san.startsWith("O-O-O")) return `castles long${end}`;
  if (san.startsWith("O-O")) return `castles short${end}`;
  const [, piece = "", from = "", takes = "", to = "", promoted = ""] =
    /^([KQRBN]?)([a-h]?[1-8]?)(x?)([a-h][1-8])(?:=([QRBN]))?/.exec(san) ?? [];
  const words = [
    NAMES[piece] ?? (takes ? "pawn" : ""),
    from,
    takes ? "takes" : "",
    to,
    promoted ? `makes a ${NAMES[promoted]}` : "",
  ];
  return words.filter(Boolean).join(" ") + end;
}
