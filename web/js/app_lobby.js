/** The lobby: choose a bot and a colour, sign the opening, go to the board. */
import { ApiFault, fetchConfig, fetchLobby } from "./api.js";
import { randomBytes } from "./bytes.js";
import { byId } from "./dom.js";
import { ownAddresses, storedKey } from "./keys.js";
import { openGame } from "./opening.js";
import { Connection, lineOf, socketUrl } from "./protocol.js";
import { LobbyView } from "./view_lobby.js";

/** @import { Bot, Config } from "./types.js" */
/** @import { Choice } from "./view_lobby.js" */

const GAMES_MS = 2500;
const CONFIG_EVERY = 4; // what is known of the bots changes less often than the games

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
    const white = choice === "random" ? randomBytes(1)[0] < 128 : choice === "white";
    const terms = { bot: bot.version, white, fen: view.fen || undefined };
    const game = await openGame(connection, config, terms, (step) => view.showProgress(step));
    location.assign(`/game/${game}`);
  } catch (error) {
    view.showError(lineOf(error));
    view.showProgress(null);
  }
}

async function openKeys() {
  try {
    const dialog = await import("./keys_dialog.js");
    dialog.openKeys();
  } catch {
    view.showError("This part of the page could not be loaded. Please try again.");
  }
}

/** The games and what else changes; a page that nobody sees asks for nothing. */
async function refresh() {
  if (!document.hidden) await ask();
  setTimeout(() => void refresh(), GAMES_MS);
}

let asked = 0;

async function ask() {
  try {
    const lobby = await fetchLobby();
    view.showGames(lobby.games, ownAddresses());
    view.showLobby(lobby);
    asked += 1;
    if (asked % CONFIG_EVERY) return;
    config = await fetchConfig();
    view.showConfig(config);
  } catch (error) {
    if (!(error instanceof ApiFault)) throw error; // the banner says it already
  }
}

async function main() {
  view.showIdentity(storedKey()?.address ?? null);
  byId("keys", HTMLButtonElement).addEventListener("click", () => void openKeys());
  document.addEventListener("visibilitychange", () => document.hidden || void ask());
  try {
    config = await fetchConfig();
    view.showConfig(config);
  } catch (error) {
    view.showError(lineOf(error));
  }
  await refresh();
}

void main();
