/** The lobby's DOM: bots to play, games to watch. */
import { byId, h, renewItems, setText } from "./dom.js";
import { grouped, seconds, short, sideName } from "./format.js";
import { MiniBoard } from "./mini_board.js";

/** @import { Bot, ClockTerms, Color, Config, GameSummary, Lobby } from "./types.js" */

/** @typedef {Color | "random"} Choice */

const CONNECTION = {
  connecting: "",
  open: "",
  lost: "The arena does not answer. Trying again…",
  restarting: "The arena restarts. It will be back in a moment…",
  refused: "The arena refused the connection.",
};
const BOARDS = 8;
const SYSTEM = { groth16: "Groth16 · BN254", ezkl: "ezkl · halo2-KZG" };

export class LobbyView {
  /** @type {Map<string, {item: HTMLElement, board: MiniBoard, line: HTMLElement}>} */
  #boards = new Map();
  #busy = false;
  /** @type {Lobby | null} */
  #lobby = null;
  /** @type {Config | null} */
  #config = null;

  /**
   * @param {(bot: Bot, choice: Choice) => void} onStart
   * @param {() => void} onDismiss
   */
  constructor(onStart, onDismiss) {
    this.onStart = onStart;
    byId("error-close", HTMLButtonElement).addEventListener("click", onDismiss);
  }

  /** The position that games are to begin at, empty for the usual one. */
  get fen() {
    return byId("fen", HTMLInputElement).value.trim();
  }

  /** @param {Config} config */
  showConfig(config) {
    this.#config = config;
    setText(byId("chain", HTMLElement), `chain ${config.chainId} · arena ${short(config.arena)}`);
    this.#cards();
  }

  /** @param {Lobby} lobby */
  showLobby(lobby) {
    this.#lobby = lobby;
    const { watching } = lobby;
    setText(
      byId("watching", HTMLElement),
      watching === 1 ? "1 page open" : `${watching} pages open`,
    );
    this.#cards();
  }

  #cards() {
    const config = this.#config;
    if (!config) return;
    const cards = config.bots.map((bot) => this.#card(bot, config.clocks));
    if (!cards.length) cards.push(h("li", { class: "quiet" }, "No bot is registered yet."));
    renewItems(byId("bots", HTMLElement), cards, ({ dataset }) => dataset.version);
  }

  /** @param {string | null} address */
  showIdentity(address) {
    setText(
      byId("identity", HTMLElement),
      address
        ? `You play as ${short(address)}. Its key was made in this browser and never leaves it.`
        : "No wallet and no account: a key is made in this browser when you start.",
    );
  }

  /** @param {GameSummary[]} games @param {Set<string>} own the addresses of this browser's keys */
  showGames(games, own) {
    const live = games.filter(({ status }) => status !== "ended");
    const over = games.filter(({ status }) => status === "ended");
    this.#live(live.slice(0, BOARDS), own);
    const items = [...live.slice(BOARDS), ...over].map((game) => gameItem(game, own));
    if (!items.length) items.push(h("li", { class: "quiet" }, "None yet."));
    renewItems(byId("games", HTMLElement), items, ({ dataset }) => dataset.game);
  }

  /** @param {GameSummary[]} games @param {Set<string>} own */
  #live(games, own) {
    const known = new Set(games.map(({ game }) => game));
    for (const [game, { item }] of this.#boards) {
      if (known.has(game)) continue;
      item.remove();
      this.#boards.delete(game);
    }
    const list = byId("live", HTMLElement);
    for (const [place, game] of games.entries()) {
      const shown = this.#boards.get(game.game) ?? this.#board(game, own);
      if (list.children[place] !== shown.item) {
        list.insertBefore(shown.item, list.children[place] ?? null);
      }
      shown.board.show(game.fen, { lastMove: game.lastMove, bottom: ownColor(game, own) });
      const watchers = game.spectators ? ` · ${game.spectators} watching` : "";
      setText(shown.line, `${game.verified} of ${game.plies} plies verified${watchers}`);
    }
    byId("live-none", HTMLElement).hidden = games.length > 0;
  }

  /** @param {GameSummary} game @param {Set<string>} own */
  #board(game, own) {
    const players = `${sideName(game.white)} – ${sideName(game.black)}`;
    const board = new MiniBoard({ label: players });
    const line = h("span", { class: "quiet" });
    const mine = isMine(game, own);
    const item = h(
      "li",
      { class: "live-game", "data-testid": "game", "data-game": game.game },
      board.element,
      h("span", { class: "players" }, players),
      line,
      h(
        "a",
        {
          class: "cover",
          href: `/${mine ? "game" : "watch"}/${game.game}`,
          "data-testid": mine ? "resume" : "watch",
          "aria-label": `${mine ? "Play on" : "Watch"}: ${players}`,
        },
        mine ? "Play on" : "Watch",
      ),
    );
    const shown = { item, board, line };
    this.#boards.set(game.game, shown);
    return shown;
  }

  /** @param {keyof typeof CONNECTION} status */
  showConnection(status) {
    const banner = byId("connection", HTMLElement);
    banner.hidden = !CONNECTION[status];
    banner.dataset.state = status;
    setText(banner, CONNECTION[status]);
  }

  /** @param {string | null} error */
  showError(error) {
    byId("error", HTMLElement).hidden = error === null;
    setText(byId("error-text", HTMLElement), error ?? "");
  }

  /** @param {string | null} step what is being done; buttons rest meanwhile */
  showProgress(step) {
    setText(byId("progress", HTMLElement), step ?? "");
    this.#busy = step !== null;
    for (const button of document.querySelectorAll(".card button")) {
      if (button instanceof HTMLButtonElement) button.disabled = this.#busy;
    }
  }

  /** @param {Bot} bot @param {ClockTerms} clocks */
  #card(bot, clocks) {
    const system = bot.proofSystem ?? (bot.custom ? "ezkl" : "groth16");
    const isReady = bot.ready !== false;
    return h(
      "li",
      {
        class: "card",
        "data-testid": "bot-card",
        "data-bot": bot.name,
        "data-version": bot.version || bot.name,
      },
      h(
        "div",
        { class: "row" },
        h("h3", {}, bot.name),
        h("span", { class: "tag", "data-testid": "system" }, SYSTEM[system]),
        ...(bot.custom ? [h("span", { class: "tag warn" }, "custom, unverified")] : []),
        setupTag(bot),
      ),
      h("dl", { class: "figures" }, ...botFigures(bot, this.#lobby)),
      h("dl", { class: "facts" }, ...botFacts(bot, clocks, this.#lobby)),
      h("p", { class: "quiet", "data-testid": "trust" }, trustLine(bot)),
      isReady
        ? h(
            "div",
            { class: "row start", role: "group", "aria-label": `Play ${bot.name} as` },
            this.#start(bot, "white", "Play White"),
            this.#start(bot, "random", "Random"),
            this.#start(bot, "black", "Play Black"),
          )
        : h(
            "p",
            { class: "making", role: "status" },
            bot.step ||
              "It is being made: circuit, keys and a first proof. It can be played in a moment.",
          ),
    );
  }

  /** @param {Bot} bot @param {Choice} choice @param {string} label */
  #start(bot, choice, label) {
    const button = h(
      "button",
      {
        type: "button",
        class: "button",
        "data-testid": `start-${choice}`,
        "data-choice": choice,
        disabled: this.#busy,
      },
      label,
    );
    button.addEventListener("click", () => this.onStart(bot, choice));
    return button;
  }
}

/** @param {Bot} bot */
function trustLine({ trust, setup, custom }) {
  if (trust) return trust;
  if (custom) return "The registry did not make its verifier and cannot vouch for it.";
  return setup === "development"
    ? "Development key: whoever made it could forge proofs. The circuit can be recompiled from the net."
    : "The key comes from a ceremony: one honest participant suffices.";
}

/** @param {Bot} bot */
function setupTag({ setup }) {
  return setup === "development"
    ? h(
        "span",
        { class: "tag warn", "data-testid": "setup", title: "Whoever ran it can forge proofs" },
        "development setup",
      )
    : h("span", { class: "tag good", "data-testid": "setup" }, "ceremony");
}

/**
 * What a choice is made by: how strong it is, and how long one waits for it.
 *
 * @param {Bot} bot @param {Lobby | null} lobby
 */
function botFigures(bot, lobby) {
  const strength = lobby?.strength[bot.version];
  const elo = strength?.elo ?? null;
  return [
    figure(
      elo === null ? "Strength" : "Strength, Elo",
      elo === null ? "–" : h("span", {}, grouped(elo), h("small", {}, ` ± ${strength?.error}`)),
      strength?.text ?? "not measured",
      "strength",
    ),
    figure("Proof of a move", ...provingTime(bot), "proving"),
  ];
}

/** @param {Bot} bot @returns {[string, string]} */
function provingTime({ proveSeconds, expectSeconds, ready }) {
  if (proveSeconds !== null) return [seconds(proveSeconds), "as measured here"];
  const expected = expectSeconds ?? null;
  if (expected !== null) return [`≈ ${seconds(expected)}`, "estimated by its size"];
  return ["–", ready === false ? "not known yet" : "not measured yet"];
}

/** @param {string} name @param {string | Node} value @param {string} note @param {string} id */
const figure = (name, value, note, id) =>
  h(
    "div",
    { "data-testid": id },
    h("dt", {}, name),
    h("dd", { class: "value" }, value),
    h("dd", { class: "note" }, note),
  );

/** @param {Bot} bot @param {ClockTerms} clocks @param {Lobby | null} lobby */
function botFacts(bot, { baseSeconds, incrementSeconds }, lobby) {
  const gas = bot.gas ?? null;
  const record = lobby?.records[bot.version];
  /** @type {[string, string][]} */
  const rows = [
    ["Gas for a move", gas === null ? "not measured yet" : grouped(gas)],
    ...(bot.constraints === null
      ? []
      : [/** @type {[string, string]} */ (["Constraints", grouped(bot.constraints)])]),
    ["Games on chain", record ? recordText(record) : "none finished yet"],
    ["Clock", `${Math.round(baseSeconds / 60)} min + ${incrementSeconds} s`],
    ["Verifying key", short(bot.keyHash) || "not made yet"],
  ];
  return rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]);
}

/** @param {{wins: number, draws: number, losses: number}} record */
const recordText = ({ wins, draws, losses }) => `${wins} won · ${draws} drawn · ${losses} lost`;

/** @param {GameSummary} game @param {Set<string>} own */
const isMine = (game, own) =>
  [game.white, game.black].some(
    (side) => side.kind === "player" && own.has(side.address.toLowerCase()),
  );

/** @param {GameSummary} game @param {Set<string>} own @returns {Color} */
function ownColor({ black }, own) {
  return black.kind === "player" && own.has(black.address.toLowerCase()) ? "black" : "white";
}

/** @param {GameSummary} game @param {Set<string>} own */
function gameItem(game, own) {
  const playable = isMine(game, own) && game.status !== "ended";
  const players = `${sideName(game.white)} – ${sideName(game.black)}`;
  const look = game.status === "ended" ? ["replay", "Replay"] : ["watch", "Watch"];
  const [where, text] = playable ? ["game", "Play on"] : look;
  const link = h(
    "a",
    {
      href: `/${where}/${game.game}`,
      class: "button small",
      "data-testid": playable ? "resume" : where,
      "aria-label": `${text}: ${players}`,
    },
    text,
  );
  const what = game.result ? `${game.result.result}, ${game.result.reason}` : game.status;
  return h(
    "li",
    { "data-testid": "game", "data-game": game.game },
    h("span", { class: "players" }, players),
    h("span", { class: "quiet" }, `${what} · ${game.verified} of ${game.plies} plies verified`),
    link,
  );
}
