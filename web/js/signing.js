/**
 * What the player signs: EIP-712 messages that bind chain, contract, game, ply and history.
 *
 * Every field is static, so a struct is its type hash and one 32-byte ABI word a field.
 * Signatures are 65 bytes, r | s | v with v 27 or 28 and s in the lower half of the order.
 */
import { hmac } from "../vendor/noble-hashes/hmac.js";
import { sha256 } from "../vendor/noble-hashes/sha2.js";
import { keccak_256 } from "../vendor/noble-hashes/sha3.js";
import * as secp from "../vendor/noble-secp256k1/index.js";
import { concat, fromHex, toHex } from "./bytes.js";

/** @import { Domain, Open } from "./types.js" */

// WebCrypto's hashes are missing on plain http away from localhost; these work everywhere.
secp.hashes.sha256 = sha256;
secp.hashes.hmacSha256 = (key, message) => hmac(sha256, key, message);

const ZERO_ADDRESS = `0x${"0".repeat(40)}`;
/** Half the order of secp256k1: above it lies each signature's second form (EIP-2). */
const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

/** The structs that are signed, as EIP-712 writes them. */
export const TYPES = /** @type {const} */ ({
  Domain: "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
  Open:
    "Open(address opener,bytes32 white,bytes32 black,bytes32 start,uint24 startContext," +
    "uint32 baseSeconds,uint16 incrementSeconds,uint16 delaySeconds,bytes32 commitment," +
    "bytes32 seed,uint64 expires,uint256 nonce)",
  Move: "Move(bytes32 game,uint16 ply,bytes32 history,uint16 index)",
  Resign: "Resign(bytes32 game)",
  Draw: "Draw(bytes32 game,uint16 ply,bytes32 history)",
  Abort: "Abort(bytes32 game)",
});

/** @param {string} text */
const keccakText = (text) => keccak_256(new TextEncoder().encode(text));

/**
 * One ABI word: a number in big-endian order, or hex (an address or 32 bytes) padded on the left.
 *
 * @param {number | bigint | string | Uint8Array} value
 * @throws {RangeError} if it does not fit
 */
function word(value) {
  const bytes =
    value instanceof Uint8Array
      ? value
      : fromHex(typeof value === "string" ? value : BigInt(value).toString(16).padStart(64, "0"));
  if (bytes.length > 32) throw new RangeError(`${bytes.length} bytes do not fit a word`);
  const padded = new Uint8Array(32);
  padded.set(bytes, 32 - bytes.length);
  return padded;
}

/** @param {Domain} domain */
function separator({ chainId, arena }) {
  return keccak_256(
    concat(
      keccakText(TYPES.Domain),
      keccakText("checkproof"),
      keccakText("1"),
      word(chainId),
      word(arena),
    ),
  );
}

/**
 * @param {Domain} domain
 * @param {keyof typeof TYPES} type
 * @param {(number | bigint | string)[]} values
 */
function digest(domain, type, values) {
  const struct = keccak_256(concat(keccakText(TYPES[type]), ...values.map(word)));
  return keccak_256(concat(Uint8Array.of(0x19, 0x01), separator(domain), struct));
}

/** @param {Domain} domain @param {Open} open */
export function openDigest(domain, open) {
  return digest(domain, "Open", [
    open.opener,
    open.white,
    open.black,
    open.start,
    open.startContext ?? 0,
    open.baseSeconds,
    open.incrementSeconds,
    open.delaySeconds,
    open.commitment,
    open.seed,
    open.expires,
    BigInt(open.nonce),
  ]);
}

/**
 * The same message as a wallet takes it (EIP-712's JSON).
 *
 * @param {Domain} domain
 * @param {Open} open
 */
export function openTypedData(domain, open) {
  return {
    types: { EIP712Domain: fieldsOf(TYPES.Domain), Open: fieldsOf(TYPES.Open) },
    primaryType: "Open",
    domain: {
      name: "checkproof",
      version: "1",
      chainId: domain.chainId,
      verifyingContract: domain.arena,
    },
    message: open,
  };
}

/** @param {string} type such as Move(bytes32 game,uint16 ply) */
const fieldsOf = (type) =>
  type
    .slice(type.indexOf("(") + 1, -1)
    .split(",")
    .map((field) => ({ type: field.split(" ")[0], name: field.split(" ")[1] }));

/**
 * The id of the game that this message opens: its own digest.
 *
 * @param {Domain} domain
 * @param {Open} open
 */
export const gameId = (domain, open) => toHex(openDigest(domain, open));

/**
 * @param {Domain} domain
 * @param {{game: string, ply: number, history: string, index: number}} move
 */
export const moveDigest = (domain, { game, ply, history, index }) =>
  digest(domain, "Move", [game, ply, history, index]);

/** @param {Domain} domain @param {{game: string}} resign */
export const resignDigest = (domain, { game }) => digest(domain, "Resign", [game]);

/** @param {Domain} domain @param {{game: string}} abort */
export const abortDigest = (domain, { game }) => digest(domain, "Abort", [game]);

/** @param {Domain} domain @param {{game: string, ply: number, history: string}} draw */
export const drawDigest = (domain, { game, ply, history }) =>
  digest(domain, "Draw", [game, ply, history]);

/**
 * The rolling hash of a game's moves; the first one is the game's id.
 *
 * @param {string} history before the move, 32 bytes
 * @param {number} index
 */
export const nextHistory = (history, index) =>
  toHex(keccak_256(concat(word(history), word(index))));

/** A signing key with its address. */
export class Key {
  /** @param {Uint8Array} secret 32 bytes @throws {RangeError} if it is no key */
  constructor(secret) {
    if (!secp.utils.isValidSecretKey(secret)) throw new RangeError("not a secp256k1 key");
    this.secret = secret;
    /** Lower-case, with 0x. */
    this.address = addressOf(secp.getPublicKey(secret, false));
  }

  static random() {
    return new Key(secp.utils.randomSecretKey());
  }

  /** @param {Uint8Array} digest 32 bytes @returns {string} 65 bytes as hex */
  sign(digest) {
    const raw = secp.sign(digest, this.secret, { prehash: false, format: "recovered" });
    return toHex(concat(raw.subarray(1), Uint8Array.of(27 + raw[0])));
  }
}

/**
 * Whose signature this is, as the contract would say.
 *
 * @param {Uint8Array} digest 32 bytes
 * @param {string} signature 65 bytes r | s | v as hex
 * @returns {string | null} the address, null if it is malformed
 */
export function signerOf(digest, signature) {
  try {
    const bytes = fromHex(signature);
    const v = bytes[64] - 27;
    const s = BigInt(toHex(bytes.subarray(32, 64)));
    if (bytes.length !== 65 || (v !== 0 && v !== 1) || s > HALF_ORDER) return null;
    const recovered = concat(Uint8Array.of(v), bytes.subarray(0, 64));
    const options = { prehash: false, isCompressed: false };
    return addressOf(secp.recoverPublicKey(recovered, digest, options));
  } catch {
    return null;
  }
}

/** @param {Uint8Array} point 65 bytes, uncompressed @returns {string} lower-case, with 0x */
const addressOf = (point) => toHex(keccak_256(point.subarray(1)).subarray(12));

/**
 * The 32-byte side of a player's key.
 *
 * @param {string} address
 */
export const playerSide = (address) => toHex(word(address));

/**
 * The player's address of a side, or null for a bot's version id.
 *
 * @param {string} side
 */
export function sidePlayer(side) {
  const address = `0x${side.slice(26)}`;
  return /^0x0{24}/.test(side) && address !== ZERO_ADDRESS ? address : null;
}
