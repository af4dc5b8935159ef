/**
 * Everything the game page knows, as one frozen value, and the functions that lead from one to
 * the next. There is no DOM, socket or clock in this file.
 */
import { timeLeft } from "./clocks.js";
import { found, told } from "./corrections.js";
import {
  RecordFault,
  after,
  atPly,
  drawClaim,
  firstPlyOf,
  follow,
  isFinal,
  startOf,
  turnOf,
} from "./line.js";

/** @import { Correction } from "./corrections.js" */
/** @import { Position } from "./line.js" */
/** @import { Premove } from "./premove.js" */
/** @import { Status } from "./protocol.js" */
/** @import { ChainData, Color, GameEvent, MoveRecord, ProofData, Snapshot } from "./types.js" */

/**
 * @typedef {object} Pending a move that the player made and the server has not shown yet
 * @property {number} ply
 * @property {number} index
 * @property {string} signature
 * @property {string} base the history that was signed
 * @property {Position} position
 *
 * @typedef {object} State
 * @property {string} game
 * @property {string | null} viewer the player's address; null for those who only watch
 * @property {Status} connection
 * @property {Snapshot | null} snapshot
 * @property {Position[]} line one position more than there are moves
 * @property {Pending | null} pending
 * @property {string | null} fault the server contradicts the rules: nothing is signed any more
 * @property {string | null} error one clear line that the player may dismiss
 * @property {number | null} shown the position looked at, as an index of `line`; null: the last
 * @property {boolean} flipped
 * @property {Correction | null} correction the last time that something shown did not hold
 * @property {number | null} rejected the ply whose rejection `error` tells of
 * @property {boolean} timeClaimed the player claimed the game on time; a move still counts a while
 * @property {Draft | null} draft a move that waits for the player's own yes
 * @property {Premove | null} premove
 *
 * @typedef {{index: number, position: Position}} Draft
 */

/** @param {string} game @param {string | null} viewer @returns {State} */
export function initialState(game, viewer) {
  return {
    game: game.toLowerCase(),
    viewer: viewer?.toLowerCase() ?? null,
    connection: "connecting",
    snapshot: null,
    line: [startOf(game.toLowerCase())],
    pending: null,
    fault: null,
    error: null,
    shown: null,
    flipped: false,
    correction: null,
    rejected: null,
    timeClaimed: false,
    draft: null,
    premove: null,
  };
}

// --- what the server tells -----------------------------------------------------------------------

/** @param {State} state @param {GameEvent} event @returns {State} */
export function applyEvent(state, event) {
  try {
    return withoutStaleDraft(settlePending(apply(state, event)));
  } catch (error) {
    if (!(error instanceof RecordFault)) throw error;
    return { ...state, fault: error.message, pending: null };
  }
}

/** @param {State} state @param {GameEvent} event @returns {State} */
function apply(state, event) {
  if (event.t === "full") return withSnapshot(state, event.d);
  if (!state.snapshot) return state;
  switch (event.t) {
    case "move":
      return withMove(state, state.snapshot, event.d);
    case "proof":
      return patch(state, { moves: withProof(state.snapshot.moves, event.d) });
    case "chain":
      return withRejection(patch(state, withChain(state.snapshot, event.d)), event.d);
    case "clock":
      return patch(state, { clocks: event.d });
    case "end":
      return patch(state, {
        status: "ended",
        result: { result: event.d.result, reason: event.d.reason },
      });
    case "correction": // the whole game follows
      return withCorrection(state, told(state.line, event.d));
    case "waiting":
      return patch(state, { waiting: event.d.reason });
    case "spectators":
      return patch(state, { spectators: event.d.count });
  }
}

/** @param {State} state @param {Partial<Snapshot>} change @returns {State} */
const patch = (state, change) =>
  state.snapshot ? { ...state, snapshot: { ...state.snapshot, ...change } } : state;

/** @param {State} state @param {Snapshot} snapshot @returns {State} */
function withSnapshot(state, snapshot) {
  if (snapshot.game.toLowerCase() !== state.game) {
    throw new RecordFault("The server sent another game than the one asked for.");
  }
  const line = [startOf(state.game, snapshot.startFen)];
  const first = firstPlyOf(line);
  for (const [i, record] of snapshot.moves.entries()) {
    const due = first + i;
    if (record.ply !== due) throw new RecordFault(`The server left out ply ${due + 1}.`);
    line.push(follow(line[i], record));
  }
  const correction = corrected(state, snapshot);
  return { ...state, snapshot, line, correction, shown: null, fault: null };
}

/**
 * What has to be said of the game as it is now: the correction that came before it, or one that
 * did not reach this page.
 *
 * @param {State} state
 * @param {Snapshot} snapshot
 */
function corrected({ correction, snapshot: before, line }, snapshot) {
  if (correction && !correction.followed) return { ...correction, followed: true };
  return (before && found(line, before.moves, snapshot.moves)) ?? correction;
}

/** @param {State} state @param {Correction} correction @returns {State} */
function withCorrection(state, correction) {
  const same = state.rejected === correction.ply; // it tells of that too, and more clearly
  return { ...state, correction, error: same ? null : state.error, rejected: null };
}

/**
 * A new move, or one again (a bot's move that was refused may be proposed anew).
 *
 * @param {State} state
 * @param {Snapshot} snapshot
 * @param {MoveRecord} record
 * @returns {State}
 */
function withMove(state, snapshot, record) {
  const at = record.ply - firstPlyOf(state.line);
  if (at > snapshot.moves.length) {
    throw new RecordFault(`The server left out ply ${record.ply + 1}.`);
  }
  const position = follow(state.line[at], record);
  const same = snapshot.moves[at]?.index === record.index;
  const rest = same ? snapshot.moves.slice(at + 1) : [];
  const restLine = same ? state.line.slice(at + 2) : [];
  return {
    ...state,
    line: [...state.line.slice(0, at + 1), position, ...restLine],
    timeClaimed: false,
    shown: same || !playerColor(state) ? state.shown : null, // a player has to see the answer
    snapshot: {
      ...snapshot,
      moves: [...snapshot.moves.slice(0, at), record, ...rest],
      history: record.history,
    },
  };
}

/** @param {MoveRecord[]} moves @param {ProofData} proof @returns {MoveRecord[]} */
const withProof = (moves, proof) =>
  moves.map((move) =>
    move.ply === proof.ply
      ? {
          ...move,
          stage: proof.stage,
          at: { ...move.at, [proof.stage]: proof.at },
          queuePosition: proof.queuePosition,
          waitSeconds: proof.waitSeconds,
          proveSeconds: proof.proveSeconds ?? move.proveSeconds,
          cpuSeconds: proof.cpuSeconds ?? move.cpuSeconds,
          proof: proof.proof ?? move.proof,
        }
      : move,
  );

/** @param {Snapshot} snapshot @param {ChainData} chain @returns {Partial<Snapshot>} */
function withChain(snapshot, chain) {
  if (chain.ply < 0) {
    const { stage, tx, gas, reason } = chain;
    const openStage = { stage, tx, gas, reason };
    const begun = chain.stage === "verified" && snapshot.status === "opening";
    return { openStage, status: begun ? "playing" : snapshot.status };
  }
  return {
    moves: snapshot.moves.map((move) =>
      move.ply === chain.ply
        ? {
            ...move,
            stage: chain.stage,
            at: { ...move.at, [chain.stage]: chain.at },
            tx: chain.tx ?? move.tx,
            gas: chain.gas ?? move.gas,
            block: chain.block ?? move.block,
            reason: chain.reason,
          }
        : move,
    ),
  };
}

/** @param {State} state @param {ChainData} chain @returns {State} */
function withRejection(state, { ply, stage, reason }) {
  if (stage !== "rejected") return state;
  const what =
    ply < 0 ? "The opening" : `Ply ${ply + 1} (${atPly(state.line, ply + 1)?.move?.san ?? "?"})`;
  const error = `${what} was rejected: ${reason ?? "no reason given"}.`;
  return { ...state, error, rejected: ply };
}

/** The server shows the pending move, or something else in its place. @param {State} state */
function settlePending(state) {
  const { pending, snapshot } = state;
  if (!pending || !snapshot) return state;
  if (snapshot.status === "ended") return { ...state, pending: null };
  if (atPly(state.line, pending.ply)?.history !== pending.base) {
    return { ...state, pending: null, error: "The bot's move changed; please move again." };
  }
  const record = snapshot.moves[pending.ply - firstPlyOf(state.line)];
  if (!record) return state;
  const error = record.index === pending.index ? state.error : "Your move was not taken.";
  return { ...state, pending: null, error };
}

/** A move that was not confirmed yet belongs to the position that it was made in. @param {State} state */
function withoutStaleDraft(state) {
  const { draft } = state;
  if (draft && after(lastPosition(state), draft.index)?.history !== draft.position.history) {
    return { ...state, draft: null };
  }
  return isOver(state) && state.premove ? { ...state, premove: null } : state;
}

// --- what the viewer does ------------------------------------------------------------------------

/** @param {State} state @param {Status} connection @returns {State} */
export const withConnection = (state, connection) => ({ ...state, connection });

/** @param {State} state @param {Pending} pending @returns {State} */
export const withPending = (state, pending) => ({
  ...state,
  pending,
  error: null,
  shown: null,
  draft: null,
  premove: null,
});

/** @param {State} state @param {Draft | null} draft @returns {State} */
export const withDraft = (state, draft) => ({ ...state, draft });

/** @param {State} state @param {Premove | null} premove @returns {State} */
export const withPremove = (state, premove) => ({ ...state, premove });

/** The server refused the pending move. @param {State} state @param {string} error @returns {State} */
export const withRefusal = (state, error) => ({ ...state, pending: null, error });

/** @param {State} state @returns {State} */
export const withTimeClaimed = (state) => ({ ...state, timeClaimed: true });

/** @param {State} state @param {string | null} error @returns {State} */
export const withError = (state, error) => ({ ...state, error });

/** The viewer has read the correction. @param {State} state @returns {State} */
export const withoutCorrection = (state) => ({ ...state, correction: null });

/** @param {State} state @returns {State} */
export const flipped = (state) => ({ ...state, flipped: !state.flipped });

/** @param {State} state @param {number} shown an index of `line` @returns {State} */
export function showing(state, shown) {
  const last = state.line.length - 1;
  const within = Math.max(0, Math.min(last, shown));
  return { ...state, shown: within === last ? null : within };
}

// --- questions -----------------------------------------------------------------------------------

/** The colour that the viewer plays, or null for a spectator. @param {State} state @returns {Color | null} */
export function playerColor({ snapshot, viewer }) {
  for (const color of /** @type {const} */ (["white", "black"])) {
    const side = snapshot?.[color];
    if (viewer && side?.kind === "player" && side.address.toLowerCase() === viewer) return color;
  }
  return null;
}

/** @param {State} state @returns {Color} the colour at the bottom of the board */
export function bottomColor(state) {
  const { snapshot } = state;
  const watched = snapshot?.white.kind === "bot" && snapshot.black.kind === "player";
  const color = playerColor(state) ?? (watched ? "black" : "white");
  if (!state.flipped) return color;
  return color === "white" ? "black" : "white";
}

/** The last position, the player's own move not yet taken included. @param {State} state */
export const lastPosition = (state) => state.pending?.position ?? state.line[state.line.length - 1];

/** @param {State} state @returns {Position} what the board shows */
export const shownPosition = (state) =>
  state.shown === null ? (state.draft?.position ?? lastPosition(state)) : state.line[state.shown];

/** @param {State} state @returns {number} the index of what the board shows in the game's line */
export const shownIndex = (state) => state.shown ?? state.line.length - 1;

/** The number of the ply to be played. @param {State} state @returns {number} */
export const nextPly = ({ line }) => firstPlyOf(line) + line.length - 1;

/** @param {State} state @returns {Color} */
export const turn = (state) => turnOf(lastPosition(state).fen);

/** Whether the game has ended, or could not be opened. @param {State} state */
export const isOver = ({ snapshot }) =>
  snapshot?.status === "ended" || snapshot?.openStage.stage === "rejected";

/** @param {State} state whether the viewer may move a piece now */
export const canMove = (state) =>
  state.snapshot !== null &&
  state.connection === "open" &&
  state.shown === null &&
  !state.pending &&
  !state.draft &&
  !state.fault &&
  !isOver(state) &&
  !state.snapshot.moves.some((move) => move.stage === "rejected") &&
  playerColor(state) === turn(state);

/** @param {State} state whether the viewer may make a move for later now */
export const canPremove = (state) =>
  state.snapshot !== null &&
  state.shown === null &&
  !state.fault &&
  !isOver(state) &&
  !isFinished(state) &&
  playerColor(state) !== null &&
  playerColor(state) !== turn(state);

/** @param {State} state whether the player may still take the game back as if it had not begun */
export const canAbort = (state) =>
  playerColor(state) !== null && !isOver(state) && state.line.length < 3;

/**
 * The position that a move of the player's would lead to.
 *
 * @param {State} state
 * @param {number} index
 */
export const afterMove = (state, index) => after(lastPosition(state), index);

/** @param {State} state @returns {"threefold" | "fifty" | null} what the player could claim now */
export const claimable = (state) => (canMove(state) ? drawClaim(state.line) : null);

/** @param {State} state @param {number} now whether the opponent's time has run out */
export function opponentOutOfTime(state, now) {
  const color = playerColor(state);
  const { snapshot } = state;
  if (!color || !snapshot || isOver(state)) return false;
  const other = color === "white" ? "black" : "white";
  const { clocks, clock } = snapshot;
  return clocks.running === other && timeLeft(clocks, other, now, clock.delaySeconds) < 0;
}

/** @param {State} state whether no move is possible any more, though the contract has yet to say so */
export const isFinished = (state) => isFinal(lastPosition(state).fen);

/** How many moves the chain does not hold yet, the player's own included. @param {State} state */
export const inFlight = ({ snapshot, pending }) =>
  (snapshot?.moves.filter((move) => move.stage !== "verified").length ?? 0) + (pending ? 1 : 0);

/** @param {State} state @returns {{verified: number, total: number}} the bots' moves */
export function proofCount({ snapshot }) {
  const moves = snapshot?.moves.filter((move) => move.by === "bot") ?? [];
  return {
    verified: moves.filter((move) => move.stage === "verified").length,
    total: moves.length,
  };
}
