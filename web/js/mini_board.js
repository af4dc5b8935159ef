/** A small board that only shows: one SVG, drawn from a FEN. */

/** @import { Color } from "./types.js" */

const SVG = "http://www.w3.org/2000/svg";
const PIECES = new URL("../vendor/cm-chessboard/assets/pieces/standard.svg", import.meta.url)
  .pathname;
const NAMES = /** @type {Record<string, string>} */ ({
  p: "pawn",
  n: "knight",
  b: "bishop",
  r: "rook",
  q: "queen",
  k: "king",
});

/**
 * @template {keyof SVGElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string | number>} attributes
 * @returns {SVGElementTagNameMap[T]}
 */
function svg(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}

/**
 * The pieces of a position, by square.
 *
 * @param {string} fen
 * @returns {{square: string, piece: string}[]} such as {square: "e1", piece: "K"}
 */
export function piecesOf(fen) {
  return fen
    .split(" ")[0]
    .split("/")
    .flatMap((rank, i) => {
      const row = rank.replace(/[1-8]/g, (count) => ".".repeat(Number(count)));
      return Array.from(row).flatMap((piece, file) =>
        piece === "." ? [] : [{ square: `${"abcdefgh"[file]}${8 - i}`, piece }],
      );
    });
}

/** The position in words. @param {string} fen */
export function positionWords(fen) {
  const words = (/** @type {boolean} */ white) =>
    piecesOf(fen)
      .filter(({ piece }) => (piece === piece.toUpperCase()) === white)
      .map(({ square, piece }) => `${NAMES[piece.toLowerCase()]} ${square}`)
      .join(", ");
  return `White: ${words(true)}. Black: ${words(false)}.`;
}

export class MiniBoard {
  #shown = "";

  /** @param {{label?: string}} [options] what the picture is of, for who cannot see it */
  constructor({ label } = {}) {
    this.label = label ?? "Board";
    this.element = svg("svg", { viewBox: "0 0 8 8", class: "mini", role: "img" });
    this.marks = svg("g", { class: "mini-marks" });
    this.men = svg("g", {});
    this.element.append(squares(), this.marks, this.men);
  }

  /**
   * @param {string} fen
   * @param {{lastMove?: string | null, bottom?: Color}} [options] lastMove as UCI
   */
  show(fen, { lastMove = null, bottom = "white" } = {}) {
    const key = `${fen} ${lastMove} ${bottom}`;
    if (key === this.#shown) return;
    this.#shown = key;
    this.element.dataset.fen = fen;
    this.element.setAttribute("aria-label", `${this.label}. ${positionWords(fen)}`);
    const ends = lastMove ? [lastMove.slice(0, 2), lastMove.slice(2, 4)] : [];
    this.marks.replaceChildren(
      ...ends.map((square) => svg("rect", { ...at(square, bottom), width: 1, height: 1 })),
    );
    this.men.replaceChildren(...piecesOf(fen).map((one) => man(one, bottom)));
  }
}

function squares() {
  const group = svg("g", {});
  for (let i = 0; i < 64; i++) {
    const [x, y] = [i % 8, i >> 3];
    const shade = (x + y) % 2 ? "mini-dark" : "mini-light";
    group.append(svg("rect", { x, y, width: 1, height: 1, class: shade }));
  }
  return group;
}

/** @param {string} square @param {Color} bottom */
function at(square, bottom) {
  const [file, rank] = ["abcdefgh".indexOf(square[0]), Number(square[1]) - 1];
  return bottom === "white" ? { x: file, y: 7 - rank } : { x: 7 - file, y: rank };
}

/** @param {{square: string, piece: string}} one @param {Color} bottom */
function man({ square, piece }, bottom) {
  const { x, y } = at(square, bottom);
  const name = (piece === piece.toUpperCase() ? "w" : "b") + piece.toLowerCase();
  const placed = `translate(${x} ${y}) scale(0.025)`;
  return svg("use", { href: `${PIECES}#${name}`, transform: placed, "data-square": square });
}
