import assert from "node:assert/strict";
import { test } from "node:test";
import { delayLeft, timeLeft } from "../../web/js/clocks.js";
import { KeyTextFault, keyLine, readKeys } from "../../web/js/keys.js";
import { ServerTime } from "../../web/js/lag.js";
import { balance, lost } from "../../web/js/material.js";
import { clkText, clocksAfter } from "../../web/js/pgn.js";
import { USUAL, parsePrefs } from "../../web/js/prefs.js";
import { premoveIndex, premoveTargets } from "../../web/js/premove.js";
import { Key, openTypedData } from "../../web/js/signing.js";
import { soundOf } from "../../web/js/sounds.js";
import { spoken, typedMove } from "../../web/js/typed.js";

/** @import { Clocks, MoveRecord, Open, Snapshot } from "../../web/js/types.js" */

const START = "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1";
const CASTLES = "r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 0 1";

/** @param {string} fen @param {string} text @returns {string} what was understood, or the fault */
const read = (fen, text) => {
  const typed = typedMove(fen, text);
  return "fault" in typed ? typed.fault : typed.san;
};

test("moves are understood as people type them", () => {
  for (const text of ["Nf3", "nf3", " Nf3! ", "g1f3", "G1F3", "Ng1f3", "Ng1-f3"]) {
    assert.equal(read(START, text), "Nf3", text);
  }
  assert.equal(read(START, "e2e4"), "e4");
  for (const text of ["O-O", "0-0", "oo", "e1g1"]) assert.equal(read(CASTLES, text), "O-O", text);
  for (const text of ["O-O-O", "0-0-0", "e1c1"]) assert.equal(read(CASTLES, text), "O-O-O", text);
  const promotes = "3r3k/4P3/8/8/8/8/8/K7 w - - 0 1";
  for (const text of ["exd8=N", "exd8n", "ed8N", "e7d8n"]) {
    assert.equal(read(promotes, text), "exd8=N", text);
  }
});

test("a pawn's move is not taken for a bishop's", () => {
  const both = "4k3/8/8/8/8/2p5/1P1B4/4K3 w - - 0 1";
  assert.equal(read(both, "bxc3"), "bxc3");
  assert.equal(read(both, "Bxc3"), "Bxc3");
});

test("what cannot be understood is said in one line", () => {
  assert.equal(read(START, "Ke2"), "Ke2 is no legal move here.");
  assert.equal(read(START, ""), "Type a move, such as Nf3 or g1f3.");
  const two = "4k3/8/8/8/8/8/8/N3K1N1 w - - 0 1";
  assert.match(read("4k3/8/8/8/8/5N2/8/1N2K3 w - - 0 1", "Nd2"), /^Nd2 could be N.d2, N.d2\.$/);
  assert.equal(read(two, "Nc2"), "Nc2");
});

test("moves are spoken", () => {
  assert.equal(spoken("Nxf3+"), "knight takes f3, check");
  assert.equal(spoken("e4"), "e4");
  assert.equal(spoken("exd8=Q#"), "pawn e takes d8 makes a queen, checkmate");
  assert.equal(spoken("O-O-O"), "castles long");
  assert.equal(soundOf("Nxf3"), "capture");
  assert.equal(soundOf("Nxf3#"), "check");
  assert.equal(soundOf("e4"), "move");
});

test("what was taken is counted over the game, promotions apart", () => {
  const fens = [
    "3r3k/4P3/8/8/8/8/8/K7 w - - 0 1",
    "3Q3k/8/8/8/8/8/8/K7 b - - 0 1",
    "3Q4/7k/8/8/8/8/8/K7 w - - 0 1",
  ];
  assert.deepEqual(lost(fens, "black"), { p: 0, n: 0, b: 0, r: 1, q: 0 });
  assert.deepEqual(lost(fens, "white"), { p: 0, n: 0, b: 0, r: 0, q: 0 });
  assert.equal(balance(fens[0]), -4);
  assert.equal(balance(fens[2]), 9);
});

test("a premove goes where its man could, and is played only if it is legal", () => {
  assert.deepEqual(premoveTargets(START, "g1", "white").sort(), ["e2", "f3", "h3"]);
  assert.deepEqual(premoveTargets(START, "g1", "black"), []);
  assert.deepEqual(premoveTargets(START, "e2", "white").sort(), ["d3", "e3", "e4", "f3"]);
  assert.equal(premoveTargets(START, "e4", "white").length, 0);
  assert.ok(premoveTargets(CASTLES, "e1", "white").includes("g1"));
  assert.equal(premoveIndex(START, { from: "f1", to: "c4" }), null);
  assert.notEqual(premoveIndex(START, { from: "g1", to: "f3" }), null);
  const index = premoveIndex(CASTLES, { from: "e1", to: "h1" });
  assert.equal(index, premoveIndex(CASTLES, { from: "e1", to: "g1" }));
  const promotes = "3r3k/4P3/8/8/8/8/8/K7 w - - 0 1";
  const typed = typedMove(promotes, "exd8=Q");
  assert.equal(premoveIndex(promotes, { from: "e7", to: "d8" }), "index" in typed && typed.index);
});

test("the server's time is taken from the quickest answer", () => {
  const time = new ServerTime();
  assert.equal(time.from(50), 50);
  time.add(100, 104, 1000); // two seconds each way, or one and three
  time.add(200, 200.2, 1100.1);
  time.add(300, 302, 1300);
  assert.equal(Math.round(time.from(0) * 1000) / 1000, 900);
});

test("the delay costs nothing, and then the clock runs", () => {
  /** @type {Clocks} */
  const clocks = { white: 60, black: 60, running: "white", at: 1000 };
  assert.equal(timeLeft(clocks, "white", 1003, 5), 60);
  assert.equal(delayLeft(clocks, 1003, 5), 2);
  assert.equal(timeLeft(clocks, "white", 1008, 5), 57);
  assert.equal(delayLeft(clocks, 1008, 5), 0);
  assert.equal(timeLeft(clocks, "black", 1008, 5), 60);
});

test("the clocks of a PGN are reckoned back from those that stand", () => {
  const moves = /** @type {MoveRecord[]} */ (
    [10, 13, 20, 21].map((verified, ply) => ({
      ply,
      color: ply % 2 ? "black" : "white",
      stage: "verified",
      at: { verified },
    }))
  );
  const snapshot = /** @type {Snapshot} */ ({
    moves,
    clocks: { white: 98, black: 103, running: "white", at: 21 },
    clock: { baseSeconds: 100, incrementSeconds: 2, delaySeconds: 1 },
  });
  // white's second move took 7 s, one of them free, and gained 2; black's took 1, all free
  assert.deepEqual(clocksAfter(snapshot), [102, 101, 98, 103]);
  assert.equal(clkText(3661.4), "1:01:01");
});

test("odd preferences are left out", () => {
  assert.deepEqual(parsePrefs(null), USUAL);
  assert.deepEqual(parsePrefs("{"), USUAL);
  assert.deepEqual(parsePrefs('{"theme":"pink","sound":1,"zen":true}'), { ...USUAL, zen: true });
});

test("a key as text is read again, and a wrong character is noticed", () => {
  const [key, other] = [Key.random(), Key.random()];
  const game = "ab".repeat(32);
  const text = `${keyLine(key)}\n\n  ${keyLine(other, game)} \n`;
  const { own, games } = readKeys(text);
  assert.equal(own?.address, key.address);
  assert.deepEqual(
    games.map(([id, { address }]) => [id, address]),
    [[game, other.address]],
  );
  const line = keyLine(key);
  for (let at = 0; at < line.length; at++) {
    const wrong = `${line.slice(0, at)}${line[at] === "0" ? "1" : "0"}${line.slice(at + 1)}`;
    assert.throws(() => readKeys(wrong), KeyTextFault, wrong);
  }
  for (const bad of ["", "hello", line.slice(0, -1), `${line}\n${line}`]) {
    assert.throws(() => readKeys(bad), KeyTextFault);
  }
});

test("a wallet is asked for every field of the opening", () => {
  const open = /** @type {Open} */ (/** @type {unknown} */ ({ opener: "0x1" }));
  const { types, message } = openTypedData({ chainId: 1, arena: "0x2" }, open);
  assert.deepEqual(types.Open[0], { type: "address", name: "opener" });
  assert.ok(types.Open.some(({ name, type }) => name === "expires" && type === "uint64"));
  assert.equal(message, open);
});
