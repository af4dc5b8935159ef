import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { timeLeft } from "../../web/js/clocks.js";
import { absences, audience, beforeResigning, describe, holdUp } from "../../web/js/describe.js";
import { clockText, duration, grouped, seconds, short } from "../../web/js/format.js";
import {
  CommandRefused,
  ProtocolFault,
  lineOf,
  parseFrame,
  socketUrl,
} from "../../web/js/protocol.js";
import * as states from "../../web/js/state.js";

/** @import { CorrectionData, GameEvent, MoveRecord, Snapshot } from "../../web/js/types.js" */

const golden = JSON.parse(readFileSync(new URL("../golden/moves.json", import.meta.url), "utf8"));
const { game, moves } = golden.lines[0];
const PLAYER = `0x${"1".repeat(40)}`;

/** @param {number} ply @param {Partial<MoveRecord>} [change] @returns {MoveRecord} */
const record = (ply, change = {}) => ({
  ...moves[ply],
  ply,
  color: ply % 2 ? "black" : "white",
  by: ply % 2 ? "bot" : "player",
  stage: "proposed",
  at: { proposed: 1000 + ply },
  queuePosition: null,
  waitSeconds: null,
  proveSeconds: null,
  cpuSeconds: null,
  proof: null,
  payee: null,
  tx: null,
  gas: null,
  block: null,
  reason: null,
  ...change,
});

/** @param {number} plies @param {Partial<Snapshot>} [change] @returns {Snapshot} */
const snapshot = (plies, change = {}) => ({
  game,
  chainId: 31337,
  arena: PLAYER,
  white: { kind: "player", address: PLAYER },
  black: { kind: "bot", version: `0x${"2".repeat(64)}`, name: "pawn" },
  opener: PLAYER,
  clock: { baseSeconds: 600, incrementSeconds: 5, delaySeconds: 0 },
  status: "playing",
  result: null,
  openStage: { stage: "verified", tx: "0x1", gas: 1 },
  moves: Array.from({ length: plies }, (_, ply) => record(ply)),
  history: plies ? moves[plies - 1].history : game,
  clocks: { white: 600, black: 590, running: "black", at: 2000 },
  spectators: 0,
  waiting: null,
  away: [],
  ...change,
});

/** @param {number} plies @param {Partial<Snapshot>} [change] @param {string | null} [viewer] */
function begun(plies, change, viewer = PLAYER) {
  const full = /** @type {GameEvent} */ ({
    t: "full",
    d: snapshot(plies, change),
    v: 1,
  });
  const opened = states.withConnection(states.initialState(game, viewer), "open");
  return states.applyEvent(opened, full);
}

test("a snapshot is replayed, and tells whose turn it is", () => {
  const state = begun(2);
  assert.equal(state.fault, null);
  assert.equal(state.line.length, 3);
  assert.equal(states.turn(state), "white");
  assert.equal(states.playerColor(state), "white");
  assert.ok(states.canMove(state));
  assert.ok(!states.canMove(begun(1)), "not at the bot's turn");
  assert.ok(!states.canMove(begun(2, {}, null)), "not as a spectator");
  assert.ok(!states.canMove(begun(2, { status: "ended" })), "not after the end");
  assert.ok(!states.canMove(states.withConnection(state, "lost")), "not without a connection");
});

test("who looks on is told without whoever reads it", () => {
  const told = (/** @type {number} */ spectators, /** @type {string | null} */ viewer) =>
    audience(begun(2, { spectators }, viewer));
  const stranger = `0x${"9".repeat(40)}`;
  assert.equal(told(0, PLAYER), "");
  assert.equal(told(1, PLAYER), "1 watching");
  assert.equal(told(0, null), "", "before the server has counted this page");
  assert.equal(told(1, null), "");
  assert.equal(told(2, stranger), "you and 1 other watching");
  assert.equal(told(3, null), "you and 2 others watching");
});

test("a proposed bot move may be answered at once", () => {
  const state = states.applyEvent(begun(1), { t: "move", d: record(1), v: 2 });
  assert.equal(state.snapshot?.moves[1].stage, "proposed");
  assert.ok(states.canMove(state));
});

test("a bot move goes through its stages and keeps its figures", () => {
  let state = begun(2);
  /** @type {GameEvent[]} */
  const events = [
    { t: "proof", d: proof("queued", { queuePosition: 2 }), v: 2 },
    { t: "proof", d: proof("proving"), v: 3 },
    {
      t: "proof",
      d: proof("proved", { proveSeconds: 1.5, cpuSeconds: 1.4, proof: "0xab" }),
      v: 4,
    },
    { t: "chain", d: chain("submitted", { tx: "0xcd" }), v: 5 },
    { t: "chain", d: chain("verified", { gas: 400_000, block: 7 }), v: 6 },
  ];
  const seen = events.map((event) => {
    state = states.applyEvent(state, event);
    return state.snapshot?.moves[1].stage;
  });
  assert.deepEqual(seen, ["queued", "proving", "proved", "submitted", "verified"]);
  const move = state.snapshot?.moves[1];
  assert.equal(move?.proveSeconds, 1.5);
  assert.equal(move?.proof, "0xab");
  assert.equal(move?.tx, "0xcd");
  assert.equal(move?.gas, 400_000);
  assert.deepEqual(Object.keys(move?.at ?? {}), [
    "proposed",
    "queued",
    "proving",
    "proved",
    "submitted",
    "verified",
  ]);
  assert.deepEqual(states.proofCount(state), { verified: 1, total: 1 });
});

/** @param {"queued" | "proving" | "proved"} stage @param {object} [change] */
const proof = (stage, change) => ({
  ply: 1,
  stage,
  at: 3000,
  queuePosition: null,
  waitSeconds: null,
  proveSeconds: null,
  cpuSeconds: null,
  proof: null,
  ...change,
});

/** @param {"submitted" | "verified" | "rejected"} stage @param {object} [change] */
const chain = (stage, change) => ({
  ply: 1,
  stage,
  at: 3001,
  tx: null,
  gas: null,
  block: null,
  reason: null,
  ...change,
});

test("a pending move shows at once, and is settled by the server's record", () => {
  const state = begun(2);
  const index = moves[2].index;
  const position = states.afterMove(state, index);
  assert.ok(position);
  const pending = { ply: 2, index, signature: "0x", base: moves[1].history, position };
  const waiting = states.withPending(state, pending);
  assert.equal(states.lastPosition(waiting).fen, moves[2].fen);
  assert.ok(!states.canMove(waiting));
  const taken = states.applyEvent(waiting, { t: "move", d: record(2), v: 2 });
  assert.equal(taken.pending, null);
  assert.equal(taken.error, null);
  const refused = states.withRefusal(waiting, "no");
  assert.equal(states.lastPosition(refused).fen, moves[1].fen);
  assert.equal(refused.error, "no");
});

test("a pending answer to a move that was taken back is given up", () => {
  const state = begun(2);
  const index = moves[2].index;
  const position = states.afterMove(state, index);
  assert.ok(position);
  const pending = { ply: 2, index, signature: "0x", base: moves[1].history, position };
  const waiting = states.withPending(state, pending);
  const back = states.applyEvent(waiting, { t: "full", d: snapshot(1), v: 9 });
  assert.equal(back.pending, null);
  assert.match(back.error ?? "", /move again/);
  const same = states.applyEvent(waiting, { t: "full", d: snapshot(2), v: 9 });
  assert.equal(same.pending, pending);
});

test("a rejected move is one clear line, and locks the board until the server resyncs", () => {
  const state = states.applyEvent(begun(2), {
    t: "chain",
    d: chain("rejected", { reason: "ProofRejected" }),
    v: 2,
  });
  assert.match(state.error ?? "", /^Ply 2 \(.+\) was rejected: ProofRejected\.$/);
  assert.ok(!states.canMove(state));
  const again = states.applyEvent(state, { t: "full", d: snapshot(2), v: 3 });
  assert.ok(states.canMove(again));
});

test("a server that contradicts the game is a fault", () => {
  const wrong = record(1, { history: moves[0].history });
  const state = states.applyEvent(begun(1), { t: "move", d: wrong, v: 2 });
  assert.match(state.fault ?? "", /history/);
  assert.ok(!states.canMove(state));
  const gap = states.applyEvent(begun(0), { t: "move", d: record(1), v: 2 });
  assert.match(gap.fault ?? "", /left out ply 2/);
  const other = states.initialState(`0x${"9".repeat(64)}`, null);
  const mixed = states.applyEvent(other, { t: "full", d: snapshot(0), v: 1 });
  assert.match(mixed.fault ?? "", /another game/);
});

test("a place in the queue and the wait are kept until there is a proof", () => {
  const queued = proof("queued", { queuePosition: 3, waitSeconds: 9 });
  const state = states.applyEvent(begun(2), { t: "proof", d: queued, v: 2 });
  assert.equal(state.snapshot?.moves[1].queuePosition, 3);
  assert.equal(state.snapshot?.moves[1].waitSeconds, 9);
  const proved = states.applyEvent(state, { t: "proof", d: proof("proved"), v: 3 });
  assert.equal(proved.snapshot?.moves[1].waitSeconds, null);
});

/** @param {Partial<CorrectionData>} change @returns {GameEvent} */
const correction = (change) => ({
  t: "correction",
  d: { ply: 1, cause: "reorg", message: "", at: 4000, ...change },
  v: 2,
});

test("a correction is told in words, and stays when the whole game comes after it", () => {
  const corrected = states.applyEvent(begun(3), correction({ message: "block 7 is gone" }));
  const san = begun(3).line[2].move?.san;
  assert.equal(
    corrected.correction?.text,
    `1…${san} and the move after it do not hold as shown: block 7 is gone.`,
  );
  const full = states.applyEvent(corrected, { t: "full", d: snapshot(1), v: 3 });
  assert.equal(full.correction?.text, corrected.correction?.text);
  assert.equal(full.snapshot?.moves.length, 1);
  const lost = states.withConnection(states.withConnection(full, "lost"), "open");
  const again = states.applyEvent(lost, { t: "full", d: snapshot(1), v: 9 });
  assert.equal(again.correction?.text, corrected.correction?.text);
  assert.equal(states.withoutCorrection(again).correction, null);
});

test("every cause of a correction has words", () => {
  /** @param {CorrectionData["cause"]} cause @param {string} [message] @param {number} [ply] */
  const text = (cause, message = "", ply = 0) =>
    states.applyEvent(begun(4), correction({ ply, cause, message })).correction?.text ?? "";
  assert.match(
    text("reorg"),
    /^1\.\w+ and the 3 moves after it do not .*: the chain lost blocks\.$/,
  );
  assert.match(text("refused", "BadProof"), /shown: the contract refused it: BadProof\.$/);
  assert.match(text("refused", "the contract refused: X"), /shown: the contract refused: X\.$/);
  assert.match(
    text("unprovable", "no key", 3),
    /^2…\w+ does not .* could not be proven: no key\.$/,
  );
  assert.match(text("other_move"), /another move has landed\.$/);
  assert.match(text("ended"), /the game ended before this move\.$/);
  assert.match(text("reorg", "it is gone", 4), /^The game’s end does not hold .*: it is gone/);
  assert.equal(text("refused", "no draw", 4), "The contract refused it: no draw.");
  assert.match(text("reorg", "", -1), /^The opening and the 4 moves after it do not hold/);
});

test("a correction that the page missed is found out", () => {
  const verified = snapshot(3);
  verified.moves[1] = record(1, { stage: "verified" });
  const full = (/** @type {Snapshot} */ d) => /** @type {GameEvent} */ ({ t: "full", d, v: 9 });
  const state = states.applyEvent(begun(0), full(verified));
  assert.equal(state.correction, null);
  assert.equal(states.applyEvent(state, full(verified)).correction, null);
  const unverified = states.applyEvent(state, full(snapshot(3)));
  assert.match(unverified.correction?.text ?? "", /^What was shown from 1…\w+ on does not hold/);
  const shorter = states.applyEvent(state, full(snapshot(1)));
  assert.equal(shorter.correction?.ply, 1);
  assert.equal(states.applyEvent(begun(3), full(snapshot(2))).correction?.ply, 2);
});

test("a correction says more clearly what a rejection said", () => {
  const rejected = states.applyEvent(begun(2), {
    t: "chain",
    d: chain("rejected", { reason: "ProofRejected" }),
    v: 2,
  });
  const told = states.applyEvent(rejected, correction({ cause: "refused", ply: 1 }));
  assert.equal(told.error, null);
  assert.match(
    told.correction?.text ?? "",
    /^1…\w+ does not hold as shown: the contract refused it/,
  );
  const other = states.applyEvent(rejected, correction({ cause: "reorg", ply: 0 }));
  assert.match(other.error ?? "", /ProofRejected/);
  const silent = states.applyEvent(rejected, { t: "full", d: snapshot(1), v: 3 });
  assert.equal(silent.correction, null); // the rejection said it already
});

test("what holds the game up is said, until nothing does", () => {
  assert.equal(holdUp(begun(2)), "");
  const reason = "the chain does not answer";
  const state = states.applyEvent(begun(2), { t: "waiting", d: { reason, at: 1 }, v: 2 });
  assert.equal(holdUp(state), "The chain does not answer. The game goes on by itself.");
  const on = states.applyEvent(state, { t: "waiting", d: { reason: null, at: 2 }, v: 3 });
  assert.equal(holdUp(on), "");
  assert.equal(holdUp(begun(2, { status: "ended", waiting: reason })), "");
});

test("absences are declared", () => {
  assert.equal(absences(snapshot(0)), "");
  const one = [{ since: 100, until: 142 }];
  assert.equal(
    absences(snapshot(0, { away: one })),
    "The arena was away for 42 s; the contract’s clocks ran on.",
  );
  const two = [...one, { since: 200, until: 300 }];
  assert.match(absences(snapshot(0, { away: two })), /for 2 min 22 s in 2 absences;/);
});

test("who resigns is told what is in flight", () => {
  const landed = Array.from({ length: 2 }, (_, ply) => record(ply, { stage: "verified" }));
  assert.equal(beforeResigning(begun(2, { moves: landed })), "");
  assert.match(beforeResigning(begun(2)), /^2 moves are not on the chain yet/);
  assert.match(beforeResigning(begun(1)), /^1 move is .* wait for it:/);
});

test("refusals that are no fault of the player read as such", () => {
  assert.match(lineOf(new CommandRefused("closing", "x")), /about to restart/);
  assert.match(lineOf(new CommandRefused("over_budget", "x")), /no new games for now/);
  assert.match(lineOf(new CommandRefused("bad_clock", "x")), /refused: x$/);
});

test("looking back does not let one move in the past", () => {
  const back = states.showing(begun(2), 1);
  assert.equal(states.shownPosition(back).fen, moves[0].fen);
  assert.ok(!states.canMove(back));
  assert.equal(states.showing(back, 99).shown, null);
  assert.equal(states.showing(back, -5).shown, 0);
  assert.match(describe(back).detail, /looking back/);
});

test("a new move brings a player back to the last position, and leaves a spectator alone", () => {
  const event = /** @type {GameEvent} */ ({ t: "move", d: record(2), v: 2 });
  assert.equal(states.applyEvent(states.showing(begun(2), 1), event).shown, null);
  assert.equal(states.applyEvent(states.showing(begun(2, {}, null), 1), event).shown, 1);
});

test("the running clock goes down, the other stands", () => {
  const state = begun(1);
  const clocks = /** @type {Snapshot} */ (state.snapshot).clocks;
  assert.equal(timeLeft(clocks, "black", 2010), 580);
  assert.equal(timeLeft(clocks, "white", 2010), 600);
  assert.ok(!states.opponentOutOfTime(state, 2010));
  assert.ok(states.opponentOutOfTime(state, 2591));
});

test("the end of the game ends the input", () => {
  const state = states.applyEvent(begun(2), {
    t: "end",
    d: { result: "1-0", reason: "checkmate", tx: null },
    v: 2,
  });
  assert.ok(states.isOver(state));
  assert.deepEqual(state.snapshot?.result, {
    result: "1-0",
    reason: "checkmate",
  });
});

test("the opening's stage is shown, and a refused opening is the end", () => {
  const opening = begun(0, {
    status: "opening",
    openStage: { stage: "submitted", tx: null, gas: null },
  });
  const on = states.applyEvent(opening, {
    t: "chain",
    d: { ...chain("verified"), ply: -1 },
    v: 2,
  });
  assert.equal(on.snapshot?.status, "playing");
  const off = states.applyEvent(opening, {
    t: "chain",
    d: { ...chain("rejected"), ply: -1 },
    v: 2,
  });
  assert.ok(states.isOver(off));
});

test("how the game stands is said in words", () => {
  /** @param {Partial<Snapshot>} change @param {string | null} [viewer] */
  const said = (change, viewer) => describe(begun(2, change, viewer));
  assert.equal(said({}).headline, "Your turn");
  assert.equal(said({}, null).headline, "White is to move");
  assert.equal(said({}).detail, "2 moves are on the way to the chain.");
  assert.equal(describe(begun(1)).headline, "pawn is to move");
  const lost = { result: "0-1", reason: "resignation" };
  assert.equal(said({ status: "ended", result: lost }).headline, "You lose · 0-1");
  assert.equal(said({ status: "ended", result: lost }, null).headline, "Black wins · 0-1");
  assert.equal(said({ status: "ended", result: lost }).detail, "Black wins by resignation");
  const drawn = { result: "1/2-1/2", reason: "stalemate" };
  assert.equal(said({ status: "ended", result: drawn }).detail, "A draw by stalemate");
  const stuck = {
    stage: /** @type {const} */ ("submitted"),
    tx: null,
    gas: null,
    reason: "no node",
  };
  assert.match(said({ status: "opening", openStage: stuck }).detail, /on its way.*: no node\./);
});

test("the board is turned to the player, and flips", () => {
  const black = begun(0, {
    white: { kind: "bot", version: "0x", name: "pawn" },
    black: { kind: "player", address: PLAYER.toUpperCase().replace("X", "x") },
  });
  assert.equal(states.bottomColor(black), "black");
  assert.equal(states.bottomColor(states.flipped(black)), "white");
});

test("frames of unknown types are faults", () => {
  assert.equal(parseFrame('{"t":"pong","id":1,"d":{}}').t, "pong");
  for (const text of ['{"t":"news","d":{}}', "{", "[]", '{"t":"move","d":{}}', '{"t":"ack"}']) {
    assert.throws(() => parseFrame(text), ProtocolFault, text);
  }
  assert.throws(() => parseFrame(new ArrayBuffer(1)), ProtocolFault);
});

test("the socket's address resumes at a version", () => {
  const location = /** @type {Location} */ ({
    href: "http://a:1/game/x",
    protocol: "http:",
  });
  assert.equal(socketUrl(location, "0x1", 7), "ws://a:1/ws?game=0x1&v=7");
  assert.equal(socketUrl(location, null, null), "ws://a:1/ws");
  assert.equal(socketUrl(location, "0x1", null, "0x2"), "ws://a:1/ws?game=0x1&player=0x2");
});

test("numbers read well", () => {
  assert.equal(clockText(599.9), "9:59");
  assert.equal(clockText(8.37), "0:08.3");
  assert.equal(clockText(-3), "0:00.0");
  assert.equal(clockText(3661), "1:01:01");
  assert.equal(grouped(412345), "412,345");
  assert.equal(seconds(1.84), "1.8 s");
  assert.equal(duration(41.6), "42 s");
  assert.equal(duration(185), "3 min 5 s");
  assert.equal(duration(7800), "2 h 10 min");
  assert.equal(short(`0x${"ab".repeat(32)}`), "0xabab…abab");
});
