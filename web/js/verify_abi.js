/**
 * The few calls and events of the contracts that a check reads (IArena.sol, IBotRegistry.sol,
 * IMoveVerifier.sol). The opening's fields are those that are signed, in the same order.
 */
import { keccak_256 } from "../vendor/noble-hashes/sha3.js";
import { concat, fromHex, toHex } from "./bytes.js";
import { TYPES } from "./signing.js";
import { hash, statementWords } from "./verify_statement.js";

/** @import { Log } from "./verify_rpc.js" */
/** @import { Statement } from "./verify_statement.js" */
/** @import { Open } from "./types.js" */

/** Bytes that do not say what they should. */
export class AbiFault extends Error {
  name = "AbiFault";
}

const OPEN_FIELDS = TYPES.Open.slice("Open(".length, -1)
  .split(",")
  .map((field) => field.split(" "));
const OPEN_TYPE = `(${OPEN_FIELDS.map(([type]) => type).join(",")})`;

/** The events, as their first topics are made of. */
export const EVENTS = {
  opened: `GameOpened(bytes32,address,${OPEN_TYPE},bytes32,bytes)`,
  player: "PlayerMoved(bytes32,uint16,uint16,bytes,uint256,uint256,bytes32)",
  bot: "BotMoved(bytes32,uint16,uint16,address,bytes,uint256,uint256,bytes32)",
};
export const CALLS = {
  registry: "registry()",
  bot: "bot(bytes32)",
  keyStore: "keyStore()",
  verifyMove: "verifyMove((uint256,uint256,address,uint128,uint256,uint256[8]),bytes)",
};

/** @param {string} signature */
const keccakText = (signature) => toHex(keccak_256(new TextEncoder().encode(signature)));
const TOPICS = new Map(
  Object.entries(EVENTS).map(([name, signature]) => [keccakText(signature), name]),
);

/** @param {keyof typeof CALLS} name @param {string} [words] hex without 0x */
export const callData = (name, words = "") => keccakText(CALLS[name]).slice(0, 10) + words;

/** @param {Statement} statement @param {string} proof hex */
export function verifyMoveData(statement, proof) {
  const words = statementWords(statement);
  const bytes = fromHex(proof);
  const padded = new Uint8Array(Math.ceil(bytes.length / 32) * 32);
  padded.set(bytes);
  const number = (/** @type {number} */ value) => fromHex(value.toString(16).padStart(64, "0"));
  const tail = concat(words, number(words.length + 32), number(bytes.length), padded);
  return callData("verifyMove", toHex(tail).slice(2));
}

/** ABI words read one after another; what is out of range is a fault. */
class Reader {
  /** @param {string} hex */
  constructor(hex) {
    this.bytes = bytesOf(hex);
  }

  /** @param {number} at the word's number */
  word(at) {
    const part = this.bytes.subarray(32 * at, 32 * at + 32);
    if (part.length < 32) throw new AbiFault("the data is too short");
    return toHex(part);
  }

  /** @param {number} at @returns {number} a small number */
  number(at) {
    const value = BigInt(this.word(at));
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new AbiFault("a number is too large");
    return Number(value);
  }

  /** @param {number} at */
  address(at) {
    const word = this.word(at);
    if (!/^0x0{24}/.test(word)) throw new AbiFault("an address has more than 20 bytes");
    return `0x${word.slice(26)}`;
  }

  /** Bytes whose offset, from word `base`, stands at a word. @param {number} at @param {number} [base] */
  dynamic(at, base = 0) {
    const start = 32 * base + this.number(at);
    const length = BigInt(toHex(this.bytes.subarray(start, start + 32)) || "0x0");
    const end = start + 32 + Number(length);
    if (start + 32 > this.bytes.length || end > this.bytes.length) {
      throw new AbiFault("the data is too short");
    }
    return toHex(this.bytes.subarray(start + 32, end));
  }
}

/** @param {string} hex */
function bytesOf(hex) {
  try {
    return fromHex(hex);
  } catch (error) {
    throw new AbiFault("the data is no hexadecimal string", { cause: error });
  }
}

/**
 * @typedef {object} Opened
 * @property {"opened"} kind
 * @property {Open} open
 * @property {string} secret
 *
 * @typedef {object} Moved a move; `board`, `context` and `history` are those after it
 * @property {"player" | "bot"} kind
 * @property {number} ply
 * @property {number} index
 * @property {string} evidence the signature, or the proof
 * @property {string} payee empty for a player's move
 * @property {bigint} board
 * @property {number} context
 * @property {string} history
 * @property {string | null} tx
 */

/**
 * What a log of the Arena says, or null if it is of another kind.
 *
 * @param {Log} log
 * @returns {Opened | Moved | null}
 * @throws {AbiFault}
 */
export function readLog(log) {
  const kind = TOPICS.get(String(log.topics[0]).toLowerCase());
  if (kind === undefined) return null;
  const data = new Reader(log.data);
  if (kind === "opened") {
    return { kind, open: openOf(data), secret: data.word(OPEN_FIELDS.length) };
  }
  const isBot = kind === "bot";
  const rest = isBot ? 4 : 3;
  return {
    kind: isBot ? "bot" : "player",
    ply: data.number(0),
    index: data.number(1),
    payee: isBot ? data.address(2) : "",
    evidence: data.dynamic(rest - 1),
    board: BigInt(data.word(rest)),
    context: data.number(rest + 1),
    history: data.word(rest + 2),
    tx: log.transactionHash ?? null,
  };
}

/** @param {Reader} data @returns {Open} */
function openOf(data) {
  const entries = OPEN_FIELDS.map(([type, name], at) => [name, fieldOf(data, type, at)]);
  return /** @type {Open} */ (/** @type {unknown} */ (Object.fromEntries(entries)));
}

/** @param {Reader} data @param {string} type @param {number} at */
function fieldOf(data, type, at) {
  if (type === "address") return data.address(at);
  if (type === "uint256") return BigInt(data.word(at)).toString();
  return type.startsWith("uint") ? data.number(at) : data.word(at);
}

/**
 * @typedef {object} Version a registered bot
 * @property {string} netHash
 * @property {string} circuitHash
 * @property {string} keyHash
 * @property {string} statement
 * @property {string} verifier
 * @property {string} verifierCodeHash
 * @property {boolean} custom
 * @property {string} id what these fields hash to
 */

/** @param {string} answer of BotRegistry.bot @returns {Version} @throws {AbiFault} */
export function readVersion(answer) {
  const data = new Reader(answer);
  const base = data.number(0) / 32;
  const metadata = data.dynamic(base + 8, base);
  const named = [0, 1, 2, 3, 4, 6].map((at) => fromHex(data.word(base + at)));
  return {
    netHash: data.word(base),
    circuitHash: data.word(base + 1),
    keyHash: data.word(base + 2),
    statement: data.word(base + 3),
    verifier: data.address(base + 4),
    verifierCodeHash: data.word(base + 5),
    custom: data.number(base + 7) === 1,
    id: hash(...named, fromHex(hash(fromHex(metadata)))),
  };
}

/** @param {string} answer of a call that gives one address @throws {AbiFault} */
export const readAddress = (answer) => new Reader(answer).address(0);

/** @param {string} answer of a call that gives yes or no */
export const readYes = (answer) => answer.length === 66 && BigInt(answer) === 1n;
