/**
 * The player's keys: made in this browser, kept in its local storage, never sent anywhere.
 *
 * One key is the browser's own. A game that a wallet opened has a key of its own besides.
 * As text, to carry them to another browser, each is one line:
 *
 *     checkproof-key:1:SECRET:CHECK          the browser's own key
 *     checkproof-key:1:SECRET:CHECK:GAME     the key of one game
 *
 *     SECRET   64 hex digits
 *     CHECK    8 hex digits: the first bytes of keccak256 over all the line's other bytes
 *     GAME     64 hex digits
 */
import { keccak_256 } from "../vendor/noble-hashes/sha3.js";
import { fromHex, toHex } from "./bytes.js";
import { Key } from "./signing.js";

const NAME = "checkproof.key";
const GAME_PREFIX = "checkproof.key.0x";
const SIGNER = "checkproof.signer";
const HEAD = "checkproof-key:1";
const LINE = /^checkproof-key:1:([0-9a-f]{64}):([0-9a-f]{8})(?::([0-9a-f]{64}))?$/;

/** Text that holds no key, or one that was mistyped or cut off. */
export class KeyTextFault extends Error {
  name = "KeyTextFault";
}

/** @param {string} name @returns {Key | null} */
function read(name) {
  try {
    const secret = localStorage.getItem(name);
    return secret ? new Key(fromHex(secret)) : null;
  } catch {
    return null;
  }
}

/**
 * The key to play a game with: its own, or else the browser's.
 *
 * @param {string} [game]
 * @returns {Key | null} null if there is none (or a broken one)
 */
export const storedKey = (game) =>
  (game && read(`${GAME_PREFIX}${game.replace(/^0x/, "").toLowerCase()}`)) || read(NAME);

/**
 * The key of this browser, made now if there is none.
 *
 * @throws {DOMException} if the browser keeps nothing: a game could not be played on after a reload
 */
export function playerKey() {
  const stored = storedKey();
  if (stored) return stored;
  const key = Key.random();
  localStorage.setItem(NAME, toHex(key.secret));
  return key;
}

/** @param {string} game @param {Key} key that signs the moves of this game alone */
export function keepGameKey(game, key) {
  localStorage.setItem(`${GAME_PREFIX}${game.replace(/^0x/, "").toLowerCase()}`, toHex(key.secret));
}

/** @returns {[string, Key][]} the games with keys of their own */
function gameKeys() {
  try {
    return Object.keys(localStorage).flatMap((name) => {
      const key = name.startsWith(GAME_PREFIX) ? read(name) : null;
      return key ? [/** @type {[string, Key]} */ ([name.slice(GAME_PREFIX.length), key])] : [];
    });
  } catch {
    return [];
  }
}

/** The addresses that this browser can sign for. @returns {Set<string>} */
export function ownAddresses() {
  const own = read(NAME);
  return new Set(
    [...(own ? [own] : []), ...gameKeys().map(([, key]) => key)].map((k) => k.address),
  );
}

/** Who signs openings: "browser", or a wallet by its reverse domain name. */
export function signer() {
  try {
    return localStorage.getItem(SIGNER) ?? "browser";
  } catch {
    return "browser";
  }
}

/** @param {string} name */
export const setSigner = (name) => localStorage.setItem(SIGNER, name);

// --- as text -------------------------------------------------------------------------------------

/** @param {string} secret @param {string} game */
function checkOf(secret, game) {
  const bytes = new TextEncoder().encode(`${HEAD}:${secret}:${game}`);
  return toHex(keccak_256(bytes).subarray(0, 4)).slice(2);
}

/** @param {Key} key @param {string} [game] 64 hex digits */
export function keyLine(key, game = "") {
  const secret = toHex(key.secret).slice(2);
  return [HEAD, secret, checkOf(secret, game), ...(game ? [game] : [])].join(":");
}

/** All keys of this browser, one a line; empty if there is none. */
export function exportText() {
  const own = read(NAME);
  const lines = gameKeys().map(([game, key]) => keyLine(key, game));
  return [...(own ? [keyLine(own)] : []), ...lines].join("\n");
}

/**
 * @param {string} text lines of keys; empty lines and spaces around them do not matter
 * @returns {{own: Key | null, games: [string, Key][]}}
 * @throws {KeyTextFault} and nothing was read
 */
export function readKeys(text) {
  const lines = text.split("\n").map((line) => line.trim().toLowerCase());
  const keys = lines.filter(Boolean).map((line) => keyOf(line));
  if (!keys.length) throw new KeyTextFault("There is no key in this text.");
  const own = keys.filter(({ game }) => !game).map(({ key }) => key);
  if (own.length > 1) throw new KeyTextFault("There are two browser keys in this text.");
  const games = keys.flatMap(({ game, key }) => (game ? [[game, key]] : []));
  return { own: own[0] ?? null, games: /** @type {[string, Key][]} */ (games) };
}

/** @param {string} line @returns {{key: Key, game: string}} @throws {KeyTextFault} */
function keyOf(line) {
  const [, secret, check, game = ""] = LINE.exec(line) ?? [];
  if (!secret) throw new KeyTextFault("This is not a key of checkproof, or a part is missing.");
  if (checkOf(secret, game) !== check) {
    throw new KeyTextFault("The key does not match its checksum: a character is wrong.");
  }
  try {
    return { key: new Key(fromHex(secret)), game };
  } catch {
    throw new KeyTextFault("This is no usable key.");
  }
}

/**
 * Keep the keys of a text in this browser; its own key is replaced if the text has one.
 *
 * @param {string} text
 * @throws {KeyTextFault} and nothing was changed
 */
export function importKeys(text) {
  const { own, games } = readKeys(text);
  if (own) localStorage.setItem(NAME, toHex(own.secret));
  for (const [game, key] of games) keepGameKey(game, key);
  return { own, games };
}
