/** The page of one game: /game/{id} for the player who holds a key of it, /watch/{id} for all. */
import { fetchConfig } from "./api.js";
import { title } from "./describe.js";
import { byId, loadStyle } from "./dom.js";
import { storedKey } from "./keys.js";
import { ServerTime } from "./lag.js";
import { applyPrefs, loadPrefs, savePrefs } from "./prefs.js";
import { premoveIndex } from "./premove.js";
import { CommandRefused, Connection, ConnectionLost, lineOf, socketUrl } from "./protocol.js";
import { listenForShortcuts } from "./shortcuts.js";
import { abortDigest, drawDigest, moveDigest, resignDigest } from "./signing.js";
import { play as playSound, soundOf } from "./sounds.js";
import * as states from "./state.js";
import { typedMove } from "./typed.js";
import { GameView } from "./view.js";
import { mountSettings, mountShare } from "./view_menu.js";

/** @import { Prefs } from "./prefs.js" */
/** @import { Sound } from "./sounds.js" */
/** @import { State } from "./state.js" */
/** @import { Config } from "./types.js" */

const [, page, id = ""] = location.pathname.split("/");
const game = id.toLowerCase();
const key = page === "game" ? storedKey(game) : null;

const RETRY_MS = 1000;
const TICK_MS = 100;
/** When to ask what time it is at the server, after a connection was made. */
const ASK_TIME_MS = [0, 1000, 3000, 10_000];
const LATER = new Set(["rate_limited", "closing"]);
/** Not everybody looks at a proof. */
const PROOF_STYLE = "/web/css/proof.css";

const serverTime = new ServerTime();
const now = () => serverTime.from(Date.now() / 1000);

/** The position that the address names: #ply=12 is that after twelve moves. @param {State} state */
function atHash(state) {
  const ply = /^#ply=([0-9]{1,5})$/.exec(location.hash)?.[1];
  return ply === undefined ? state : states.showing(state, Number(ply));
}

/** Let the address name what is shown. @param {State} state */
function nameShown({ shown }) {
  const hash = shown === null ? "" : `#ply=${shown}`;
  history.replaceState(null, "", `${location.pathname}${location.search}${hash}`);
}

class GamePage {
  /** @type {State} */
  state = states.initialState(game, key?.address ?? null);
  /** @type {Prefs} */
  prefs = loadPrefs();
  /** @type {typeof import("./proof_drawer.js") | null} loaded when somebody asks for a proof */
  #drawer = null;
  #isPlaced = false;

  /** @param {Config} config */
  constructor(config) {
    this.config = config;
    this.domain = { chainId: config.chainId, arena: config.arena };
    applyPrefs(this.prefs);
    this.view = new GameView(config, this.#actions());
    mountShare(
      () => (this.state.snapshot ? this.state : null),
      (part) => this.#load(part),
    );
    byId("keys", HTMLButtonElement).addEventListener("click", () => void this.#openKeys());
    this.showPrefs = mountSettings(
      () => this.prefs,
      (change) => this.#prefer(change),
    );
    this.#prefer({});
    this.connection = this.#connect();
    listenForShortcuts((shortcut) => this.#shortcut(shortcut));
    addEventListener("hashchange", () => this.set(atHash(this.state)));
    setInterval(() => this.view.tick(now()), TICK_MS);
  }

  /** @returns {import("./view.js").Actions} */
  #actions() {
    return {
      onMove: (index) => this.#move(index),
      onPremove: (premove) => this.set(states.withPremove(this.state, premove)),
      onTyped: (text) => this.#typed(text),
      onDraft: (yes) => this.#answerDraft(yes),
      onResign: () => void this.#sign("resign", () => resignDigest(this.domain, { game })),
      onAbort: () => void this.#sign("abort", () => abortDigest(this.domain, { game })),
      onDraw: () => void this.#command("draw", () => this.#draw()),
      onTimeout: () => void this.#claimTime(),
      onRematch: () => void this.#rematch(),
      onFlip: () => this.set(states.flipped(this.state)),
      onZenOff: () => this.#prefer({ zen: false }),
      onShow: (position) => this.#show(position),
      onProof: (ply) => void this.#openProof(ply),
      onLow: (color) => states.playerColor(this.state) === color && this.#sound("low"),
      onDismiss: () => this.set(states.withError(this.state, null)),
      onDismissCorrection: () => this.set(states.withoutCorrection(this.state)),
    };
  }

  /** @param {State} next */
  set(next) {
    const before = this.state;
    this.state = next.snapshot && !this.#isPlaced ? atHash(next) : next;
    this.#isPlaced ||= next.snapshot !== null;
    if (before.shown !== this.state.shown) nameShown(this.state);
    this.view.render(this.state, now());
    this.#drawer?.updateProof(this.state);
    document.title = `${title(this.state)} · checkproof`;
    this.#hear(before, next);
    if (states.canMove(next) && next.premove) this.#playPremove();
  }

  // --- the connection -----------------------------------------------------------------------------

  #connect() {
    const url = (/** @type {number | null} */ version) =>
      socketUrl(location, game, version, key?.address ?? null);
    const connection = new Connection(url, {
      onEvent: (event) => this.set(states.applyEvent(this.state, event)),
      onStatus: (status) => {
        this.set(states.withConnection(this.state, status));
        if (status !== "open") return;
        for (const wait of ASK_TIME_MS) setTimeout(() => void this.#askTime(), wait);
        void this.#sendPending();
      },
      onFault: (fault) => this.set(states.withError(this.state, fault.message)),
    });
    addEventListener("online", () => connection.retryNow());
    return connection;
  }

  async #askTime() {
    const sent = Date.now() / 1000;
    try {
      const { at } = await this.connection.request("ping", {}, "pong");
      serverTime.add(sent, Date.now() / 1000, at);
    } catch (error) {
      if (!(error instanceof ConnectionLost || error instanceof CommandRefused)) throw error;
    }
  }

  async #sendPending() {
    const { pending } = this.state;
    if (!pending) return;
    const { ply, index, signature } = pending;
    try {
      await this.connection.request("move", { ply, index, signature }, "ack");
    } catch (error) {
      // It may have arrived: the next connection tells, and sends it again if it has not.
      if (error instanceof ConnectionLost) return;
      // The game runs ahead of the chain only so far, but the chain will catch up; and an arena
      // that is about to stop takes the move when it is back.
      if (error instanceof CommandRefused && LATER.has(error.code)) {
        setTimeout(() => this.state.pending === pending && void this.#sendPending(), RETRY_MS);
        return;
      }
      if (this.state.pending === pending) this.set(states.withRefusal(this.state, lineOf(error)));
    }
  }

  /**
   * Send a command until the server has answered it: a lost connection is no answer.
   *
   * @param {string} type
   * @param {() => object} data
   * @returns {Promise<boolean>} whether the server took it
   */
  async #command(type, data) {
    if (!key) return false;
    const signed = data();
    for (let tries = 1; ; tries++) {
      try {
        await this.connection.request(type, signed, "ack");
        return true;
      } catch (error) {
        const code = error instanceof CommandRefused ? error.code : "";
        if (error instanceof ConnectionLost) await this.connection.reopened();
        else if (LATER.has(code)) await new Promise((on) => setTimeout(on, RETRY_MS));
        else if (tries > 1 && code === "game_over")
          return true; // the first try did it
        else {
          this.set(states.withError(this.state, lineOf(error)));
          return false;
        }
      }
    }
  }

  /** @param {string} type @param {() => Uint8Array} digest */
  #sign = (type, digest) =>
    this.#command(type, () => ({ signature: key ? key.sign(digest()) : "" }));

  #draw() {
    const { history } = states.lastPosition(this.state);
    const ply = states.nextPly(this.state);
    const digest = drawDigest(this.domain, { game, ply, history });
    return { ply, signature: key ? key.sign(digest) : "" };
  }

  async #claimTime() {
    const taken = await this.#command("timeout", () => ({}));
    if (taken) this.set(states.withTimeClaimed(this.state));
  }

  // --- moves --------------------------------------------------------------------------------------

  /** @param {number} index of a move that was made on the board or typed */
  #move(index) {
    const position = states.afterMove(this.state, index);
    if (!position || !states.canMove(this.state)) return this.set(this.state);
    if (!this.prefs.confirm) return this.#play(index);
    this.set(states.withDraft(this.state, { index, position }));
    byId("draft-yes", HTMLButtonElement).focus();
  }

  /** @param {boolean} yes */
  #answerDraft(yes) {
    const { draft } = this.state;
    this.set(states.withDraft(this.state, null));
    if (yes && draft) this.#play(draft.index);
  }

  /** @param {number} index */
  #play(index) {
    const position = states.afterMove(this.state, index);
    if (!key || !position || !states.canMove(this.state)) return this.set(this.state);
    const { history } = states.lastPosition(this.state);
    const ply = states.nextPly(this.state);
    const signature = key.sign(moveDigest(this.domain, { game, ply, history, index }));
    this.set(states.withPending(this.state, { ply, index, signature, base: history, position }));
    void this.#sendPending();
  }

  #playPremove() {
    const { premove } = this.state;
    const index = premove && premoveIndex(states.lastPosition(this.state).fen, premove);
    this.set(states.withPremove(this.state, null));
    if (index !== null) this.#play(index);
  }

  /** @param {string} text @returns {string} what is wrong with it, or "" */
  #typed(text) {
    if (this.state.shown !== null) this.#show(Infinity);
    if (!states.canMove(this.state)) return "It is not your turn.";
    const typed = typedMove(states.lastPosition(this.state).fen, text);
    if ("fault" in typed) return typed.fault;
    this.#move(typed.index);
    return "";
  }

  async #rematch() {
    const { snapshot } = this.state;
    const color = states.playerColor(this.state);
    const other = snapshot?.[color === "white" ? "black" : "white"];
    if (!snapshot || other?.kind !== "bot") return;
    const button = byId("rematch", HTMLButtonElement);
    button.disabled = true;
    const lobby = new Connection(() => socketUrl(location, null, null), {
      onFault: (fault) => this.set(states.withError(this.state, fault.message)),
    });
    try {
      const terms = {
        bot: other.version,
        white: color === "black",
        clocks: snapshot.clock,
        ...(snapshot.startFen ? { fen: snapshot.startFen } : {}),
      };
      const { openGame } = await import("./opening.js");
      location.assign(`/game/${await openGame(lobby, this.config, terms)}`);
    } catch (error) {
      this.set(states.withError(this.state, lineOf(error)));
    } finally {
      button.disabled = false;
      lobby.close();
    }
  }

  // --- looking ------------------------------------------------------------------------------------

  /** @param {number} position an index of the line */
  #show(position) {
    this.set(states.showing(this.state, position));
  }

  /** @param {number} ply */
  async #openProof(ply) {
    const load = () => Promise.all([import("./proof_drawer.js"), loadStyle(PROOF_STYLE)]);
    const [drawer] = (await this.#load(load)) ?? [];
    this.#drawer ??= drawer ?? null;
    drawer?.openProof(ply, { state: this.state, config: this.config });
  }

  async #openKeys() {
    const dialog = await this.#load(() => import("./keys_dialog.js"));
    dialog?.openKeys();
  }

  /**
   * A part of the page that is fetched when it is wanted.
   *
   * @template T
   * @param {() => Promise<T>} part
   * @returns {Promise<T | null>} null if it did not come; the player is told
   */
  async #load(part) {
    try {
      return await part();
    } catch (error) {
      console.error(error);
      const fault = "This part of the page could not be loaded. Please try again.";
      this.set(states.withError(this.state, fault));
      return null;
    }
  }

  /** @param {import("./shortcuts.js").Shortcut} shortcut */
  #shortcut(shortcut) {
    const shown = states.shownIndex(this.state);
    if (!this.state.snapshot) return;
    switch (shortcut) {
      case "first":
        return this.#show(0);
      case "back":
        return this.#show(shown - 1);
      case "on":
        return this.#show(shown + 1);
      case "last":
        return this.#show(Infinity);
      case "flip":
        return this.set(states.flipped(this.state));
      case "zen":
        return this.#prefer({ zen: !this.prefs.zen });
      case "type":
        return byId("typed-move", HTMLInputElement).focus();
      case "cancel":
        if (this.state.draft) this.#answerDraft(false);
        else if (this.state.premove) this.set(states.withPremove(this.state, null));
    }
  }

  // --- preferences --------------------------------------------------------------------------------

  /** @param {Partial<Prefs>} change */
  #prefer(change) {
    this.prefs = { ...this.prefs, ...change };
    savePrefs(this.prefs);
    applyPrefs(this.prefs);
    byId("zen-off", HTMLButtonElement).hidden = !this.prefs.zen;
    byId("reader-board", HTMLElement).tabIndex = this.prefs.reader ? 0 : -1; // it scrolls
    this.showPrefs();
    if (this.prefs.reader) void this.#load(() => this.view.showReader());
  }

  /** @param {State} before @param {State} next */
  #hear(before, next) {
    if (!before.snapshot || !next.snapshot) return;
    if (states.isOver(next) && !states.isOver(before)) return this.#sound("end");
    const [was, is] = [states.lastPosition(before), states.lastPosition(next)];
    const moved = is.move && was.history !== is.history && next.line.length >= before.line.length;
    if (moved) this.#sound(soundOf(is.move?.san ?? ""));
  }

  /** @param {Sound} sound */
  #sound(sound) {
    if (!this.prefs.sound) return;
    const { dataset } = document.documentElement;
    dataset.sound = sound;
    playSound(sound);
  }
}

fetchConfig()
  .then((config) => new GamePage(config))
  .catch((error) => {
    byId("error-text", HTMLElement).textContent = lineOf(error);
    byId("error", HTMLElement).hidden = false;
    throw error;
  });
