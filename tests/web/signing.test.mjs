import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fromHex, toHex } from "../../web/js/bytes.js";
import {
  Key,
  abortDigest,
  drawDigest,
  gameId,
  moveDigest,
  openDigest,
  playerSide,
  resignDigest,
  sidePlayer,
} from "../../web/js/signing.js";

const golden = JSON.parse(readFileSync(new URL("../golden/signing.json", import.meta.url), "utf8"));

/** @type {Record<string, (domain: any, fields: any) => Uint8Array>} */
const DIGESTS = {
  Open: openDigest,
  Move: moveDigest,
  Resign: resignDigest,
  Draw: drawDigest,
  Abort: abortDigest,
};

test("addresses are those of the Python side", () => {
  for (const { secret, address } of golden.keys) {
    assert.equal(new Key(fromHex(secret)).address, address);
  }
});

test("digests are those of the Python side", () => {
  for (const { type, fields, digest } of golden.messages) {
    assert.equal(toHex(DIGESTS[type](golden.domain, fields)), digest, type);
  }
});

test("signatures are those of the Python side, byte for byte", () => {
  for (const { type, digest, signatures } of golden.messages) {
    for (const [i, { secret }] of golden.keys.entries()) {
      assert.equal(new Key(fromHex(secret)).sign(fromHex(digest)), signatures[i], type);
    }
  }
});

test("a game's id is the digest of its opening, and no field is left out of it", () => {
  const [{ fields, digest }] = golden.messages;
  assert.equal(gameId(golden.domain, fields), digest);
  for (const [name, value] of Object.entries(fields)) {
    const changed =
      typeof value === "number"
        ? value + 1
        : name === "nonce"
          ? (BigInt(value) - 1n).toString()
          : value.slice(0, -1) + (value.endsWith("0") ? "1" : "0");
    assert.notEqual(gameId(golden.domain, { ...fields, [name]: changed }), digest, name);
  }
});

test("a value that does not fit its word is refused", () => {
  const [{ fields }] = golden.messages;
  assert.throws(() => gameId(golden.domain, { ...fields, seed: `${fields.seed}00` }), RangeError);
  assert.throws(() => gameId(golden.domain, { ...fields, seed: "0xzz" }), RangeError);
});

test("a side names its player, or a bot", () => {
  const { address } = golden.keys[0];
  assert.equal(sidePlayer(playerSide(address)), address);
  assert.equal(sidePlayer(`0x${"ab".repeat(32)}`), null);
  assert.equal(sidePlayer(`0x${"00".repeat(32)}`), null);
});

test("a broken key is refused", () => {
  assert.throws(() => new Key(new Uint8Array(32)), RangeError);
  assert.throws(() => new Key(new Uint8Array(31)));
});
