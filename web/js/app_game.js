/** The page of one game: /game/{id} for the player who holds a key of it, /watch/{id} for all. */
import { fetchConfig } from "./api.js";
import { title } from "./describe.js";
import { storedKey } from "./keys.js";
import { CommandRefused, Connection, ConnectionLost, lineOf, socketUrl } from "./protocol.js";
import { drawDigest, moveDigest, resignDigest } from "./signing.js";
import * as states from "./state.js";
import { GameView } from "./view.js";

/** @import { State } from "./state.js" */

const [, page, id = ""] = location.pathname.split("/");
const game = id.toLowerCase();
const key = page === "game" ? storedKey() : null;

const RETRY_MS = 1000;
const LATER = new Set(["rate_limited", "closing"]);

const now = () => Date.now() / 1000;

async function main() {
  const config = await fetchConfig();
  const domain = { chainId: config.chainId, arena: config.arena };
  /** @type {State} */
  let state = states.initialState(game, key?.address ?? null);

  const view = new GameView(config, {
    onMove: (index) => void play(index),
    onResign: () =>
      void command("resign", (signer) => ({ signature: signer(resignDigest(domain, { game })) })),
    onDraw: () => void command("draw", signDraw),
    onTimeout: () =>
      void command("timeout", () => ({})).then((taken) => {
        if (taken) set(states.withTimeClaimed(state));
      }),
    onFlip: () => set(states.flipped(state)),
    onShow: (position) => set(states.showing(state, position)),
    onDismiss: () => set(states.withError(state, null)),
    onDismissCorrection: () => set(states.withoutCorrection(state)),
  });

  /** @param {State} next */
  function set(next) {
    state = next;
    view.render(state, now());
    document.title = `${title(state)} · checkproof`;
  }

  const url = (/** @type {number | null} */ version) =>
    socketUrl(location, game, version, key?.address ?? null);
  const connection = new Connection(url, {
    onEvent: (event) => set(states.applyEvent(state, event)),
    onStatus: (status) => {
      set(states.withConnection(state, status));
      if (status === "open") void sendPending();
    },
    onFault: (fault) => set(states.withError(state, fault.message)),
  });
  addEventListener("online", () => connection.retryNow());
  setInterval(() => view.tick(now()), 100);

  /** @param {number} index */
  async function play(index) {
    const position = states.afterMove(state, index);
    if (!key || !position || !states.canMove(state)) return set(state);
    const { history } = states.lastPosition(state);
    const ply = states.nextPly(state);
    const signature = key.sign(moveDigest(domain, { game, ply, history, index }));
    set(states.withPending(state, { ply, index, signature, base: history, position }));
    return sendPending();
  }

  async function sendPending() {
    const { pending } = state;
    if (!pending) return;
    const { ply, index, signature } = pending;
    try {
      await connection.request("move", { ply, index, signature }, "ack");
    } catch (error) {
      // It may have arrived: the next connection tells, and sends it again if it has not.
      if (error instanceof ConnectionLost) return;
      // The game runs ahead of the chain only so far, but the chain will catch up; and an arena
      // that is about to stop takes the move when it is back.
      if (error instanceof CommandRefused && LATER.has(error.code)) {
        setTimeout(() => state.pending === pending && void sendPending(), RETRY_MS);
        return;
      }
      if (state.pending === pending) set(states.withRefusal(state, lineOf(error)));
    }
  }

  /** @param {(digest: Uint8Array) => string} signer */
  function signDraw(signer) {
    const { history } = states.lastPosition(state);
    const ply = states.nextPly(state);
    return { ply, signature: signer(drawDigest(domain, { game, ply, history })) };
  }

  /**
   * Send a command until the server has answered it: a lost connection is no answer.
   *
   * @param {string} type
   * @param {(signer: (digest: Uint8Array) => string) => object} data
   * @returns {Promise<boolean>} whether the server took it
   */
  async function command(type, data) {
    if (!key) return false;
    const signed = data((digest) => key.sign(digest));
    for (let tries = 1; ; tries++) {
      try {
        await connection.request(type, signed, "ack");
        return true;
      } catch (error) {
        const code = error instanceof CommandRefused ? error.code : "";
        if (error instanceof ConnectionLost) await connection.reopened();
        else if (LATER.has(code)) await new Promise((on) => setTimeout(on, RETRY_MS));
        else if (tries > 1 && code === "game_over")
          return true; // the first try did it
        else {
          set(states.withError(state, lineOf(error)));
          return false;
        }
      }
    }
  }
}

main().catch((error) => {
  const box = document.getElementById("error");
  const text = document.getElementById("error-text");
  if (box && text) {
    text.textContent = lineOf(error);
    box.hidden = false;
  }
  throw error;
});
