import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { moveName } from "../../web/js/corrections.js";
import { describe } from "../../web/js/describe.js";
import { startOf, atPly, firstPlyOf, follow } from "../../web/js/line.js";
import * as states from "../../web/js/state.js";
import { limbs, statementOf } from "../../web/js/verify_statement.js";

const golden = JSON.parse(readFileSync(new URL("../golden/moves.json", import.meta.url), "utf8"));
const { fen, game, moves, seed, payee } = golden.begunByBlack;
const PLAYER = `0x${"1".repeat(40)}`;

/** @param {number} at @param {object} [change] @returns {any} */
const record = (at, change = {}) => ({
  ...moves[at],
  color: moves[at].ply % 2 ? "black" : "white",
  by: moves[at].ply % 2 ? "player" : "bot",
  stage: "verified",
  at: {},
  ...change,
});

/** @param {number} plies @param {object} [change] @returns {any} */
const full = (plies, change = {}) => ({
  t: "full",
  v: 1,
  d: {
    game,
    chainId: 31337,
    arena: PLAYER,
    white: { kind: "bot", version: `0x${"2".repeat(64)}`, name: "pawn" },
    black: { kind: "player", address: PLAYER },
    opener: PLAYER,
    clock: { baseSeconds: 600, incrementSeconds: 5, delaySeconds: 0 },
    startFen: fen,
    status: "playing",
    result: null,
    openStage: { stage: "verified", tx: "0x1", gas: 1 },
    moves: Array.from({ length: plies }, (_, at) => record(at)),
    history: plies ? moves[plies - 1].history : game,
    clocks: { white: 600, black: 590, running: "black", at: 2000 },
    spectators: 0,
    waiting: null,
    away: [],
    ...change,
  },
});

/** @param {...any} events */
const after = (...events) =>
  events.reduce(
    states.applyEvent,
    states.withConnection(states.initialState(game, PLAYER), "open"),
  );

test("a game that Black begins is followed from its first ply", () => {
  const state = after(full(2), { t: "move", v: 2, d: record(2) });
  assert.equal(state.fault, null);
  assert.deepEqual(
    state.line.map((/** @type {any} */ position) => position.history),
    [game, ...moves.slice(0, 3).map((/** @type {any} */ move) => move.history)],
  );
  assert.equal(states.nextPly(state), 4);
  assert.equal(states.turn(state), "white");
  assert.equal(states.turn(after(full(0))), "black");
  assert.ok(states.canMove(after(full(0))));
});

test("a ply that is left out is found, whatever the first one's number", () => {
  const [first, second] = [record(0, { ply: 0 }), record(0, { ply: 2 })];
  assert.match(after(full(1, { moves: [first] })).fault ?? "", /left out ply 2/);
  assert.match(after(full(1, { moves: [second] })).fault ?? "", /left out ply 2/);
  assert.match(after(full(0), { t: "move", v: 2, d: record(1) }).fault ?? "", /left out ply 3/);
});

test("a move again replaces what stood at its ply, and what followed", () => {
  const state = after(full(3), { t: "move", v: 2, d: record(1) });
  assert.equal(state.line.length, 4);
  assert.equal(state.snapshot?.moves.length, 3);
});

test("a pending move is settled by the ply that it was made for", () => {
  const before = after(full(0));
  const position = states.afterMove(before, moves[0].index);
  assert.ok(position);
  const { ply, index } = moves[0];
  const pending = { ply, index, signature: "0x", base: game, position };
  const waiting = states.withPending(before, pending);
  assert.equal(states.applyEvent(waiting, full(0)).pending, pending);
  const played = states.applyEvent(waiting, { t: "move", v: 2, d: record(0) });
  assert.equal(played.pending, null);
  assert.equal(played.error, null);
});

test("moves are named by their number on the board", () => {
  const { line } = after(full(2));
  assert.equal(moveName(line, 1), `1…${moves[0].san}`);
  assert.equal(moveName(line, 2), `2.${moves[1].san}`);
});

test("a correction is told about the ply that it names", () => {
  const told = { ply: 1, cause: "refused", message: "the contract refused it", at: 5 };
  const state = after(full(2), { t: "correction", v: 2, d: told });
  assert.match(state.correction?.text ?? "", /^1….* and the move after it do not hold/);
});

test("a proof's public inputs are the Python side's", () => {
  let line = [startOf(game, fen)];
  for (const [at, move] of moves.entries()) {
    assert.equal(firstPlyOf(line) + at, move.ply);
    assert.equal(atPly(line, move.ply), line[at]);
    const inputs = limbs(statementOf(line, at, { index: move.index, payee, seed }));
    assert.deepEqual(
      inputs.map((limb) => `0x${limb.toString(16)}`),
      move.limbs,
    );
    line = [...line, follow(line[at], record(at))];
  }
});

test("a game that was taken back is nobody's loss", () => {
  const result = { result: "*", reason: "aborted" };
  const { headline, detail } = describe(after(full(1, { status: "ended", result })));
  assert.equal(headline, "Aborted · *");
  assert.match(detail, /aborted; nobody has won/);
});
