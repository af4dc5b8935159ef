/** The list of moves, each bot move with a mark that says how far its proof has come. */
import { h, setText } from "./dom.js";
import { duration, grouped, seconds } from "./format.js";
import { moveName } from "./corrections.js";
import { atPly, firstPlyOf } from "./line.js";
import { spoken } from "./typed.js";

/** @import { Position } from "./line.js" */
/** @import { State } from "./state.js" */
/** @import { MoveRecord } from "./types.js" */

/**
 * @typedef {object} Row the elements of one ply
 * @property {MoveRecord} record
 * @property {HTMLElement} cell
 * @property {HTMLButtonElement} move
 * @property {HTMLButtonElement | null} mark of a bot's move
 * @property {number} since when its place in the queue was told, in unix seconds
 */

const MEANING = {
  proposed: "The net chose this move; nothing is proven yet.",
  queued: "Waits for a free prover.",
  proving: "A zero-knowledge proof is being made.",
  proved: "The proof is made and was checked here; it waits for its turn on chain.",
  submitted: "On its way to the contract.",
  verified: "The contract checked the proof and moved the game on.",
  rejected: "The contract refused this move.",
};

/** @param {MoveRecord} record @param {number} now unix seconds */
function shortText({ stage, queuePosition, at }, now) {
  switch (stage) {
    case "queued":
      return queuePosition ? `#${queuePosition} in queue` : "queued";
    case "proving":
      return `proving ${seconds(now - (at.proving ?? now))}`;
    case "proved":
      return "proven";
    case "submitted":
      return "sent";
    default:
      return stage;
  }
}

/**
 * How far a proof has come, in full.
 *
 * @param {MoveRecord} record
 * @param {number} now unix seconds
 * @param {number} since when its place was told
 */
function longText(record, now, since) {
  const { queuePosition, waitSeconds } = record;
  switch (record.stage) {
    case "queued": {
      const left = (waitSeconds ?? 0) - (now - since);
      const place = queuePosition ? ` · #${queuePosition}` : "";
      return `queued${place}${waitSeconds === null ? "" : ` · ${soon(left)}`}`;
    }
    case "proving": {
      const taken = now - (record.at.proving ?? now);
      const usual = waitSeconds !== null && taken < waitSeconds;
      return `proving ${seconds(taken)}${usual ? ` of about ${seconds(waitSeconds)}` : ""}`;
    }
    default:
      return [record.stage, figures(record)].filter(Boolean).join(" · ");
  }
}

/** @param {number} left seconds until there is probably a proof */
const soon = (left) => (left < 1 ? "proof any moment" : `proof in about ${duration(left)}`);

/** @param {MoveRecord} record what the proof and its check took */
function figures({ proveSeconds, gas, reason, stage }) {
  const parts = [];
  if (proveSeconds !== null) parts.push(seconds(proveSeconds));
  if (gas !== null) parts.push(`${grouped(gas)} gas`);
  if (reason && stage !== "verified") parts.push(reason);
  return parts.join(" · ");
}

export class MoveList {
  /** @type {Row[]} in the order of the moves */
  #rows = [];

  /**
   * @param {HTMLElement} list
   * @param {{announcer: HTMLElement, proofLine: HTMLElement}} told a live region for screen
   *   readers, and the line about the proof that is under way
   * @param {{onShow: (position: number) => void, onProof: (ply: number) => void}} actions
   *   onShow is called with an index of the line
   */
  constructor(list, told, actions) {
    this.list = list;
    this.told = told;
    this.actions = actions;
  }

  /** @param {State} state @param {number} now unix seconds */
  render(state, now) {
    const { snapshot, line } = state;
    if (!snapshot) return;
    const { moves } = snapshot;
    this.list.dataset.bots = [snapshot.white.kind, snapshot.black.kind].join("-");
    this.#truncate(moves);
    const { scrollTop, scrollHeight, clientHeight } = this.list;
    const grew = this.#rows.length < moves.length;
    for (const [i, record] of moves.entries()) {
      const row = this.#rows[i] ?? this.#append(record, line, i === moves.length - 1);
      if (row.record !== record || !row.move.dataset.stage) update(row, record, line, now);
    }
    this.#current(state);
    this.tick(now);
    if (state.shown !== null) return;
    if (grew || scrollTop + clientHeight > scrollHeight - 8) {
      this.list.scrollTop = this.list.scrollHeight;
    }
  }

  /** Bring the running times up to date. @param {number} now unix seconds */
  tick(now) {
    let under = "";
    for (const { record, move, mark, since } of this.#rows) {
      if (!mark) continue;
      setText(mark, shortText(record, now));
      if (under || record.stage === "verified") continue;
      under = `${move.textContent}: ${longText(record, now, since)}`;
    }
    setText(this.told.proofLine, under);
  }

  /** @param {State} state mark the move that led to what the board shows */
  #current({ shown, line }) {
    const at = (shown ?? line.length - 1) - 1;
    for (const [i, { move }] of this.#rows.entries()) {
      const was = move.hasAttribute("aria-current");
      if (i === at && !was) {
        move.setAttribute("aria-current", "step");
        if (shown !== null) this.#scrollTo(move);
      } else if (i !== at && was) move.removeAttribute("aria-current");
    }
  }

  /** Scroll the list, and not the page. @param {HTMLElement} move */
  #scrollTo(move) {
    const [box, list] = [move.getBoundingClientRect(), this.list.getBoundingClientRect()];
    if (box.top < list.top || box.bottom > list.bottom) {
      this.list.scrollTop += box.top - list.top - list.height / 2;
    }
  }

  /** Remove rows of moves that were taken back or replaced. @param {MoveRecord[]} moves */
  #truncate(moves) {
    const kept = this.#rows.findIndex((row, i) => moves[i]?.index !== row.record.index);
    if (kept < 0) return;
    for (const row of this.#rows.splice(kept)) row.cell.remove();
    for (const item of [...this.list.children]) {
      if (!item.querySelector(".ply")) item.remove();
    }
  }

  /** @param {MoveRecord} record @param {Position[]} line @param {boolean} isLast @returns {Row} */
  #append(record, line, isLast) {
    const { ply } = record;
    const san = atPly(line, ply + 1)?.move?.san ?? record.uci;
    const move = h("button", { type: "button", class: "ply", "data-testid": "move" }, san);
    const position = ply + 1 - firstPlyOf(line);
    move.addEventListener("click", () => this.actions.onShow(position));
    const mark = record.by === "bot" ? this.#mark(ply) : null;
    const cell = h("span", { class: "cell" }, move, ...(mark ? [mark] : []));
    this.#item(ply, position === 1).append(cell);
    /** @type {Row} */
    const row = { record, cell, move, mark, since: 0 };
    this.#rows.push(row);
    // An old game that is loaded is not read out move by move.
    if (isLast) {
      const who = `${record.color} ${record.by === "bot" ? "bot " : ""}plays`;
      setText(this.told.announcer, `${who} ${spoken(san)}`);
    }
    return row;
  }

  /** @param {number} ply */
  #mark(ply) {
    const mark = h("button", { type: "button", class: "mark", "data-testid": "mark" });
    mark.addEventListener("click", () => this.actions.onProof(ply));
    return mark;
  }

  /** The list item of a ply: two plies share one. @param {number} ply @param {boolean} isFirst */
  #item(ply, isFirst) {
    const present = this.list.children[ply >> 1];
    if (present) return present;
    const number = h("span", { class: "number", "aria-hidden": "true" }, `${(ply >> 1) + 1}.`);
    const blank =
      isFirst && ply % 2 ? [h("span", { class: "cell", "aria-hidden": "true" }, "…")] : [];
    return this.list.appendChild(h("li", { class: "turn" }, number, ...blank));
  }
}

/** @param {Row} row @param {MoveRecord} record @param {Position[]} line @param {number} now */
function update(row, record, line, now) {
  const { queuePosition, waitSeconds } = row.record;
  const stands = queuePosition === record.queuePosition && waitSeconds === record.waitSeconds;
  if (!row.since || !stands) row.since = now;
  row.record = record;
  const { move, mark } = row;
  setText(move, atPly(line, record.ply + 1)?.move?.san ?? record.uci);
  for (const element of [move, mark]) {
    if (!element) continue;
    element.dataset.ply = String(record.ply);
    element.dataset.stage = record.stage;
    element.dataset.by = record.by;
    element.dataset.uci = record.uci;
  }
  const own = record.stage === "verified" ? "on the chain" : record.stage;
  move.title = record.by === "bot" ? MEANING[record.stage] : `A player's move: ${own}`;
  if (!mark) return;
  const told = figures(record);
  mark.title = `${MEANING[record.stage]}${told ? ` ${told}.` : ""} Click for the proof.`;
  const name = moveName(line, record.ply);
  mark.setAttribute("aria-label", `Proof of ${name}: ${record.stage}${told ? `, ${told}` : ""}`);
}
