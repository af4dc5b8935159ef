/**
 * A game as PGN. Each move that landed carries its clock, its transaction and its proof's hash:
 *
 *     1. e4 {[%clk 0:10:01] [%tx 0x12..]} 1... e6 {[%clk 0:10:04] [%tx 0x34..] [%proof 0x56..]}
 *
 *     %clk     what the mover had left after the move, by the contract's rule and the times at
 *              which moves landed here: right to about a second
 *     %tx      the transaction that brought the move
 *     %proof   keccak256 of the proof's bytes
 */
import { keccak_256 } from "../vendor/noble-hashes/sha3.js";
import { fromHex, toHex } from "./bytes.js";

/** @import { State } from "./state.js" */
/** @import { MoveRecord, Side, Snapshot } from "./types.js" */

const START = "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1";
const COLUMNS = 80;

/** @param {number} left seconds @returns {string} such as 0:09:58 */
export function clkText(left) {
  const whole = Math.max(0, Math.round(left));
  const two = (/** @type {number} */ part) => String(part).padStart(2, "0");
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

/**
 * What each mover had left after his move. The clocks that the server tells are those after the
 * last moves; from there it is reckoned back: a move gained the increment, and cost what it took
 * beyond the delay.
 *
 * @param {Snapshot} snapshot
 * @returns {(number | null)[]} seconds for each ply; null for those that have not landed
 */
export function clocksAfter({ moves, clocks, clock }) {
  const landed = moves.filter(({ stage }) => stage === "verified").length;
  /** @type {(number | null)[]} */
  const left = moves.map(() => null);
  const now = { white: clocks.white, black: clocks.black };
  for (let ply = landed - 1; ply >= 0; ply--) {
    const { color, at } = moves[ply];
    left[ply] = now[color];
    const [end, begin] = [at.verified, moves[ply - 1]?.at.verified];
    if (end === undefined || begin === undefined) continue; // the first move: nothing before it
    now[color] += Math.max(0, end - begin - clock.delaySeconds) - clock.incrementSeconds;
  }
  return left;
}

/** @param {MoveRecord} record @param {number | null} left @returns {string[]} not broken inside */
function comment({ tx, proof, stage }, left) {
  const parts = [
    left === null ? "" : `[%clk ${clkText(left)}]`,
    tx ? `[%tx ${tx}]` : "",
    proof ? `[%proof ${toHex(keccak_256(fromHex(proof)))}]` : "",
    stage === "verified" ? "" : `not on the chain yet: ${stage}`,
  ];
  const said = parts.filter(Boolean);
  return said.map((part, i) => `${i ? "" : "{"}${part}${i < said.length - 1 ? "" : "}"}`);
}

/** @param {string} value */
const quoted = (value) => `"${value.replace(/[\\"]/g, "\\$&")}"`;

/** @param {Side} side */
const player = (side) => (side.kind === "bot" ? side.name : side.address);

/** @param {number} at unix seconds */
const dateOf = (at) => new Date(at * 1000).toISOString().slice(0, 10).replaceAll("-", ".");

/** @param {State} state @param {Snapshot} snapshot @param {string} site */
function tags({ line }, snapshot, site) {
  const { white, black, clock, result, moves } = snapshot;
  const began = moves[0]?.at.proposed;
  /** @type {[string, string][]} */
  const list = [
    ["Event", "checkproof game"],
    ["Site", site],
    ["Date", began ? dateOf(began) : "????.??.??"],
    ["Round", "-"],
    ["White", player(white)],
    ["Black", player(black)],
    ["Result", result?.result ?? "*"],
    ["TimeControl", `${clock.baseSeconds}+${clock.incrementSeconds}`],
  ];
  if (clock.delaySeconds) list.push(["Delay", String(clock.delaySeconds)]);
  if (result) list.push(["Termination", result.reason]);
  const { fen } = line[0];
  if (fen !== START) list.push(["SetUp", "1"], ["FEN", fen]);
  list.push(
    ["Chain", String(snapshot.chainId)],
    ["Arena", snapshot.arena],
    ["Game", snapshot.game],
  );
  for (const [name, side] of /** @type {[string, Side][]} */ ([
    ["WhiteBot", white],
    ["BlackBot", black],
  ])) {
    if (side.kind === "bot") list.push([name, side.version]);
  }
  return list.map(([name, value]) => `[${name} ${quoted(value)}]`).join("\n");
}

/** Lines of at most 80 columns where words allow. @param {string[]} words */
function wrapped(words) {
  const lines = [""];
  for (const word of words) {
    const last = lines[lines.length - 1];
    if (last && last.length + 1 + word.length > COLUMNS) lines.push(word);
    else lines[lines.length - 1] = last ? `${last} ${word}` : word;
  }
  return lines.join("\n");
}

/**
 * @param {State} state
 * @param {string} site the address of the game's page
 * @returns {string} empty as long as there is no game
 */
export function toPgn(state, site) {
  const { snapshot, line } = state;
  if (!snapshot) return "";
  const left = clocksAfter(snapshot);
  const [, turn, , , , full] = line[0].fen.split(" ");
  const first = 2 * (Number(full) - 1) + (turn === "b" ? 1 : 0);
  const words = snapshot.moves.flatMap((record, i) => {
    const half = first + i;
    const number = `${Math.floor(half / 2) + 1}${half % 2 ? "..." : "."}`;
    const san = line[i + 1]?.move?.san ?? record.uci;
    return [number, san, ...comment(record, left[i])];
  });
  const result = snapshot.result?.result ?? "*";
  return `${tags(state, snapshot, site)}\n\n${wrapped([...words, result])}\n`;
}
