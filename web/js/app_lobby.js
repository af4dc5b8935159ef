/** The lobby: choose a bot and a colour, sign the opening, go to the board. */
import { ApiFault, fetchConfig, fetchGames } from "./api.js";
import { randomBytes, toHex } from "./bytes.js";
import { playerKey, storedKey } from "./keys.js";
import { Connection, lineOf, socketUrl } from "./protocol.js";
import { gameId, openDigest, playerSide } from "./signing.js";
import { LobbyView } from "./view_lobby.js";

/** @import { Bot, Config, Open } from "./types.js" */
/** @import { Choice } from "./view_lobby.js" */

const GAMES_MS = 5000;
const ZERO = `0x${"0".repeat(64)}`;

const view = new LobbyView(
  (bot, choice) => void start(bot, choice),
  () => view.showError(null),
);
/** @type {Config | null} */
let config = null;

const connection = new Connection(() => socketUrl(location, null, null), {
  onStatus: (status) => view.showConnection(status),
  onFault: (fault) => view.showError(lineOf(fault)),
});

/** @param {Bot} bot @param {Choice} choice */
async function start(bot, choice) {
  if (!config) return;
  view.showError(null);
  try {
    const game = await openGame(config, bot, choice);
    location.assign(`/game/${game}`);
  } catch (error) {
    view.showError(lineOf(error));
    view.showProgress(null);
  }
}

/**
 * @param {Config} config
 * @param {Bot} bot
 * @param {Choice} choice
 * @returns {Promise<string>} the game's id
 */
async function openGame(config, bot, choice) {
  const domain = { chainId: config.chainId, arena: config.arena };
  const key = playerKey();
  view.showIdentity(key.address);
  view.showProgress("Asking for the bot's commitment…");
  const offer = await connection.request("offer", { bot: bot.version }, "offer");
  view.showProgress("Signing the opening…");
  const white = choice === "random" ? randomBytes(1)[0] < 128 : choice === "white";
  const player = playerSide(key.address);
  /** @type {Open} */
  const open = {
    opener: key.address,
    white: white ? player : bot.version,
    black: white ? bot.version : player,
    start: ZERO,
    ...config.clocks,
    commitment: offer.commitment,
    seed: toHex(randomBytes(32)),
    expires: offer.expires,
    nonce: BigInt(toHex(randomBytes(32))).toString(),
  };
  const signature = key.sign(openDigest(domain, open));
  view.showProgress("Opening the game…");
  const { game } = await connection.request("open", { open, signature }, "opened");
  if (game.toLowerCase() !== gameId(domain, open)) {
    throw new Error("The arena opened another game than the one that was signed.");
  }
  return game;
}

async function refreshGames() {
  try {
    view.showGames(await fetchGames(), storedKey()?.address ?? null);
  } catch (error) {
    if (!(error instanceof ApiFault)) throw error; // an ApiFault: the banner says it already
  }
  setTimeout(() => void refreshGames(), GAMES_MS);
}

async function main() {
  view.showIdentity(storedKey()?.address ?? null);
  try {
    config = await fetchConfig();
    view.showConfig(config);
  } catch (error) {
    view.showError(lineOf(error));
  }
  await refreshGames();
}

void main();
