/** The board on the page: cm-chessboard with the marks and the input of this game. */
import {
  BORDER_TYPE,
  Chessboard,
  INPUT_EVENT_TYPE,
} from "../vendor/cm-chessboard/src/Chessboard.js";
import { Accessibility } from "../vendor/cm-chessboard/src/extensions/accessibility/Accessibility.js";
import { Markers } from "../vendor/cm-chessboard/src/extensions/markers/Markers.js";
import { PromotionDialog } from "../vendor/cm-chessboard/src/extensions/promotion-dialog/PromotionDialog.js";
import { castlingRook } from "./chess_moves.js";
import { checkedKing, indexOf, legalMoves } from "./line.js";
import { premoveTargets } from "./premove.js";

/** @import { Move } from "../vendor/chess.js/chess.js" */
/** @import { MoveInputEvent } from "../vendor/cm-chessboard/src/Chessboard.js" */
/** @import { Position } from "./line.js" */
/** @import { Premove } from "./premove.js" */
/** @import { Color } from "./types.js" */

const MARK = {
  last: { class: "mark-last", slice: "markSquare" },
  from: { class: "mark-from", slice: "markSquare" },
  check: { class: "mark-check", slice: "markCheck" },
  target: { class: "mark-target", slice: "markDot", position: /** @type {const} */ ("above") },
  capture: { class: "mark-target", slice: "markRing" },
  premove: { class: "mark-premove", slice: "markSquare" },
};

/**
 * @typedef {object} Input
 * @property {(index: number) => void} onMove called with a legal move's policy index
 * @property {(premove: Premove | null) => void} onPremove null takes it back
 *
 * @typedef {object} Shown
 * @property {Color} bottom
 * @property {Color | null} mover whose men may be moved now
 * @property {Color | null} planner whose men may be moved for later
 * @property {Premove | null} premove
 */

/** @param {string} path relative to this file */
const assetUrl = (path) => new URL(path, import.meta.url).pathname;

/** @param {Color} color */
const letter = (color) => (color === "white" ? "w" : "b");

export class Board {
  /** @type {Position} */
  #position;
  /** @type {Color | null} */
  #mover = null;
  /** @type {Color | null} */
  #planner = null;
  /** @type {Premove | null} */
  #premove = null;
  /** @type {Color} */
  #bottom;
  /** @type {Promise<void>} */
  #turned = Promise.resolve();
  #held = false;
  /** Animations under way; cm-chessboard hears no click until they end. */
  #animations = 0;

  /**
   * The element has to be visible: its width is the board's.
   *
   * @param {HTMLElement} element
   * @param {Input} input
   * @param {{position: Position, bottom: Color}} start
   */
  constructor(element, input, { position, bottom }) {
    this.element = element;
    this.input = input;
    this.#position = position;
    this.#bottom = bottom;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.board = new Chessboard(element, {
      position: position.fen,
      orientation: letter(bottom),
      assetsUrl: assetUrl("../vendor/cm-chessboard/assets/"),
      style: {
        cssClass: "checkproof",
        borderType: BORDER_TYPE.none,
        showCoordinates: true,
        animationDuration: still ? 0 : 180,
      },
      extensions: [
        { class: Markers, props: { autoMarkers: null, sprite: assetUrl("../img/markers.svg") } },
        { class: PromotionDialog, props: { language: "en" } },
        {
          class: Accessibility,
          props: {
            language: "en",
            keyboardMoveInput: true,
            boardAsTable: false, // js/view_reader.js has one that says more
            movePieceForm: false,
            piecesAsList: false,
          },
        },
      ],
    });
    this.element.dataset.orientation = bottom;
    this.element.dataset.animated = "no";
    this.#leaveKeysToThePage();
    this.#markPosition();
  }

  /** The arrow keys look back in the game, unless somebody came to the board by keyboard. */
  #leaveKeysToThePage() {
    const svg = this.element.querySelector("svg.cm-chessboard");
    if (!(svg instanceof SVGElement)) return;
    let touched = false;
    svg.addEventListener("pointerdown", () => (touched = true));
    for (const name of ["pointerup", "pointercancel"]) {
      addEventListener(name, () => (touched = false));
    }
    svg.addEventListener("focus", () => touched && svg.blur());
    svg.addEventListener("contextmenu", (event) => {
      event.preventDefault();
      if (this.#premove) this.input.onPremove(null);
    });
  }

  /** @param {Position} position @param {Shown} shown */
  show(position, { bottom, mover, planner, premove }) {
    this.#turn(bottom);
    const moved = position.fen !== this.#position.fen;
    // The board may show a move of its own that the game did not take.
    if (moved || this.board.getPosition() !== position.fen.split(" ")[0]) {
      this.#position = position;
      this.#animate(this.board.setPosition(position.fen, true));
      this.#markPosition();
    }
    if (moved || mover !== this.#mover || planner !== this.#planner) this.#enable(mover, planner);
    if (premove !== this.#premove) this.#markPremove(premove);
    this.element.dataset.fen = position.fen;
    this.element.dataset.input = mover ?? "none";
    this.element.dataset.planner = planner ?? "none";
    this.element.dataset.premove = premove ? `${premove.from}${premove.to}` : "";
  }

  /** @param {Premove | null} premove */
  #markPremove(premove) {
    this.#premove = premove;
    this.board.removeMarkers(MARK.premove);
    if (!premove) return;
    this.board.addMarker(MARK.premove, premove.from);
    this.board.addMarker(MARK.premove, premove.to);
  }

  /** @param {Color} bottom */
  #turn(bottom) {
    if (bottom === this.#bottom) return;
    this.#bottom = bottom;
    // cm-chessboard takes one turn at a time
    this.#turned = this.#turned.then(async () => {
      await this.board.setOrientation(letter(bottom), false);
      this.element.dataset.orientation = bottom;
    });
    this.#animate(this.#turned);
  }

  /** @param {Promise<unknown>} done */
  #animate(done) {
    this.#animations += 1;
    this.element.dataset.animated = "yes";
    void done.finally(() => {
      this.#animations -= 1;
      if (this.#animations === 0) this.element.dataset.animated = "no";
    });
  }

  /** @param {Color | null} mover @param {Color | null} planner */
  #enable(mover, planner) {
    this.#mover = mover;
    this.#planner = planner;
    if (this.#held) this.board.cancelMoveInput();
    if (this.board.isMoveInputEnabled()) this.board.disableMoveInput();
    this.#unmarkTargets();
    const color = mover ?? planner;
    if (color) this.board.enableMoveInput((event) => this.#input(event), letter(color));
  }

  /** @param {MoveInputEvent} event @returns {boolean} whether the piece may be held, or stays */
  #input(event) {
    switch (event.type) {
      case INPUT_EVENT_TYPE.moveInputStarted:
        this.#held = this.#start(event.squareFrom);
        return this.#held;
      case INPUT_EVENT_TYPE.validateMoveInput:
        return this.#finish(event.squareFrom, event.squareTo ?? "");
      case INPUT_EVENT_TYPE.moveInputCanceled:
        this.#held = false;
        this.#unmarkTargets();
        return false;
      default:
        return false;
    }
  }

  /** @param {string} from */
  #start(from) {
    this.#unmarkTargets();
    if (this.#premove) this.input.onPremove(null);
    const targets = this.#targets(from);
    if (!targets.size) return false;
    this.board.addMarker(MARK.from, from);
    for (const to of targets) {
      this.board.addMarker(this.board.getPiece(to) ? MARK.capture : MARK.target, to);
    }
    return true;
  }

  /** @param {string} from @returns {Set<string>} */
  #targets(from) {
    if (this.#mover) return new Set(this.#legal(from).map((move) => move.to));
    const { fen } = this.#position;
    return new Set(this.#planner ? premoveTargets(fen, from, this.#planner) : []);
  }

  /** @param {string} from @param {string} to */
  #finish(from, to) {
    if (!this.#mover) return this.#plan(from, to);
    const moves = this.#legal(from);
    const [move] = moves.filter((candidate) => candidate.to === to);
    const castling = moves.find((candidate) => castlingRook(candidate) === to);
    this.#unmarkTargets();
    this.#held = false;
    if (move?.promotion) {
      this.#promote(moves.filter((candidate) => candidate.to === to));
      return false;
    }
    const chosen = move ?? castling;
    if (!chosen) return false;
    // After cm-chessboard has finished with its own input, for the answer may switch it off.
    queueMicrotask(() => this.input.onMove(indexOf(chosen)));
    return chosen === move;
  }

  /** @param {string} from @param {string} to @returns {false} the man stays where it is */
  #plan(from, to) {
    const isOne = this.#targets(from).has(to);
    this.#unmarkTargets();
    this.#held = false;
    if (isOne) queueMicrotask(() => this.input.onPremove({ from, to }));
    return false;
  }

  /** @param {Move[]} choices the four promotions on one square */
  #promote(choices) {
    const { to, color } = choices[0];
    this.board.showPromotionDialog(to, color, ({ type, piece }) => {
      const chosen = choices.find((move) => move.promotion === piece?.[1]);
      if (type === "pieceSelected" && chosen) this.input.onMove(indexOf(chosen));
    });
  }

  /** @param {string} square */
  #legal(square) {
    return legalMoves(this.#position.fen, square);
  }

  #markPosition() {
    this.board.removeMarkers(MARK.last);
    this.board.removeMarkers(MARK.check);
    const { move, fen } = this.#position;
    if (move) {
      this.board.addMarker(MARK.last, move.from);
      this.board.addMarker(MARK.last, move.to);
    }
    const king = checkedKing(fen);
    if (king) this.board.addMarker(MARK.check, king);
  }

  #unmarkTargets() {
    this.board.removeMarkers(MARK.from);
    this.board.removeMarkers(MARK.target);
    this.board.removeMarkers(MARK.capture);
  }
}
