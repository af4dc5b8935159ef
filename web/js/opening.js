/** Opening a game: ask for the bot's commitment, sign the terms, send them. */
import { randomBytes, toHex } from "./bytes.js";
import { START, startWords } from "./encoding.js";
import { keepGameKey, playerKey, signer } from "./keys.js";
import { Key, gameId, openDigest, playerSide } from "./signing.js";
import { Wallet } from "./wallet.js";

/** @import { Connection } from "./protocol.js" */
/** @import { ClockTerms, Config, Open } from "./types.js" */

/**
 * @typedef {object} Terms what the player chose
 * @property {string} bot its version id
 * @property {boolean} white whether the player has White
 * @property {ClockTerms} [clocks] the arena's usual ones, if left out
 * @property {string} [fen] where to begin; the usual position, if left out
 *
 * @typedef {object} Opener who signs the opening, and the key that will sign the moves
 * @property {string} address
 * @property {Key} key
 * @property {(open: Open) => Promise<string>} sign
 */

/**
 * The key of this browser opens and plays; or a wallet opens, and a key made now for this one
 * game plays.
 *
 * @param {Config} config
 * @returns {Promise<Opener>}
 */
async function openerOf(config) {
  const domain = { chainId: config.chainId, arena: config.arena };
  const chosen = signer();
  if (chosen === "browser") {
    const key = playerKey();
    return { address: key.address, key, sign: async (open) => key.sign(openDigest(domain, open)) };
  }
  const wallet = await Wallet.named(chosen);
  const address = await wallet.account();
  await wallet.useChain(config.chainId);
  return { address, key: Key.random(), sign: (open) => wallet.signOpen(domain, open) };
}

/**
 * @param {Connection} connection
 * @param {Config} config
 * @param {Terms} terms
 * @param {(step: string) => void} [onStep] told what is being done
 * @returns {Promise<string>} the game's id
 * @throws {Error} with one line for the player
 */
export async function openGame(connection, config, { bot, white, clocks, fen }, onStep = () => {}) {
  onStep(signer() === "browser" ? "Making the opening…" : "Asking your wallet…");
  const { address, key, sign } = await openerOf(config);
  onStep("Asking for the bot's commitment…");
  const offer = await connection.request("offer", { bot }, "offer");
  const player = playerSide(key.address);
  const begins = fen === undefined ? START : await asStart(fen);
  /** @type {Open} */
  const open = {
    opener: address,
    white: white ? player : bot,
    black: white ? bot : player,
    ...startWords(begins),
    ...(clocks ?? config.clocks),
    commitment: offer.commitment,
    seed: toHex(randomBytes(32)),
    expires: offer.expires,
    nonce: BigInt(toHex(randomBytes(32))).toString(),
  };
  onStep("Signing the opening…");
  const signature = await sign(open);
  const id = gameId({ chainId: config.chainId, arena: config.arena }, open);
  if (key.address !== address) keepGameKey(id, key);
  onStep("Opening the game…");
  const { game } = await connection.request("open", { open, signature }, "opened");
  if (game.toLowerCase() !== id) {
    throw new Error("The arena opened another game than the one that was signed.");
  }
  return game;
}

/** The rules are loaded only by who needs them here. @param {string} fen */
async function asStart(fen) {
  const line = await import("./line.js");
  return line.asStart(fen);
}
