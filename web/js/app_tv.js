/** The TV: the arena's featured game, and the next one when it is over. */
import { ApiFault, fetchConfig, fetchLobby } from "./api.js";
import { audience } from "./describe.js";
import { byId, setText } from "./dom.js";
import { openProof, updateProof } from "./proof_drawer.js";
import { Connection, lineOf, socketUrl } from "./protocol.js";
import * as states from "./state.js";
import { Viewer } from "./viewer.js";

/** @import { State } from "./state.js" */
/** @import { GameSummary } from "./types.js" */

const LOOK_MS = 3000;
const LINGER_MS = 8000; // an ended game stays to be seen

const now = () => Date.now() / 1000;

class Tv {
  /** @type {State | null} */
  #state = null;
  /** @type {Connection | null} */
  #connection = null;
  #endedAt = 0;

  /** @param {import("./types.js").Config} config */
  constructor(config) {
    this.viewer = new Viewer({
      onProof: (ply) => this.#state && openProof(ply, { state: this.#state, config }),
    });
  }

  /** Look which game is featured, now and again. */
  async look() {
    try {
      const { featured, games } = await fetchLobby();
      const game = featured ?? (this.#state ? null : lastEnded(games));
      if (game && game !== this.#state?.game && this.#isFree()) this.#tune(game);
      byId("idle", HTMLElement).hidden = this.#state !== null;
      if (!this.#connection) this.#idle();
    } catch (error) {
      if (!(error instanceof ApiFault)) throw error; // the arena is away: it is asked again
    }
    setTimeout(() => void this.look(), LOOK_MS);
  }

  /** A game that goes on is not left for another. */
  #isFree() {
    if (!this.#state?.snapshot) return true;
    return states.isOver(this.#state) && Date.now() - this.#endedAt > LINGER_MS;
  }

  /** Be counted, so that bots play for who looks on. */
  #idle() {
    this.#connection = new Connection(() => socketUrl(location, null, null), { onFault: () => {} });
  }

  /** @param {string} game */
  #tune(game) {
    this.#connection?.close();
    this.#set(states.initialState(game, null));
    this.#endedAt = 0;
    this.#connection = new Connection((version) => socketUrl(location, game, version), {
      onEvent: (event) => this.#state && this.#set(states.applyEvent(this.#state, event)),
      onStatus: (status) => this.#state && this.#set(states.withConnection(this.#state, status)),
      onFault: (fault) => setText(byId("status", HTMLElement), fault.message),
    });
  }

  /** @param {State} state */
  #set(state) {
    this.#state = state;
    if (states.isOver(state)) this.#endedAt ||= Date.now();
    byId("screen", HTMLElement).hidden = !state.snapshot;
    byId("screen", HTMLElement).dataset.game = state.game;
    byId("lost", HTMLElement).hidden = state.connection === "open";
    byId("open", HTMLAnchorElement).href = `/watch/${state.game}`;
    setText(byId("spectators", HTMLElement), audience(state));
    this.viewer.render(state, now());
    updateProof(state);
  }

  tick() {
    if (this.#state) this.viewer.tick(this.#state, now());
  }
}

/** With nothing going on: the game that ended last. @param {GameSummary[]} games */
function lastEnded(games) {
  return games.find(({ result, plies }) => result && plies > 0)?.game ?? null;
}

async function main() {
  const tv = new Tv(await fetchConfig());
  setInterval(() => tv.tick(), 100);
  await tv.look();
}

main().catch((error) => {
  setText(byId("fault", HTMLElement), lineOf(error));
  byId("fault", HTMLElement).hidden = false;
  throw error;
});
