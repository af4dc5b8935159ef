import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { check } from "../../web/js/verify_check.js";
import { callData, readLog, verifyMoveData } from "../../web/js/verify_abi.js";
import { Groth16Fault, holds } from "../../web/js/verify_groth16.js";
import { limbs } from "../../web/js/verify_statement.js";

const golden = JSON.parse(readFileSync(new URL("../golden/check.json", import.meta.url), "utf8"));
const { house, custom } = golden.games;
const ENDPOINT = "http://127.0.0.1:1/";

/**
 * A chain as it was recorded, after `lie` has changed it.
 *
 * @param {(chain: any) => void} [lie]
 * @returns {any} for `fetch`
 */
function endpoint(lie = () => {}) {
  const chain = structuredClone(golden);
  chain.head = "0x400";
  chain.verdict = "0x" + "1".padStart(64, "0");
  lie(chain);
  /** @type {Record<string, (...params: any[]) => unknown>} */
  const methods = {
    eth_chainId: () => `0x${chain.domain.chainId.toString(16)}`,
    eth_blockNumber: () => chain.head,
    eth_getTransactionReceipt: (tx) => {
      const game = [chain.games.house, chain.games.custom].find(({ openTx }) => openTx === tx);
      return game ? { blockNumber: game.openBlock } : null;
    },
    eth_getLogs: ({ topics, fromBlock, toBlock }) =>
      [chain.games.house, chain.games.custom]
        .filter(({ game }) => game === topics[1])
        .flatMap(({ logs }) => logs)
        .filter(({ blockNumber: at }) => +at >= +fromBlock && +at <= +toBlock),
    eth_getCode: (address) => chain.codes[address] ?? "0x",
    eth_call: ({ to, data }) => {
      if (!data.startsWith(callData("verifyMove"))) return chain.calls[`${to} ${data}`];
      const known = custom.plies.some((/** @type {any} */ ply) => ply.call === data);
      if (!known || chain.verdict === null) throw new Error("execution reverted");
      return chain.verdict;
    },
  };
  return async (/** @type {string} */ url, /** @type {{body: string}} */ { body }) => {
    assert.equal(url, ENDPOINT);
    const { method, params } = JSON.parse(body);
    try {
      const result = methods[method](...params) ?? null;
      return { json: async () => ({ result }) };
    } catch (error) {
      return { json: async () => ({ error: { message: /** @type {Error} */ (error).message } }) };
    }
  };
}

/** @param {any} game @param {number} ply */
const question = ({ game, openTx }, ply) => ({
  endpoint: ENDPOINT,
  domain: golden.domain,
  game,
  ply,
  openTx,
  proof: null,
  system: /** @type {const} */ ("groth16"),
});

/** @param {number} ply @param {(chain: any) => void} [lie] */
const checkHouse = (ply, lie) => check(question(house, ply), { ask: endpoint(lie) });

/** Flip a bit of a hex string. @param {string} hex @param {number} byte */
function flipped(hex, byte) {
  const at = 2 + 2 * byte;
  const changed = (Number.parseInt(hex.slice(at, at + 2), 16) ^ 1).toString(16).padStart(2, "0");
  return hex.slice(0, at) + changed + hex.slice(at + 2);
}

/** Where in the data of a BotMoved log its proof begins. */
const PROOF_AT = 32 * 8;

test("a house bot's proofs are verified here, with the Python side's public inputs", async () => {
  for (const { ply, limbs: expected } of house.plies) {
    /** @type {string[]} */
    const told = [];
    const verdict = await check(question(house, ply), {
      ask: endpoint(),
      onStep: ({ title }) => told.push(title),
    });
    assert.equal(verdict.result, "verified", verdict.line);
    assert.deepEqual(verdict.inputs, expected);
    assert.ok(verdict.steps.every(({ ok }) => ok));
    assert.ok(told.includes("Verifying key") && told.at(-1) === "Proof");
  }
});

test("a bot's own verifier is asked again, with inputs made here", async () => {
  const [{ ply }] = custom.plies;
  const asked = { ...question(custom, ply), system: /** @type {const} */ ("ezkl") };
  const verdict = await check(asked, { ask: endpoint() });
  assert.equal(verdict.result, "verified", verdict.line);
  for (const no of [null, `0x${"0".repeat(64)}`, "0x"]) {
    const ask = endpoint((chain) => (chain.verdict = no));
    const found = await check(asked, { ask });
    assert.equal(found.result, "forged", `${no}: ${found.line}`);
  }
});

test("the question to a verifier is the Python side's, byte for byte", () => {
  const [{ call, limbs: expected }] = custom.plies;
  /** @param {number} at */
  const word = (at) => BigInt(`0x${call.slice(10 + 64 * at, 74 + 64 * at)}`);
  let mask = 0n;
  for (let k = 0; k < 8; k++) mask |= word(5 + k) << BigInt(256 * k);
  const statement = {
    board: word(0),
    context: Number(word(1)),
    payee: `0x${word(2).toString(16).padStart(40, "0")}`,
    dice: word(3),
    index: Number(word(4)),
    mask,
  };
  assert.deepEqual(
    limbs(statement).map((limb) => `0x${limb.toString(16)}`),
    expected,
  );
  const moved = /** @type {any} */ (readLog(custom.logs[2]));
  assert.equal(verifyMoveData(statement, moved.evidence), call);
});

const FORGERIES = /** @type {[string, (chain: any) => void][]} */ ([
  ...[0, 40, 64, 100, 191, 192, 255].map((byte) => [
    `byte ${byte} of the proof`,
    (/** @type {any} */ { games }) =>
      (games.house.logs[4].data = flipped(games.house.logs[4].data, PROOF_AT + byte)),
  ]),
  [
    "another move's proof",
    ({ games: { house } }) => {
      const proof = house.logs[2].data.slice(2 + 2 * PROOF_AT);
      house.logs[4].data = house.logs[4].data.slice(0, 2 + 2 * PROOF_AT) + proof;
    },
  ],
  [
    "another payee",
    ({ games }) => (games.house.logs[4].data = flipped(games.house.logs[4].data, 95)),
  ],
  [
    "another move",
    ({ games }) => (games.house.logs[4].data = flipped(games.house.logs[4].data, 63)),
  ],
  [
    "another board",
    ({ games }) => (games.house.logs[4].data = flipped(games.house.logs[4].data, 159)),
  ],
  [
    "another history",
    ({ games }) => (games.house.logs[3].data = flipped(games.house.logs[3].data, 191)),
  ],
  [
    "a player's signature",
    ({ games }) => (games.house.logs[3].data = flipped(games.house.logs[3].data, 260)),
  ],
  [
    "a field of the opening",
    ({ games }) => (games.house.logs[0].data = flipped(games.house.logs[0].data, 31)),
  ],
  [
    "the dice's secret",
    ({ games }) => {
      const { data } = games.house.logs[0];
      const secret = data.indexOf("33".repeat(32));
      games.house.logs[0].data = flipped(data, (secret - 2) / 2);
    },
  ],
  [
    "the key",
    (chain) => {
      const [store] = Object.keys(chain.codes).filter(
        (at) => chain.codes[at].length === 2 + 2 * 1153,
      );
      chain.codes[store] = flipped(chain.codes[store], 700);
    },
  ],
  [
    "the verifier's code",
    (chain) => {
      const [verifier] = Object.keys(chain.codes).filter((at) => chain.codes[at].length > 2400);
      chain.codes[verifier] = flipped(chain.codes[verifier], 100);
    },
  ],
  [
    "the bot's registration",
    (chain) => {
      for (const [name, answer] of Object.entries(chain.calls)) {
        if (answer.length > 200) chain.calls[name] = flipped(answer, 40);
      }
    },
  ],
]);

for (const [name, lie] of FORGERIES) {
  test(`an endpoint that changes ${name} is found out`, async () => {
    const verdict = await checkHouse(3, lie);
    assert.equal(verdict.result, "forged", verdict.line);
    assert.equal(verdict.steps.at(-1)?.ok, false);
  });
}

test("a player's move without a signature cannot be passed off as a bot's", async () => {
  const verdict = await checkHouse(3, ({ games: { house } }) => {
    const [player, bot] = [house.logs[3], house.logs[4]];
    const words = player.data.slice(2).match(/.{64}/g);
    const [ply, index, , board, context, history] = words;
    const [nobody, offset, none] = ["", "e0", ""].map((word) => word.padStart(64, "0"));
    player.topics = bot.topics;
    player.data = `0x${[ply, index, nobody, offset, board, context, history, none].join("")}`;
  });
  assert.equal(verdict.result, "forged");
  assert.match(verdict.line, /not the mover/);
});

test("a player's move has no proof to check", async () => {
  const verdict = await checkHouse(2);
  assert.equal(verdict.result, "forged");
  assert.match(verdict.line, /a player’s move/);
});

test("an endpoint cannot pass a house bot off as one with a verifier of its own", async () => {
  const verdict = await check(question(custom, custom.plies[0].ply), { ask: endpoint() });
  assert.equal(verdict.result, "forged");
  assert.match(verdict.line, /brought its own verifier/);
});

test("what is missing is undecided, never a pass", async () => {
  const lies = /** @type {((chain: any) => void)[]} */ ([
    ({ domain }) => (domain.chainId = 1),
    ({ games }) => (games.house.logs = []),
    ({ games }) => (games.house.openTx = "0x00"),
    ({ games }) => games.house.logs.splice(4),
    ({ games }) => games.house.logs.splice(2, 1),
    ({ games }) => (games.house.logs[4].data = games.house.logs[4].data.slice(0, 200)),
    (chain) => (chain.calls = {}),
  ]);
  for (const lie of lies) {
    const verdict = await checkHouse(3, lie);
    assert.equal(verdict.result, "undecided", `${lie}: ${verdict.line}`);
  }
  const down = async () => {
    throw new TypeError("fetch failed");
  };
  const verdict = await check(question(house, 3), { ask: /** @type {any} */ (down) });
  assert.equal(verdict.result, "undecided");
  assert.match(verdict.line, /does not answer/);
});

test("an opening whose transaction is unknown is searched for in spans", async () => {
  const asked = { ...question(house, 1), openTx: null };
  assert.equal(
    (await check(asked, { ask: endpoint((c) => (c.head = "0x9000")) })).result,
    "verified",
  );
});

test("an opening that may be millions of blocks back is not searched for", async () => {
  const asked = { ...question(house, 1), openTx: null };
  const verdict = await check(asked, { ask: endpoint((c) => (c.head = "0x1000000")) });
  assert.equal(verdict.result, "undecided");
  assert.match(verdict.line, /too many blocks/);
});

test("other bytes than those on chain are pointed out", async () => {
  const asked = { ...question(house, 1), proof: "0x00" };
  const { steps } = await check(asked, { ask: endpoint() });
  assert.deepEqual(
    steps.filter(({ ok }) => !ok).map(({ title }) => title),
    ["Shown"],
  );
});

/** The recorded house bot's verifying key. */
function houseKey() {
  const codes = Object.values(golden.codes).map((code) => Buffer.from(code.slice(4), "hex"));
  const found = codes.find((code) => code.length === 1152);
  assert.ok(found);
  return Uint8Array.from(found);
}

test("a key whose gamma is delta, by which anyone could forge, is refused", () => {
  const key = houseKey();
  key.copyWithin(320, 192, 320);
  const fault = { name: "Groth16Fault", message: /gamma is delta/ };
  assert.throws(() => holds(key, new Uint8Array(256), Array(10).fill(0n)), fault);
  assert.equal(holds(houseKey(), new Uint8Array(256), Array(10).fill(0n)), false);
});

test("a key or a proof of a wrong length, or an input too large, is refused", () => {
  const key = houseKey();
  assert.throws(() => holds(key.subarray(1), new Uint8Array(256), []), Groth16Fault);
  assert.throws(() => holds(key, new Uint8Array(255), Array(10).fill(0n)), Groth16Fault);
  assert.throws(() => holds(key, new Uint8Array(256), Array(9).fill(0n)), Groth16Fault);
  assert.throws(() => holds(key, new Uint8Array(256), Array(10).fill(1n << 254n)), Groth16Fault);
});
