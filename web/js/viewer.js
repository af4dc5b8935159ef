/** A game to look at: board, sides with clocks, moves with their proofs; nothing can be played. */
import { timeLeft } from "./clocks.js";
import { byId, h, renewItems, setText } from "./dom.js";
import { clockText, sideName } from "./format.js";
import { MiniBoard } from "./mini_board.js";
import { numberOf } from "./proof_drawer.js";
import { describe } from "./describe.js";
import { proofCount, shownPosition } from "./state.js";

/** @import { State } from "./state.js" */
/** @import { Color, MoveRecord } from "./types.js" */

/** @type {Color[]} */
const COLORS = ["black", "white"]; // from the top

/**
 * @typedef {object} Choices what the viewer of a page can do
 * @property {(position: number) => void} [onShow] called with an index of the line
 * @property {(ply: number) => void} [onProof] called with the ply of a bot's move
 */

const MARK = { verified: "✓", rejected: "✗" };

export class Viewer {
  #movesOf = "";
  /** @type {Map<Color, {side: HTMLElement, clock: HTMLElement}>} */
  #sides = new Map();

  /**
   * The page has #board, #side-white, #side-black, and may have #moves, #status, #proofs.
   *
   * @param {Choices} [choices]
   */
  constructor(choices = {}) {
    this.choices = choices;
    this.board = new MiniBoard();
    byId("board", HTMLElement).replaceChildren(this.board.element);
    for (const color of COLORS) {
      const clock = h("span", { class: "clock", "data-testid": `clock-${color}`, role: "timer" });
      const side = byId(`side-${color}`, HTMLElement);
      this.#sides.set(color, { side, clock });
    }
    this.moves = document.getElementById("moves");
  }

  /** @param {State} state @param {number} now unix seconds */
  render(state, now) {
    const { snapshot } = state;
    if (!snapshot) return;
    const position = shownPosition(state);
    this.board.show(position.fen, { lastMove: position.move?.uci });
    for (const color of COLORS) this.#side(state, color);
    this.#moves(state);
    const status = document.getElementById("status");
    if (status) setText(status, describe(state).headline);
    const proofs = document.getElementById("proofs");
    const { verified, total } = proofCount(state);
    if (proofs) setText(proofs, `${verified} of ${total} bot moves proven and verified on chain`);
    this.tick(state, now);
  }

  /** Bring the clocks up to date. @param {State} state @param {number} now unix seconds */
  tick({ snapshot }, now) {
    if (!snapshot) return;
    for (const color of COLORS) {
      const clock = this.#sides.get(color)?.clock;
      if (clock)
        setText(
          clock,
          clockText(timeLeft(snapshot.clocks, color, now, snapshot.clock.delaySeconds)),
        );
    }
  }

  /** @param {State} state @param {Color} color */
  #side({ snapshot }, color) {
    const place = this.#sides.get(color);
    if (!snapshot || !place) return;
    const { side, clock } = place;
    side.dataset.running = String(snapshot.clocks.running === color);
    const who = snapshot[color];
    const name = sideName(who);
    if (side.dataset.name === name) return;
    side.dataset.name = name;
    side.replaceChildren(
      h("span", { class: `disc ${color}`, "aria-hidden": "true" }),
      h("span", { class: "name" }, name),
      ...(who.kind === "bot" ? [h("span", { class: "tag" }, "bot")] : []),
      h("span", { class: "spacer" }),
      clock,
    );
  }

  /** @param {State} state */
  #moves(state) {
    const { snapshot, line } = state;
    const list = this.moves;
    if (!list || !snapshot) return;
    const at = (state.shown ?? line.length - 1) - 1;
    const key = `${snapshot.game} ${at} ${snapshot.moves.map((m) => m.stage[0] + m.index).join()}`;
    if (key === this.#movesOf) return;
    this.#movesOf = key;
    list.querySelector("[aria-current]")?.removeAttribute("aria-current");
    const items = snapshot.moves.map((record, i) => this.#move(record, state, i));
    renewItems(list, items, ({ dataset }) => dataset.item);
    const current = list.children[at]?.querySelector("[data-ply]");
    if (!(current instanceof HTMLElement)) return;
    current.setAttribute("aria-current", "step");
    scrollWithin(list, current);
  }

  /** @param {MoveRecord} record @param {State} state @param {number} i */
  #move(record, { line, snapshot }, i) {
    const san = line[i + 1]?.move?.san ?? record.san;
    const { onShow, onProof } = this.choices;
    const words = h(
      onShow ? "button" : "span",
      { class: "ply", "data-ply": String(record.ply) },
      san,
    );
    words.setAttribute("data-testid", "move");
    words.dataset.stage = record.stage;
    if (onShow) words.addEventListener("click", () => onShow(i + 1));
    const item = h("li", { "data-item": `${snapshot?.game} ${i}` }, words);
    if (i === 0 || record.color === "white") {
      item.prepend(h("span", { class: "number" }, numberOf(record.ply)));
    }
    if (record.by === "bot") item.append(proofMark(record, san, onProof));
    return item;
  }
}

/** @param {MoveRecord} record @param {string} san @param {((ply: number) => void) | undefined} onProof */
function proofMark({ ply, stage }, san, onProof) {
  const mark = stage === "verified" || stage === "rejected" ? MARK[stage] : "…";
  const title = `${stage}: the proof of ${san}`;
  const attributes = { class: "mark", "data-stage": stage, title, "data-testid": "mark" };
  if (!onProof) return h("span", { ...attributes, role: "img", "aria-label": title }, mark);
  const button = h("button", { ...attributes, type: "button", "aria-label": title }, mark);
  button.addEventListener("click", () => onProof(ply));
  return button;
}

/** Scroll a list, and not the page. @param {HTMLElement} list @param {HTMLElement} item */
function scrollWithin(list, item) {
  const top = item.offsetTop - list.offsetTop;
  if (top < list.scrollTop || top + item.offsetHeight > list.scrollTop + list.clientHeight) {
    list.scrollTop = top - list.clientHeight / 2;
  }
}
