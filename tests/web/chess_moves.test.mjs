import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { MOVES, POLICY_SIZE, indexMove, moveIndex } from "../../web/js/chess_moves.js";
import {
  START,
  boardWord,
  contextWord,
  firstPly,
  startFen,
  startWords,
} from "../../web/js/encoding.js";
import {
  RecordFault,
  asStart,
  drawClaim,
  firstPlyOf,
  follow,
  isFinal,
  startOf,
} from "../../web/js/line.js";
import { Chess } from "../../web/vendor/chess.js/chess.js";

const golden = JSON.parse(readFileSync(new URL("../golden/moves.json", import.meta.url), "utf8"));

test("the policy map is the Python side's, move by move", () => {
  assert.equal(MOVES.length, POLICY_SIZE);
  assert.deepEqual([...MOVES], golden.policy);
});

test("every legal move has the Python side's index, and comes back from it", () => {
  for (const { fen, moves } of golden.positions) {
    const chess = new Chess(fen);
    const found = chess.moves({ verbose: true }).map((move) => [move.lan, moveIndex(move)]);
    assert.deepEqual(
      Object.fromEntries(found.sort()),
      Object.fromEntries(Object.entries(moves).sort()),
    );
    for (const [lan, index] of found) assert.equal(indexMove(chess, Number(index))?.lan, lan);
  }
});

test("an index without a legal move names none", () => {
  assert.equal(indexMove(new Chess(), golden.policy.indexOf("a1a8")), null);
  assert.equal(indexMove(new Chess(), POLICY_SIZE), null);
});

/** @param {any} move @param {number} ply @returns {any} */
const record = (move, ply) => ({ ...move, ply });

test("whole games lead to the same positions, notation and histories", () => {
  for (const { game, moves } of golden.lines) {
    let position = startOf(game);
    for (const [ply, move] of moves.entries()) {
      position = follow(position, record(move, ply));
      assert.equal(position.fen, move.fen);
      assert.equal(position.history, move.history);
      assert.equal(position.move?.san, move.san);
    }
  }
});

test("a record that contradicts the rules is found", () => {
  const { game, moves } = golden.lines[0];
  const [first, second] = moves;
  const start = startOf(game);
  for (const [what, changed] of Object.entries({
    index: { ...first, index: golden.policy.indexOf("e1e8") },
    uci: { ...first, uci: "a2a5" },
    history: { ...first, history: second.history },
    fen: { ...first, fen: second.fen },
  })) {
    assert.throws(() => follow(start, record(changed, 0)), RecordFault, what);
  }
});

test("a draw can be claimed at the third occurrence, or after fifty moves", () => {
  const shuffle = ["Nf3", "Nf6", "Ng1", "Ng8"];
  const chess = new Chess();
  const line = [startOf("0x00")];
  const push = (/** @type {string} */ san) => {
    chess.move(san);
    line.push({ ...line[0], fen: chess.fen() });
  };
  shuffle.forEach(push);
  assert.equal(drawClaim(line), null);
  shuffle.forEach(push);
  assert.equal(drawClaim(line), "threefold");
  assert.equal(drawClaim([{ ...line[0], fen: "4k3/8/8/8/8/8/8/R3K3 w - - 99 80" }]), null);
  assert.equal(drawClaim([{ ...line[0], fen: "4k3/8/8/8/8/8/8/R3K3 w - - 100 80" }]), "fifty");
});

test("mate, stalemate and bare kings are final", () => {
  assert.ok(isFinal("rnb1kbnr/pppp1ppp/8/4p3/6Pq/5P2/PPPPP2P/RNBQKBNR w KQkq - 1 3"));
  assert.ok(isFinal("7k/5Q2/6K1/8/8/8/8/8 b - - 0 1"));
  assert.ok(isFinal("7k/8/6K1/8/8/8/8/8 b - - 0 1"));
  assert.ok(!isFinal(golden.positions[0].fen));
});

test("positions are encoded as the Python side encodes them", () => {
  for (const { fen, board, contexts } of golden.positions) {
    assert.equal(`0x${boardWord(fen).toString(16)}`, board);
    assert.deepEqual(
      contexts.map((/** @type {number} */ _, /** @type {number} */ n) => contextWord(fen, n)),
      contexts,
    );
  }
});

test("a start's words are the Python side's, and come back from them", () => {
  for (const { fen, begins, ...words } of golden.starts) {
    assert.equal(asStart(fen), begins);
    assert.deepEqual(startWords(begins), words);
    assert.equal(startFen(words), begins);
    assert.equal(firstPly(words), firstPlyOf([startOf("0x", begins)]));
    assert.equal(firstPly(words), begins.includes(" w ") ? 0 : 1);
  }
  assert.equal(startOf("0x").fen, START);
  assert.equal(startFen({ start: `0x${"0".repeat(64)}` }), START);
});

test("what is no FEN is no start", () => {
  for (const text of ["", "8/8", "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR x KQkq - 0 1"]) {
    assert.throws(() => asStart(text), Error);
  }
});
