/** How a game stands, in words. */
import { capital, duration, sentence } from "./format.js";
import { inFlight, isFinished, isOver, playerColor, turn } from "./state.js";

/** @import { State } from "./state.js" */
/** @import { Snapshot } from "./types.js" */

const RESULT = /** @type {Record<string, string>} */ ({
  "1-0": "White wins",
  "0-1": "Black wins",
  "1/2-1/2": "Draw",
});

/** @param {State} state @returns {{headline: string, detail: string}} */
export function describe(state) {
  const { snapshot } = state;
  if (!snapshot) return { headline: "", detail: "" };
  if (snapshot.result) return ended(state, snapshot.result);
  if (snapshot.openStage.stage === "rejected") {
    return { headline: "The game was not opened.", detail: "The contract refused the opening." };
  }
  if (isFinished(state)) {
    return { headline: "No moves left.", detail: "The contract decides when the last move lands." };
  }
  const mover = turn(state);
  const mine = playerColor(state) === mover;
  const opening = snapshot.status === "opening" ? openingLine(snapshot) : "";
  if (state.pending && !mine) return { headline: "Sending your move…", detail: opening };
  const side = snapshot[mover];
  if (mine) return { headline: "Your turn", detail: opening || waitingFor(state) };
  const headline = side.kind === "bot" ? `${side.name} is to move` : `${capital(mover)} is to move`;
  return { headline, detail: opening || waitingFor(state) };
}

/**
 * Who looks on besides whoever reads it: the server counts every page that is not a player's.
 *
 * @param {State} state
 */
export function audience(state) {
  const { spectators = 0 } = state.snapshot ?? {};
  if (playerColor(state)) return spectators > 0 ? `${spectators} watching` : "";
  const others = spectators - 1;
  return others > 0 ? `you and ${others} ${others === 1 ? "other" : "others"} watching` : "";
}

/** @param {Snapshot} snapshot */
const openingLine = ({ openStage: { reason } }) =>
  `The opening is on its way to the chain${reason ? `: ${reason}` : ""}.`;

/** @param {State} state */
function waitingFor({ snapshot, shown }) {
  const waiting = snapshot?.moves.filter((move) => move.stage !== "verified").length ?? 0;
  if (shown !== null) return "You are looking back; » returns to the last position.";
  if (!waiting) return "The chain holds every move.";
  return `${waiting} ${waiting === 1 ? "move is" : "moves are"} on the way to the chain.`;
}

/** @param {State} state @param {{result: string, reason: string}} result */
function ended(state, { result, reason }) {
  if (result === "*") {
    return { headline: "Aborted · *", detail: "The game was aborted; nobody has won it." };
  }
  const color = playerColor(state);
  const won = (result === "1-0" && color === "white") || (result === "0-1" && color === "black");
  const words = RESULT[result] ?? result;
  const headline = color && result !== "1/2-1/2" ? (won ? "You win" : "You lose") : words;
  return {
    headline: `${headline} · ${result}`,
    detail: `${words} by ${reason}`.replace("Draw by", "A draw by"),
  };
}

/** What holds the game up. @param {State} state @returns {string} empty if nothing does */
export function holdUp(state) {
  const reason = isOver(state) ? null : state.snapshot?.waiting;
  return reason ? `${sentence(reason)} The game goes on by itself.` : "";
}

/** When the arena did not run during this game. @param {Snapshot} snapshot @returns {string} */
export function absences({ away }) {
  if (!away.length) return "";
  const total = duration(away.reduce((sum, { since, until }) => sum + until - since, 0));
  const times = away.length > 1 ? ` in ${away.length} absences` : "";
  return `The arena was away for ${total}${times}; the contract’s clocks ran on.`;
}

/** What a player should know before resigning. @param {State} state @returns {string} */
export function beforeResigning(state) {
  const moves = inFlight(state);
  if (!moves) return "";
  const [what, them] = moves === 1 ? ["1 move is", "it"] : [`${moves} moves are`, "them"];
  return `${what} not on the chain yet. The resignation does not wait for ${them}: what has not landed by then does not count.`;
}

/** A few words for the window's title. @param {State} state @returns {string} */
export function title(state) {
  if (!state.snapshot) return "Game";
  if (state.snapshot.result) return state.snapshot.result.result;
  if (isOver(state)) return "Not opened";
  if (playerColor(state)) return playerColor(state) === turn(state) ? "Your turn" : "Playing";
  return "Watching";
}
