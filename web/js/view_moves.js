/** The list of moves, each bot move with the life of its proof. */
import { copyFrom, h, setText } from "./dom.js";
import { boardWord, contextWord } from "./encoding.js";
import { duration, grouped, seconds, short, timeOfDay } from "./format.js";
import { legalMoves, repetitions } from "./line.js";

/** @import { Position } from "./line.js" */
/** @import { State } from "./state.js" */
/** @import { Bot, MoveRecord, Stage } from "./types.js" */

/**
 * @typedef {object} Row the elements of one ply
 * @property {MoveRecord} record
 * @property {HTMLButtonElement} move
 * @property {HTMLElement | null} strip
 * @property {HTMLElement | null} chip
 * @property {HTMLElement | null} figures
 * @property {HTMLButtonElement | null} tx
 * @property {HTMLElement | null} drawer
 * @property {number} since when its place in the queue was told, in unix seconds
 */

/** @type {Stage[]} */
const STAGES = ["proposed", "queued", "proving", "proved", "submitted", "verified", "rejected"];

const MEANING = {
  proposed: "The net chose this move; nothing is proven yet.",
  queued: "Waits for a free prover.",
  proving: "A zero-knowledge proof is being made.",
  proved: "The proof is made and was checked here; it waits for its turn on chain.",
  submitted: "On its way to the contract.",
  verified: "The contract checked the proof and moved the game on.",
  rejected: "The contract refused this move.",
};

/**
 * @param {MoveRecord} record
 * @param {number} now unix seconds
 * @param {number} since when its place was told
 */
function stageText(record, now, since) {
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
    case "verified":
      return "verified ✓";
    default:
      return record.stage;
  }
}

/** @param {number} left seconds until there is probably a proof */
const soon = (left) => (left < 1 ? "proof any moment" : `proof in about ${duration(left)}`);

/** @param {MoveRecord} record */
function meaning({ stage, queuePosition }) {
  if (stage !== "queued" || !queuePosition) return MEANING[stage];
  return queuePosition === 1
    ? "The next free prover takes it."
    : `Waits for a free prover: number ${queuePosition} in the queue. Games take turns.`;
}

/** @param {MoveRecord} record */
function figuresText({ proveSeconds, gas, reason, stage }) {
  const parts = [];
  if (proveSeconds !== null) parts.push(seconds(proveSeconds));
  if (gas !== null) parts.push(`${grouped(gas)} gas`);
  if (reason && stage !== "verified") parts.push(reason);
  return parts.join(" · ");
}

export class MoveList {
  /** @type {Row[]} */
  #rows = [];

  /**
   * @param {HTMLElement} list
   * @param {HTMLElement} announcer a live region for screen readers
   * @param {(position: number) => void} onShow called with an index of the line
   */
  constructor(list, announcer, onShow) {
    this.list = list;
    this.announcer = announcer;
    this.onShow = onShow;
  }

  /**
   * @param {State} state
   * @param {Map<string, Bot>} bots by version
   * @param {number} now unix seconds
   */
  render(state, bots, now) {
    const { snapshot, line } = state;
    if (!snapshot) return;
    const { moves } = snapshot;
    this.#truncate(moves);
    const { scrollTop, scrollHeight, clientHeight } = this.list;
    const follows = this.#rows.length < moves.length || scrollTop + clientHeight > scrollHeight - 8;
    for (const record of moves) {
      const san = line[record.ply + 1]?.move?.san ?? record.uci;
      const side = snapshot[record.color];
      const bot = side.kind === "bot" ? bots.get(side.version) : undefined;
      const row = this.#rows[record.ply] ?? this.#append(record, san, moves.length);
      if (row.record !== record || !row.move.dataset.stage)
        this.#update(row, record, { san, bot, line, now });
    }
    const shown = (state.shown ?? line.length - 1) - 1;
    for (const [ply, row] of this.#rows.entries()) {
      if (ply === shown) row.move.setAttribute("aria-current", "step");
      else row.move.removeAttribute("aria-current");
    }
    this.tick(now);
    if (follows) this.list.scrollTop = this.list.scrollHeight;
  }

  /** Bring the running times up to date. @param {number} now unix seconds */
  tick(now) {
    for (const { record, chip, since } of this.#rows) {
      if (chip) setText(chip, stageText(record, now, since));
    }
  }

  /** Remove rows of moves that were taken back or replaced. @param {MoveRecord[]} moves */
  #truncate(moves) {
    const kept = this.#rows.findIndex((row, ply) => moves[ply]?.index !== row.record.index);
    if (kept < 0) return;
    for (const row of this.#rows.splice(kept)) {
      row.move.remove();
      row.strip?.remove();
      row.drawer?.remove();
    }
    for (const item of [...this.list.children].slice(Math.ceil(kept / 2))) item.remove();
  }

  /** @param {MoveRecord} record @param {string} san @param {number} total @returns {Row} */
  #append(record, san, total) {
    const { ply } = record;
    const item = this.#item(ply);
    const move = h("button", { type: "button", class: "ply", "data-testid": "move" }, san);
    move.addEventListener("click", () => this.onShow(ply + 1));
    item.insertBefore(move, item.querySelector(".strip"));
    /** @type {Row} */
    const row = {
      record,
      move,
      strip: null,
      chip: null,
      figures: null,
      tx: null,
      drawer: null,
      since: 0,
    };
    if (record.by === "bot") this.#appendStrip(row, item);
    this.#rows[ply] = row;
    // An old game that is loaded is not read out move by move.
    if (ply === total - 1) {
      setText(this.announcer, `${record.color} ${record.by === "bot" ? "bot " : ""}plays ${san}`);
    }
    return row;
  }

  /** The list item of a ply: two plies share one. @param {number} ply */
  #item(ply) {
    const present = this.list.children[ply >> 1];
    if (present) return present;
    const number = h("span", { class: "number", "aria-hidden": "true" }, `${(ply >> 1) + 1}.`);
    return this.list.appendChild(h("li", { class: "turn" }, number));
  }

  /** @param {Row} row @param {Element} item */
  #appendStrip(row, item) {
    const id = `proof-${row.record.ply}`;
    row.chip = h("span", { class: "chip" });
    row.figures = h("span", { class: "figures", "data-testid": "figures" });
    row.tx = h("button", { type: "button", class: "hash", "data-testid": "tx", hidden: true });
    const { tx } = row;
    tx.addEventListener("click", () => void copyFrom(tx, row.record.tx ?? ""));
    const toggle = h(
      "button",
      { type: "button", class: "toggle", "aria-expanded": "false", "aria-controls": id },
      "Proof",
    );
    row.strip = h("div", { class: "strip" }, row.chip, row.figures, row.tx, toggle);
    row.drawer = h("dl", { class: "drawer facts", id, "data-testid": "drawer", hidden: true });
    const { drawer } = row;
    toggle.addEventListener("click", () => {
      drawer.hidden = !drawer.hidden;
      toggle.setAttribute("aria-expanded", String(!drawer.hidden));
    });
    item.append(row.strip, row.drawer);
  }

  /**
   * @param {Row} row
   * @param {MoveRecord} record
   * @param {{san: string, bot: Bot | undefined, line: Position[], now: number}} context
   */
  #update(row, record, { san, bot, line, now }) {
    const { queuePosition, waitSeconds } = row.record;
    const stands = queuePosition === record.queuePosition && waitSeconds === record.waitSeconds;
    if (!row.since || !stands) row.since = now;
    row.record = record;
    const { move, strip, chip, figures, tx, drawer } = row;
    setText(move, san);
    for (const element of [move, strip]) {
      if (!element) continue;
      element.dataset.ply = String(record.ply);
      element.dataset.stage = record.stage;
      element.dataset.by = record.by;
      element.dataset.uci = record.uci;
    }
    move.title = record.by === "bot" ? MEANING[record.stage] : `Your move: ${record.stage}`;
    if (chip) chip.title = meaning(record);
    if (figures) {
      setText(figures, figuresText(record));
      figures.title = "How long the proof took, and what its check cost";
    }
    if (tx) {
      tx.hidden = record.tx === null;
      tx.title = `Copy the transaction hash ${record.tx ?? ""}`;
      setText(tx, short(record.tx ?? ""));
    }
    move.setAttribute("aria-label", `${san}, ${record.stage}`);
    if (drawer) drawer.replaceChildren(...drawerItems(record, bot, line));
  }
}

/**
 * What a proof is about, as this page computes it, and what came of it.
 *
 * @param {MoveRecord} record
 * @param {Bot | undefined} bot
 * @param {Position[]} line
 * @returns {HTMLElement[]}
 */
function drawerItems(record, bot, line) {
  const { fen } = line[record.ply];
  const times = STAGES.flatMap((stage) => {
    const at = record.at[stage];
    return at === undefined ? [] : [`${stage} ${timeOfDay(at)}`];
  });
  /** @type {[string, string | number | null | undefined][]} */
  const facts = [
    ["Stages", times.join(", ")],
    ["Prover CPU", record.cpuSeconds === null ? null : seconds(record.cpuSeconds)],
    ["Transaction", record.tx],
    ["Block", record.block],
    ["Policy index", `${record.index}, of ${legalMoves(fen).length} legal`],
    ["Board word", `0x${boardWord(fen).toString(16)}`],
    ["Context word", `0x${contextWord(fen, repetitions(line, record.ply)).toString(16)}`],
    ["Payee", record.payee],
    ["Verifying key", bot?.keyHash],
    ["Circuit", bot?.circuitHash],
    ["Net", bot?.netHash],
    ["Proof", record.proof],
  ];
  return facts.flatMap(([name, value]) =>
    value === null || value === undefined
      ? []
      : [h("dt", {}, name), h("dd", { class: "mono" }, String(value))],
  );
}
