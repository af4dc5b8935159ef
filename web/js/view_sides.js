/** The two rows at the board: who plays, what they took, and their clocks. */
import { delayLeft, timeLeft } from "./clocks.js";
import { byId, h, setText } from "./dom.js";
import { clockText, sideName } from "./format.js";
import { MEN, balance, lost } from "./material.js";
import { bottomColor, playerColor, shownIndex } from "./state.js";

/** @import { Man } from "./material.js" */
/** @import { State } from "./state.js" */
/** @import { Bot, Color, Side } from "./types.js" */

/** @type {Color[]} */
export const COLORS = ["white", "black"];
const LOW_SECONDS = 20;
const PIECES = "/web/vendor/cm-chessboard/assets/pieces/standard.svg";
const SVG = "http://www.w3.org/2000/svg";
const NAMES = { p: "pawn", n: "knight", b: "bishop", r: "rook", q: "queen" };

/**
 * @typedef {{row: HTMLElement, clock: HTMLElement, delay: HTMLElement, taken: HTMLElement}} SideRow
 */

export class Sides {
  #for = "";
  #takenFor = "";
  /** @type {Partial<Record<Color, SideRow>>} */
  #rows = {};

  /** @param {Map<string, Bot>} bots by version @param {(color: Color) => void} onLow once a clock runs low */
  constructor(bots, onLow) {
    this.bots = bots;
    this.onLow = onLow;
  }

  /** @param {State} state */
  render(state) {
    const { snapshot } = state;
    if (!snapshot) return;
    const bottom = bottomColor(state);
    const key = `${bottom} ${playerColor(state)}`;
    if (key !== this.#for) {
      this.#for = key;
      this.#takenFor = "";
      for (const color of COLORS) {
        const row = byId(color === bottom ? "side-bottom" : "side-top", HTMLElement);
        this.#rows[color] = this.#row(row, color, snapshot[color], playerColor(state) === color);
      }
    }
    for (const color of COLORS) {
      const row = this.#rows[color]?.row;
      if (row) row.dataset.running = String(snapshot.clocks.running === color);
    }
    this.#material(state);
  }

  /**
   * @param {HTMLElement} row
   * @param {Color} color
   * @param {Side} side
   * @param {boolean} you
   * @returns {SideRow}
   */
  #row(row, color, side, you) {
    const clock = h("span", {
      class: "clock",
      "data-testid": `clock-${color}`,
      role: "timer",
      title: "The contract's clock: it stops when a move has landed on the chain",
    });
    const delay = h("span", { class: "delay", "data-testid": `delay-${color}`, hidden: true });
    const taken = h("span", { class: "taken", "data-testid": `taken-${color}`, role: "img" });
    const name = you ? "You" : sideName(side);
    row.replaceChildren(
      h("span", { class: `disc ${color}`, "aria-hidden": "true" }),
      h("span", { class: "name", title: you ? color : name }, name),
      ...this.#badges(side),
      taken,
      h("span", { class: "spacer" }),
      delay,
      clock,
    );
    return { row, clock, delay, taken };
  }

  /** @param {Side} side @returns {HTMLElement[]} */
  #badges(side) {
    if (side.kind === "player") return [];
    const bot = this.bots.get(side.version);
    const badges = [h("span", { class: "tag", title: `version ${side.version}` }, "bot")];
    if (bot?.custom) badges.push(h("span", { class: "tag warn" }, "custom, unverified"));
    return badges;
  }

  /** @param {State} state */
  #material(state) {
    const at = shownIndex(state);
    const fens = state.line.slice(0, at + 1).map(({ fen }) => fen);
    if (state.shown === null && state.pending) fens.push(state.pending.position.fen);
    const key = `${fens.length} ${fens[fens.length - 1]}`;
    if (key === this.#takenFor) return;
    this.#takenFor = key;
    const ahead = balance(fens[fens.length - 1]);
    for (const color of COLORS) {
      const taken = this.#rows[color]?.taken;
      const other = color === "white" ? "black" : "white";
      if (taken) showTaken(taken, lost(fens, other), other, color === "white" ? ahead : -ahead);
    }
  }

  /** Bring the clocks up to date. @param {State} state @param {number} now unix seconds there */
  tick({ snapshot }, now) {
    if (!snapshot) return;
    const { clocks, clock: terms } = snapshot;
    for (const color of COLORS) {
      const row = this.#rows[color];
      if (!row) continue;
      const runs = clocks.running === color;
      const left = timeLeft(clocks, color, now, terms.delaySeconds);
      setText(row.clock, clockText(left));
      const low = runs && left < LOW_SECONDS;
      if (low && row.clock.dataset.low === "false") this.onLow(color);
      row.clock.dataset.low = String(low);
      const free = runs ? Math.ceil(delayLeft(clocks, now, terms.delaySeconds)) : 0;
      row.delay.hidden = free === 0;
      setText(row.delay, free ? `+${free} s free` : "");
    }
  }
}

/**
 * @param {HTMLElement} element
 * @param {Record<Man, number>} men
 * @param {Color} color of the men
 * @param {number} ahead pawns
 */
function showTaken(element, men, color, ahead) {
  const icons = MEN.flatMap((man) => Array.from({ length: men[man] }, () => icon(man, color)));
  const lead = ahead > 0 ? [h("span", { class: "lead" }, `+${ahead}`)] : [];
  element.replaceChildren(...icons, ...lead);
  const words = MEN.filter((man) => men[man]).map(
    (man) => `${men[man]} ${NAMES[man]}${men[man] > 1 ? "s" : ""}`,
  );
  const label = words.length ? `took ${words.join(", ")}` : "took nothing";
  element.setAttribute("aria-label", ahead > 0 ? `${label}; ${ahead} ahead` : label);
  element.hidden = !icons.length && !lead.length;
}

/** @param {Man} man @param {Color} color */
function icon(man, color) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 40 40");
  svg.setAttribute("class", `man ${man}`);
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${PIECES}#${color[0]}${man}`);
  svg.append(use);
  return svg;
}
