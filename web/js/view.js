/** The game page's DOM: all of it is read and written here. */
import { Board } from "./board.js";
import { absences, beforeResigning, describe, holdUp } from "./describe.js";
import { byId, copyFrom, h, setText } from "./dom.js";
import { clockText, grouped, short, sideName, timeOfDay } from "./format.js";
import {
  bottomColor,
  canMove,
  claimable,
  isOver,
  opponentOutOfTime,
  playerColor,
  proofCount,
  shownPosition,
  timeLeft,
  turn,
} from "./state.js";
import { MoveList } from "./view_moves.js";

/** @import { State } from "./state.js" */
/** @import { Bot, Color, Config, Side } from "./types.js" */

/**
 * @typedef {object} Actions what the viewer can do
 * @property {(index: number) => void} onMove
 * @property {() => void} onResign
 * @property {() => void} onDraw
 * @property {() => void} onTimeout
 * @property {() => void} onFlip
 * @property {(position: number) => void} onShow
 * @property {() => void} onDismiss
 * @property {() => void} onDismissCorrection
 */

/** @type {Color[]} */
const COLORS = ["white", "black"];

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
  #sidesFor = "";
  /** @type {Partial<Record<Color, HTMLElement>>} */
  #clocks = {};
  /** @type {Board | null} */
  #board = null;

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
      byId("announce", HTMLParagraphElement),
      actions.onShow,
    );
    this.confirm = byId("confirm", HTMLDialogElement);
    this.#listen(actions);
  }

  /** @param {State} state @param {number} now unix seconds */
  render(state, now) {
    this.#state = state;
    this.#banners(state);
    byId("missing", HTMLElement).hidden = state.connection !== "refused";
    byId("game", HTMLElement).hidden = !state.snapshot;
    byId("share", HTMLButtonElement).hidden = !state.snapshot;
    if (!state.snapshot) return;
    const mover = canMove(state) ? turn(state) : null;
    this.#sides(state);
    const position = shownPosition(state);
    const bottom = bottomColor(state);
    const element = byId("board", HTMLDivElement);
    this.#board ??= new Board(element, this.actions.onMove, { position, bottom });
    this.#board.show(position, { bottom, mover });
    this.#status(state);
    this.#controls(state, now);
    this.#trust(state);
    this.moves.render(state, this.bots, now); // last: it scrolls in the room that the others leave
    this.tick(now);
  }

  /** Bring the running times up to date. @param {number} now unix seconds */
  tick(now) {
    const snapshot = this.#state?.snapshot;
    if (!this.#state || !snapshot) return;
    this.moves.tick(now);
    for (const color of COLORS) {
      const clock = this.#clocks[color];
      const left = timeLeft(snapshot.clocks, color, now);
      if (!clock) continue;
      setText(clock, clockText(left));
      clock.dataset.low = String(left < 20 && snapshot.clocks.running === color);
    }
    this.#timeout(this.#state, now);
  }

  /** @param {Actions} actions */
  #listen(actions) {
    /** @param {string} id @param {() => void} action */
    const onClick = (id, action) =>
      byId(id, HTMLButtonElement).addEventListener("click", () => action());
    const position = () => this.#state?.shown ?? (this.#state?.line.length ?? 1) - 1;
    onClick("flip", actions.onFlip);
    onClick("step-first", () => actions.onShow(0));
    onClick("step-back", () => actions.onShow(position() - 1));
    onClick("step-on", () => actions.onShow(position() + 1));
    onClick("step-last", () => actions.onShow(Infinity));
    onClick("draw", actions.onDraw);
    onClick("timeout", actions.onTimeout);
    onClick("error-close", actions.onDismiss);
    onClick("correction-close", actions.onDismissCorrection);
    onClick("resign", () => this.confirm.showModal());
    onClick("confirm-no", () => this.confirm.close());
    onClick("confirm-yes", () => {
      this.confirm.close();
      actions.onResign();
    });
    const share = byId("share", HTMLButtonElement);
    share.addEventListener("click", () => {
      void copyFrom(share, new URL(`/watch/${this.#state?.game}`, location.href).href);
    });
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
  #sides(state) {
    const { snapshot } = state;
    if (!snapshot) return;
    const bottom = bottomColor(state);
    const running = snapshot.clocks.running;
    const key = `${bottom} ${running} ${playerColor(state)}`;
    if (key === this.#sidesFor) return;
    this.#sidesFor = key;
    for (const color of COLORS) {
      const element = byId(color === bottom ? "side-bottom" : "side-top", HTMLElement);
      const you = playerColor(state) === color;
      const clock = h("span", {
        class: "clock",
        "data-testid": `clock-${color}`,
        role: "timer",
        title: "The contract's clock: it stops when a move has landed on the chain",
      });
      this.#clocks[color] = clock;
      element.dataset.running = String(running === color);
      element.replaceChildren(
        h("span", { class: `disc ${color}`, "aria-hidden": "true" }),
        h("span", { class: "name" }, you ? "You" : sideName(snapshot[color])),
        ...this.#badges(snapshot[color]),
        h("span", { class: "spacer" }),
        clock,
      );
    }
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
    const { spectators } = state.snapshot ?? { spectators: 0 };
    const watchers = spectators === 1 ? "1 watching" : `${spectators} watching`;
    setText(byId("spectators", HTMLElement), spectators > 0 ? watchers : "");
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
    byId("resign", HTMLButtonElement).hidden = !playing;
    byId("resign", HTMLButtonElement).disabled = state.connection !== "open" || !!state.fault;
    byId("draw", HTMLButtonElement).hidden = claimable(state) === null;
    byId("again", HTMLAnchorElement).hidden = !isOver(state);
    this.#timeout(state, now);
    const shown = state.shown ?? state.line.length - 1;
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
