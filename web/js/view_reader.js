/** The game as text: the last move in words, the list of moves, the board as a table. */
import { byId, h, setText } from "./dom.js";
import { capital } from "./format.js";
import { moveName } from "./corrections.js";
import { firstPlyOf, turnOf } from "./line.js";
import { manOn } from "./premove.js";
import { bottomColor, shownPosition } from "./state.js";
import { spoken } from "./typed.js";

/** @import { State } from "./state.js" */

const FILES = [..."abcdefgh"];
const RANKS = [..."87654321"];
const MEN = /** @type {Record<string, string>} */ ({
  p: "pawn",
  n: "knight",
  b: "bishop",
  r: "rook",
  q: "queen",
  k: "king",
});

/** @param {string} letter of a FEN */
const manName = (letter) =>
  letter
    ? `${letter === letter.toUpperCase() ? "white" : "black"} ${MEN[letter.toLowerCase()]}`
    : "";

export class Reader {
  #drawn = "";

  /** @param {State} state */
  render(state) {
    const { fen, move } = shownPosition(state);
    const key = `${fen} ${state.line.length} ${bottomColor(state)}`;
    if (key === this.#drawn) return;
    this.#drawn = key;
    const color = turnOf(fen) === "black" ? "white" : "black";
    const last = move ? `${capital(color)}: ${spoken(move.san)}.` : "The first position.";
    setText(byId("reader-last", HTMLElement), last);
    setText(byId("reader-moves", HTMLElement), movesText(state));
    byId("reader-board", HTMLElement).replaceChildren(
      boardTable(fen, bottomColor(state) === "black"),
    );
  }
}

/** @param {State} state */
function movesText({ line }) {
  const first = firstPlyOf(line);
  const names = line
    .slice(1)
    .map(({ move }, i) => ((first + i) % 2 && i ? (move?.san ?? "") : moveName(line, first + i)));
  return names.length ? `Moves: ${names.join(" ")}` : "No moves yet.";
}

/** @param {string} fen @param {boolean} turned */
function boardTable(fen, turned) {
  const files = turned ? [...FILES].reverse() : FILES;
  const ranks = turned ? [...RANKS].reverse() : RANKS;
  const head = h("tr", {}, h("td", {}), ...files.map((file) => h("th", { scope: "col" }, file)));
  const rows = ranks.map((rank) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, rank),
      ...files.map((file) => h("td", {}, manName(manOn(fen, file + rank)))),
    ),
  );
  const caption = h("caption", {}, "The board as a table");
  return h("table", { "data-testid": "reader-board" }, caption, head, ...rows);
}
