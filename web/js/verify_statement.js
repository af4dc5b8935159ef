/**
 * What a proof is about, and its ten public inputs, as proofs/statement.py draws them:
 *
 *     bits         what
 *     0..255       board word, turned to the mover
 *     256..275     context word
 *     276..435     payee, an address
 *     436..563     dice
 *     564..574     index of the chosen move
 *     575..2432    legal-move mask, bit 575 + i for index i
 *
 * cut into ten limbs of 253 bits, lowest first.
 */
import { keccak_256 } from "../vendor/noble-hashes/sha3.js";
import { concat, fromHex, toHex } from "./bytes.js";
import { POLICY_SIZE } from "./chess_moves.js";
import { boardWord, contextWord } from "./encoding.js";
import { firstPlyOf, indexOf, legalMoves, repetitions } from "./line.js";

/** @import { Position } from "./line.js" */

/**
 * @typedef {object} Statement
 * @property {bigint} board
 * @property {number} context
 * @property {string} payee
 * @property {bigint} dice
 * @property {number} index
 * @property {bigint} mask bit i for index i
 */

const LIMB_BITS = 253n;
const LIMBS = 10;
export const STATEMENT_ID = toHex(keccak_256(new TextEncoder().encode("checkproof/move/1")));

/** @param {number | bigint} value @returns {Uint8Array} one ABI word */
const word = (value) => fromHex(BigInt(value).toString(16).padStart(64, "0"));

/** @param {...Uint8Array} words */
export const hash = (...words) => toHex(keccak_256(concat(...words)));

/** The seed of a game's dice. @param {string} secret @param {string} playerSeed */
export const gameSeed = (secret, playerSeed) => hash(fromHex(secret), fromHex(playerSeed));

/** The 128-bit dice of one ply. @param {string} seed @param {number} ply @param {string} history */
export const diceOf = (seed, ply, history) =>
  BigInt(`0x${hash(fromHex(seed), word(ply), fromHex(history)).slice(34)}`);

/** @param {string} fen @returns {bigint} the legal moves, bit i for index i */
export const maskOf = (fen) =>
  legalMoves(fen).reduce((mask, move) => mask | (1n << BigInt(indexOf(move))), 0n);

/**
 * What a proof of the move at a ply must show.
 *
 * @param {Position[]} line from the start of the game
 * @param {number} ply an index of the line
 * @param {{index: number, payee: string, seed: string}} move
 * @returns {Statement}
 */
export function statementOf(line, ply, { index, payee, seed }) {
  const { fen, history } = line[ply];
  return {
    board: boardWord(fen),
    context: contextWord(fen, repetitions(line, ply)),
    payee,
    dice: diceOf(seed, firstPlyOf(line) + ply, history),
    index,
    mask: maskOf(fen),
  };
}

/** @param {Statement} statement @returns {bigint[]} the public inputs */
export function limbs({ board, context, payee, dice, index, mask }) {
  let [string, offset] = [0n, 0n];
  for (const [value, width] of /** @type {[bigint, number][]} */ ([
    [board, 256],
    [BigInt(context), 20],
    [BigInt(payee), 160],
    [dice, 128],
    [BigInt(index), 11],
    [mask, POLICY_SIZE],
  ])) {
    if (value >> BigInt(width)) throw new RangeError(`a field does not fit ${width} bits`);
    string |= value << offset;
    offset += BigInt(width);
  }
  const low = (1n << LIMB_BITS) - 1n;
  return Array.from({ length: LIMBS }, (_, k) => (string >> (LIMB_BITS * BigInt(k))) & low);
}

/** The statement as the ABI words of IMoveVerifier's struct. @param {Statement} statement */
export function statementWords({ board, context, payee, dice, index, mask }) {
  const low = (1n << 256n) - 1n;
  const masks = Array.from({ length: 8 }, (_, k) => (mask >> BigInt(256 * k)) & low);
  return concat(
    ...[board, BigInt(context), BigInt(payee), dice, BigInt(index), ...masks].map(word),
  );
}
