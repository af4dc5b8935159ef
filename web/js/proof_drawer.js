/**
 * The drawer that shows one bot move's proof: what it says, what it is made of, what it cost, whom
 * one has to believe, and a check of it in the browser itself.
 *
 * A page has an `<aside id="proof" hidden>` and calls openProof on a click on a move's mark, and
 * updateProof whenever its state changed.
 */
import { copyFrom, h, renewItems, setText } from "./dom.js";
import { boardWord, contextWord } from "./encoding.js";
import { grouped, seconds, short, timeOfDay } from "./format.js";
import { legalMoves, repetitions } from "./line.js";
import { CheckBox } from "./proof_check.js";

/** @import { State } from "./state.js" */
/** @import { Verdict } from "./verify_check.js" */
/** @import { Bot, Config, MoveRecord, Snapshot, Stage } from "./types.js" */

/** @typedef {Pick<State, "snapshot" | "line">} Shown */

/** @type {Record<Stage, string>} */
const MEANING = {
  proposed: "The net chose this move; nothing is proven yet.",
  queued: "It waits for a free prover. Games take turns.",
  proving: "A zero-knowledge proof is being made.",
  proved: "The proof is made and was checked by the server; it waits for its turn on chain.",
  submitted: "On its way to the contract.",
  verified: "The contract checked the proof and moved the game on.",
  rejected: "The contract refused this move.",
};
const STAGES = /** @type {Stage[]} */ (Object.keys(MEANING));
const PARTS = /** @type {const} */ ([
  ["A", 0, 64],
  ["B", 64, 192],
  ["C", 192, 256],
]);

/** @type {Drawer | null} */
let drawer = null;

/**
 * Show the proof of a bot's move.
 *
 * @param {number} ply
 * @param {{state: Shown, config: Config}} page
 */
export function openProof(ply, { state, config }) {
  drawer ??= new Drawer(config);
  drawer.open(ply, state);
}

/** Bring an open drawer up to date. @param {Shown} state */
export const updateProof = (state) => drawer?.update(state);

export const closeProof = () => drawer?.close();

class Drawer {
  /** @type {number | null} */
  #ply = null;
  /** @type {Element | null} what had the focus before */
  #opener = null;
  #drawn = "";
  /** @type {string[]} */
  #inputs = [];

  /** @param {Config} config */
  constructor(config) {
    this.config = config;
    const element = document.getElementById("proof");
    if (!element) throw new Error("the page has no place for a proof");
    this.element = element;
    this.title = h("h2", { id: "proof-title", tabindex: "-1" });
    this.chip = h("span", { class: "chip", "data-testid": "proof-stage" });
    this.words = h("p", { "data-testid": "proof-words" });
    this.meaning = h("p", { class: "quiet" });
    this.trust = h("p", { class: "trust-line", "data-testid": "proof-trust" });
    this.facts = h("dl", { class: "facts", "data-testid": "proof-facts" });
    this.inputs = h("dl", { class: "facts", "data-testid": "proof-inputs" });
    this.bytes = h("dl", { class: "facts", "data-testid": "proof-bytes" });
    this.check = new CheckBox(config.rpcUrl, (verdict) => this.#checked(verdict));
    this.#build();
  }

  /** @param {number} ply @param {Shown} state */
  open(ply, state) {
    if (this.element.hidden) this.#opener = document.activeElement;
    this.#ply = ply;
    this.#drawn = "";
    this.#inputs = [];
    this.element.hidden = false;
    this.update(state);
    this.title.focus();
  }

  close() {
    if (this.element.hidden) return;
    this.element.hidden = true;
    this.#ply = null;
    if (this.#opener instanceof HTMLElement) this.#opener.focus();
  }

  /** @param {Shown} state */
  update({ snapshot, line }) {
    if (this.#ply === null || !snapshot) return;
    const at = snapshot.moves.findIndex((move) => move.ply === this.#ply);
    const record = snapshot.moves[at];
    if (!record || record.by !== "bot") return this.close(); // it was taken back
    const key = JSON.stringify(record);
    if (key === this.#drawn) return;
    this.#drawn = key;
    this.#draw(snapshot, record, line, at);
  }

  #build() {
    const close = h("button", { type: "button", class: "button small" }, "Close");
    close.addEventListener("click", () => this.close());
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
      event.stopPropagation(); // arrows in the endpoint's field are not the board's
    });
    this.element.setAttribute("aria-labelledby", "proof-title");
    this.element.replaceChildren(
      h("div", { class: "proof-head" }, this.title, this.chip, close),
      this.words,
      this.meaning,
      h("h3", {}, "Check it yourself"),
      this.check.element,
      h("h3", {}, "What you have to believe"),
      this.trust,
      h("h3", {}, "Figures"),
      this.facts,
      details("Public inputs", this.inputs),
      details("Proof bytes", this.bytes),
    );
  }

  /**
   * @param {Snapshot} snapshot
   * @param {MoveRecord} record
   * @param {Shown["line"]} line
   * @param {number} at where the record is among the moves, and the position before it in the line
   */
  #draw(snapshot, record, line, at) {
    const side = snapshot[record.color];
    const version = side.kind === "bot" ? side.version : "";
    const bot = this.config.bots.find((known) => known.version === version);
    const san = line[at + 1]?.move?.san ?? record.san;
    setText(this.title, `${numberOf(record.ply)} ${san}`);
    this.chip.dataset.stage = record.stage;
    setText(this.chip, record.stage === "verified" ? "verified ✓" : record.stage);
    const name = side.kind === "bot" ? side.name : "the bot";
    const count = legalMoves(line[at].fen).length;
    this.words.replaceChildren(...statementWords(name, san, count, systemOf(bot)));
    setText(this.meaning, record.reason ?? MEANING[record.stage]);
    setText(this.trust, trustOf(bot));
    // more of them come with each stage, while somebody may be copying one
    renewItems(this.facts, rows(factsOf(record, bot, version)), ({ dataset }) => dataset.row);
    this.#drawInputs(record, line, at);
    this.bytes.replaceChildren(...rows(bytesOf(record.proof, systemOf(bot))));
    this.check.about(this.#question(snapshot, record, bot), systemOf(bot));
  }

  /** @param {MoveRecord} record @param {Shown["line"]} line @param {number} at */
  #drawInputs(record, line, at) {
    const { fen } = line[at];
    this.inputs.replaceChildren(
      ...rows([
        ["Board", `0x${boardWord(fen).toString(16)}`],
        ["Context", `0x${contextWord(fen, repetitions(line, at)).toString(16)}`],
        ["Payee", record.payee],
        ["Move index", String(record.index)],
        [
          "Legal moves",
          legalMoves(fen)
            .map((move) => move.san)
            .join(" "),
        ],
        ...this.#inputs.map((limb, k) => /** @type {Fact} */ ([`Input ${k}`, limb])),
      ]),
    );
  }

  /** @param {Snapshot} snapshot @param {MoveRecord} record @param {Bot | undefined} bot */
  #question({ chainId, arena, game, openStage }, { ply, stage, proof }, bot) {
    if (stage !== "verified") return null;
    const domain = { chainId, arena };
    const system = bot ? systemOf(bot) : null;
    return { domain, game: game.toLowerCase(), ply, openTx: openStage.tx, proof, system };
  }

  /** @param {Verdict} verdict */
  #checked({ inputs }) {
    this.#inputs = inputs;
    this.inputs.append(...rows(inputs.map((limb, k) => [`Input ${k}`, limb])));
  }
}

/** @typedef {[string, string | Node | null | undefined]} Fact */

/** @param {Fact[]} facts those without a value are left out */
function rows(facts) {
  return facts.flatMap(([name, value]) =>
    value === null || value === undefined || value === ""
      ? []
      : [h("dt", { "data-row": name }, name), valueCell(name, value)],
  );
}

/** A cell is known by its name and its words: a button copies one value and no other. @param {string} name @param {string | Node} value */
function valueCell(name, value) {
  const words = typeof value === "string" ? value : value.textContent;
  return h("dd", { class: "mono", "data-row": `${name}: ${words}` }, value);
}

/** @param {string} title @param {HTMLElement} content */
const details = (title, content) => h("details", {}, h("summary", {}, title), content);

/** @param {number} ply @returns {string} such as 3. or 3… */
export const numberOf = (ply) => `${(ply >> 1) + 1}${ply % 2 ? "…" : "."}`;

/** @param {Bot | undefined} bot @returns {"groth16" | "ezkl"} */
export const systemOf = (bot) => bot?.proofSystem ?? (bot?.custom ? "ezkl" : "groth16");

/** @param {Bot | undefined} bot */
export function trustOf(bot) {
  if (!bot) return "This bot is not known to this arena any more; its version is on the chain.";
  if (bot.trust) return bot.trust;
  return bot.setup === "development"
    ? "Development key: whoever made it could forge proofs. The circuit can be recompiled from the net."
    : "The key comes from a ceremony: one honest participant suffices.";
}

/** @param {string} name @param {string} san @param {number} count @param {"groth16" | "ezkl"} system */
function statementWords(name, san, count, system) {
  const how =
    system === "ezkl"
      ? "The proof shows the net’s outputs for this position, and the contract compares them"
      : "The proof shows that the net rates no other legal move higher, and the contract checks it";
  const legal = count === 1 ? ", the only legal move" : `, one of ${count} legal moves`;
  return [
    "In this position, ",
    h("strong", {}, name),
    " plays ",
    h("strong", {}, san),
    `${legal}. ${how} against its own board, not against the server’s word.`,
  ];
}

/** @param {MoveRecord} record @param {Bot | undefined} bot @param {string} version @returns {Fact[]} */
function factsOf(record, bot, version) {
  const times = STAGES.flatMap((stage) => {
    const at = record.at[stage];
    return at === undefined ? [] : [`${stage} ${timeOfDay(at)}`];
  });
  const cpu = record.cpuSeconds === null ? "" : `, ${seconds(record.cpuSeconds)} of processor`;
  return [
    ["Times", times.join(", ")],
    ["Proof made in", record.proveSeconds === null ? null : seconds(record.proveSeconds) + cpu],
    ["Transaction", record.tx && copyable(record.tx)],
    ["Block", record.block === null ? null : String(record.block)],
    ["Gas", record.gas === null ? null : grouped(record.gas)],
    ["Proof system", bot && SYSTEM[systemOf(bot)]],
    ["Verifying key", bot && keyCell(bot)],
    ["Circuit", bot && copyable(bot.circuitHash)],
    ["Net", bot && copyable(bot.netHash)],
    ["Verifier", bot && copyable(bot.verifier)],
    ["Version", copyable(version)],
  ];
}

export const SYSTEM = { groth16: "Groth16 on BN254", ezkl: "ezkl (halo2-KZG)" };

/** @param {Bot} bot */
function keyCell(bot) {
  if (bot.custom) return copyable(bot.keyHash);
  const link = h("a", { href: `/keys/${bot.keyHash}` }, "get it");
  return h("span", {}, copyable(bot.keyHash), " ", link);
}

/** @param {string | null} proof @param {"groth16" | "ezkl"} system @returns {Fact[]} */
function bytesOf(proof, system) {
  if (!proof) return [["Proof", "There is none yet."]];
  /** @type {Fact} */
  const size = ["Size", `${grouped((proof.length - 2) / 2)} bytes`];
  const whole = copyable(proof, "copy them all");
  if (system === "ezkl") {
    return [
      size,
      ["All", whole],
      ["Begins", `${proof.slice(0, 514)}${proof.length > 514 ? "…" : ""}`],
    ];
  }
  return [
    size,
    ["All", whole],
    ...PARTS.map(
      ([name, from, to]) => /** @type {Fact} */ ([name, proof.slice(2 + 2 * from, 2 + 2 * to)]),
    ),
  ];
}

/** @param {string} value @param {string} [label] */
function copyable(value, label = short(value)) {
  const button = h(
    "button",
    { type: "button", class: "hash", title: `Copy ${short(value)}` },
    label,
  );
  button.addEventListener("click", () => void copyFrom(button, value));
  return button;
}
