/** The game page's DOM: what is not in the other view_*.js is read and written here. */
import { Board } from "./board.js";
import { absences, audience, beforeResigning, describe, holdUp } from "./describe.js";
import { byId, copyFrom, h, setText } from "./dom.js";
import { grouped, short, timeOfDay } from "./format.js";
import {
  bottomColor,
  canAbort,
  canMove,
  canPremove,
  claimable,
  isOver,
  opponentOutOfTime,
  playerColor,
  proofCount,
  shownIndex,
  shownPosition,
  turn,
} from "./state.js";
import { Confirmation } from "./view_confirm.js";
import { renderShare } from "./view_menu.js";
import { MoveList } from "./view_moves.js";
import { COLORS, Sides } from "./view_sides.js";

/** @import { Premove } from "./premove.js" */
/** @import { State } from "./state.js" */
/** @import { Bot, Color, Config } from "./types.js" */

/**
 * @typedef {object} Actions what the viewer can do
 * @property {(index: number) => void} onMove
 * @property {(premove: Premove | null) => void} onPremove null takes it back
 * @property {(text: string) => string} onTyped a move as text; returns what is wrong with it, or ""
 * @property {(yes: boolean) => void} onDraft an answer to whether a move is meant
 * @property {() => void} onResign
 * @property {() => void} onAbort
 * @property {() => void} onDraw
 * @property {() => void} onTimeout
 * @property {() => void} onRematch
 * @property {() => void} onFlip
 * @property {() => void} onZenOff
 * @property {(position: number) => void} onShow
 * @property {(ply: number) => void} onProof
 * @property {(color: Color) => void} onLow that side's clock begins to run low
 * @property {() => void} onDismiss
 * @property {() => void} onDismissCorrection
 */

const CONNECTION = {
  connecting: "Connecting to the arena…",
  open: "",
  lost: "The connection was lost. Trying again; no move is lost.",
  restarting: "The arena restarts. Coming back by itself; no move is lost.",
  refused: "",
};

export class GameView {
  /** @type {State | null} */
  #state = null;
  /** @type {Board | null} */
  #board = null;
  /** @type {import("./view_reader.js").Reader | null} */
  #reader = null;

  /**
   * @param {Config} config
   * @param {Actions} actions
   */
  constructor(config, actions) {
    /** @type {Map<string, Bot>} */
    this.bots = new Map(config.bots.map((bot) => [bot.version, bot]));
    this.config = config;
    this.actions = actions;
    this.moves = new MoveList(
      byId("moves", HTMLOListElement),
      {
        announcer: byId("announce", HTMLParagraphElement),
        proofLine: byId("proof-line", HTMLElement),
      },
      actions,
    );
    this.sides = new Sides(this.bots, actions.onLow);
    this.confirm = new Confirmation();
    this.#listen(actions);
  }

  /** @param {State} state @param {number} now unix seconds at the server */
  render(state, now) {
    this.#state = state;
    this.#banners(state);
    byId("missing", HTMLElement).hidden = state.connection !== "refused";
    byId("game", HTMLElement).hidden = !state.snapshot;
    byId("share", HTMLButtonElement).hidden = !state.snapshot;
    if (!state.snapshot) return;
    this.sides.render(state);
    this.#showBoard(state);
    this.#status(state);
    this.#controls(state, now);
    this.#trust(state);
    this.#reader?.render(state);
    renderShare(state);
    this.moves.render(state, now); // last: it scrolls in the room that the others leave
    this.tick(now);
  }

  /** Tell the game as text besides, from now on. */
  async showReader() {
    const { Reader } = await import("./view_reader.js");
    this.#reader ??= new Reader();
    if (this.#state?.snapshot) this.#reader.render(this.#state);
  }

  /** Bring the running times up to date. @param {number} now unix seconds at the server */
  tick(now) {
    if (!this.#state?.snapshot) return;
    this.moves.tick(now);
    this.sides.tick(this.#state, now);
    this.#timeout(this.#state, now);
  }

  /** @param {State} state */
  #showBoard(state) {
    const position = shownPosition(state);
    const bottom = bottomColor(state);
    const element = byId("board", HTMLDivElement);
    if (!this.#board) {
      this.#board = new Board(element, this.actions, { position, bottom });
      performance.mark("usable");
    }
    this.#board.show(position, {
      bottom,
      mover: canMove(state) ? turn(state) : null,
      planner: canPremove(state) ? playerColor(state) : null,
      premove: state.premove,
    });
    const { draft } = state;
    byId("draft", HTMLElement).hidden = draft === null;
    setText(byId("draft-text", HTMLElement), draft ? `Play ${draft.position.move?.san}?` : "");
  }

  /** @param {Actions} actions */
  #listen(actions) {
    /** @param {string} id @param {() => void} action */
    const onClick = (id, action) =>
      byId(id, HTMLButtonElement).addEventListener("click", () => action());
    const position = () => (this.#state ? shownIndex(this.#state) : 0);
    onClick("flip", actions.onFlip);
    onClick("zen-off", actions.onZenOff);
    onClick("step-first", () => actions.onShow(0));
    onClick("step-back", () => actions.onShow(position() - 1));
    onClick("step-on", () => actions.onShow(position() + 1));
    onClick("step-last", () => actions.onShow(Infinity));
    onClick("draft-yes", () => actions.onDraft(true));
    onClick("draft-no", () => actions.onDraft(false));
    onClick("timeout", actions.onTimeout);
    onClick("rematch", actions.onRematch);
    onClick("error-close", actions.onDismiss);
    onClick("correction-close", actions.onDismissCorrection);
    onClick("resign", () => this.confirm.ask("resign", actions.onResign));
    onClick("abort", () => this.confirm.ask("abort", actions.onAbort));
    onClick("draw", () => this.confirm.ask("draw", actions.onDraw));
    byId("typed", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      const input = byId("typed-move", HTMLInputElement);
      const fault = actions.onTyped(input.value);
      setText(byId("typed-fault", HTMLElement), fault);
      if (!fault) input.value = "";
    });
    byId("typed-move", HTMLInputElement).addEventListener("input", () =>
      setText(byId("typed-fault", HTMLElement), ""),
    );
  }

  /** @param {State} state */
  #banners(state) {
    const connection = byId("connection", HTMLElement);
    connection.hidden = !CONNECTION[state.connection];
    connection.dataset.state = state.connection;
    setText(connection, CONNECTION[state.connection]);
    const fault = byId("fault", HTMLElement);
    fault.hidden = state.fault === null;
    setText(fault, state.fault ? `The server contradicts the game. ${state.fault}` : "");
    byId("error", HTMLElement).hidden = state.error === null;
    setText(byId("error-text", HTMLElement), state.error ?? "");
    const { correction } = state;
    byId("correction", HTMLElement).hidden = correction === null;
    const at = correction?.at ? `Corrected at ${timeOfDay(correction.at)}. ` : "Corrected. ";
    setText(byId("correction-text", HTMLElement), correction ? at + correction.text : "");
  }

  /** @param {State} state */
  #status(state) {
    const status = byId("status", HTMLElement);
    const { headline, detail } = describe(state);
    setText(status, headline);
    status.dataset.status = state.snapshot?.status ?? "";
    status.dataset.turn = turn(state);
    setText(byId("substatus", HTMLElement), detail);
    this.#line("waiting", holdUp(state));
    this.#line("away", state.snapshot ? absences(state.snapshot) : "");
    this.#line("confirm-flight", beforeResigning(state));
    const { verified, total } = proofCount(state);
    byId("meter", HTMLElement).hidden = total === 0;
    byId("meter-fill", HTMLElement).style.width = `${total ? (100 * verified) / total : 0}%`;
    const text = byId("meter-text", HTMLElement);
    text.dataset.verified = String(verified);
    text.dataset.total = String(total);
    setText(text, `${verified} of ${total} bot moves verified on chain`);
    setText(byId("role", HTMLElement), playerColor(state) ? "playing" : "watching");
    setText(byId("spectators", HTMLElement), audience(state));
  }

  /** Show a line that is there only if there is something to say. @param {string} id @param {string} text */
  #line(id, text) {
    const element = byId(id, HTMLElement);
    element.hidden = !text;
    setText(element, text);
  }

  /** @param {State} state @param {number} now */
  #controls(state, now) {
    const playing = playerColor(state) !== null && !isOver(state);
    const abortable = canAbort(state);
    const silent = state.connection !== "open" || !!state.fault;
    byId("abort", HTMLButtonElement).hidden = !abortable;
    byId("abort", HTMLButtonElement).disabled = silent;
    byId("resign", HTMLButtonElement).hidden = !playing || abortable;
    byId("resign", HTMLButtonElement).disabled = silent;
    byId("draw", HTMLButtonElement).hidden = claimable(state) === null;
    byId("again", HTMLAnchorElement).hidden = !isOver(state);
    byId("rematch", HTMLButtonElement).hidden = !isOver(state) || playerColor(state) === null;
    byId("typed", HTMLFormElement).hidden = !playing;
    if (!playing) setText(byId("typed-fault", HTMLElement), "");
    this.#timeout(state, now);
    const shown = shownIndex(state);
    byId("step-first", HTMLButtonElement).disabled = shown === 0;
    byId("step-back", HTMLButtonElement).disabled = shown === 0;
    byId("step-on", HTMLButtonElement).disabled = state.shown === null;
    byId("step-last", HTMLButtonElement).disabled = state.shown === null;
  }

  /** @param {State} state @param {number} now */
  #timeout(state, now) {
    const button = byId("timeout", HTMLButtonElement);
    button.hidden = !opponentOutOfTime(state, now);
    button.disabled = state.timeClaimed;
    const grace = `Claimed: ${this.config.graceSeconds} s of grace`;
    setText(button, state.timeClaimed ? grace : "Claim win on time");
  }

  /** @param {State} state */
  #trust({ snapshot }) {
    const facts = byId("facts", HTMLElement);
    if (!snapshot || facts.dataset.stage === snapshot.openStage.stage) return;
    const { tx, gas, stage } = snapshot.openStage;
    facts.dataset.stage = stage;
    const bots = COLORS.flatMap((color) => {
      const side = snapshot[color];
      const bot = side.kind === "bot" ? this.bots.get(side.version) : undefined;
      return bot ? [bot] : [];
    });
    const trust = byId("trust", HTMLElement);
    const development = bots.some((bot) => bot.setup === "development");
    trust.dataset.setup = development ? "development" : "ceremony";
    setText(
      trust,
      development
        ? "Development setup: whoever ran it can forge proofs."
        : "The keys come from a ceremony: one honest participant suffices.",
    );
    /** @type {[string, ...(Node | string)[]][]} */
    const rows = [
      ["Chain", `${snapshot.chainId}, arena `, copyable(snapshot.arena)],
      ["Game", copyable(snapshot.game), gas === null ? "" : ` opened for ${grouped(gas)} gas`],
      ...(tx ? [/** @type {[string, Node]} */ (["Opening", copyable(tx)])] : []),
      ...bots.map(
        ({ name, keyHash }) =>
          /** @type {[string, Node, string, Node]} */ ([
            `Key of ${name}`,
            copyable(keyHash),
            " ",
            h("a", { href: `/keys/${keyHash}` }, "get it"),
          ]),
      ),
      ["Check it", copyable(`checkproof audit ${snapshot.game}`)],
    ];
    facts.replaceChildren(
      ...rows.flatMap(([name, ...value]) => [h("dt", {}, name), h("dd", {}, ...value)]),
    );
  }
}

/** @param {string} value */
function copyable(value) {
  const shown = value.startsWith("checkproof")
    ? `checkproof audit ${short(value.slice(17))}`
    : short(value);
  const button = h("button", { type: "button", class: "hash", title: `Copy ${value}` }, shown);
  button.addEventListener("click", () => void copyFrom(button, value));
  return button;
}
