/** The lobby's DOM: bots to play, games to watch. */
import { byId, h, setText } from "./dom.js";
import { grouped, seconds, short, sideName } from "./format.js";

/** @import { Bot, ClockTerms, Color, Config, GameSummary } from "./types.js" */

/** @typedef {Color | "random"} Choice */

const CONNECTION = {
  connecting: "",
  open: "",
  lost: "The arena does not answer. Trying again…",
  restarting: "The arena restarts. It will be back in a moment…",
  refused: "The arena refused the connection.",
};

export class LobbyView {
  /**
   * @param {(bot: Bot, choice: Choice) => void} onStart
   * @param {() => void} onDismiss
   */
  constructor(onStart, onDismiss) {
    this.onStart = onStart;
    byId("error-close", HTMLButtonElement).addEventListener("click", onDismiss);
  }

  /** @param {Config} config */
  showConfig(config) {
    setText(byId("chain", HTMLElement), `chain ${config.chainId} · arena ${short(config.arena)}`);
    const cards = config.bots.map((bot) => this.#card(bot, config.clocks));
    byId("bots", HTMLElement).replaceChildren(
      ...(cards.length ? cards : [h("li", { class: "quiet" }, "No bot is registered yet.")]),
    );
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
    const items = games.map((game) => gameItem(game, own));
    byId("games", HTMLElement).replaceChildren(
      ...(items.length ? items : [h("li", { class: "quiet" }, "No games yet. Start one.")]),
    );
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
    for (const button of document.querySelectorAll(".card button")) {
      if (button instanceof HTMLButtonElement) button.disabled = step !== null;
    }
  }

  /** @param {Bot} bot @param {ClockTerms} clocks */
  #card(bot, clocks) {
    /** @param {Choice} choice @param {string} label */
    const start = (choice, label) => {
      const button = h(
        "button",
        {
          type: "button",
          class: "button",
          "data-testid": `start-${choice}`,
          "data-choice": choice,
        },
        label,
      );
      button.addEventListener("click", () => this.onStart(bot, choice));
      return button;
    };
    return h(
      "li",
      { class: "card", "data-testid": "bot-card", "data-bot": bot.name },
      h(
        "div",
        { class: "row" },
        h("h3", {}, bot.name),
        bot.custom
          ? h("span", { class: "tag warn" }, "custom, unverified")
          : h("span", { class: "tag" }, "Groth16 · BN254"),
        setupTag(bot),
      ),
      h("dl", { class: "facts" }, ...botFacts(bot, clocks)),
      h(
        "div",
        { class: "row start", role: "group", "aria-label": `Play ${bot.name} as` },
        start("white", "Play White"),
        start("random", "Random"),
        start("black", "Play Black"),
      ),
    );
  }
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

/** @param {Bot} bot @param {ClockTerms} clocks */
function botFacts(bot, { baseSeconds, incrementSeconds }) {
  /** @type {[string, string][]} */
  const rows = [
    [
      "Proves a move in",
      bot.proveSeconds === null ? "not measured yet" : seconds(bot.proveSeconds),
    ],
    ["Constraints", bot.constraints === null ? "unknown" : grouped(bot.constraints)],
    ["Clock", `${Math.round(baseSeconds / 60)} min + ${incrementSeconds} s`],
    ["Verifying key", short(bot.keyHash)],
  ];
  return rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]);
}

/** @param {GameSummary} game @param {Set<string>} own */
function gameItem(game, own) {
  const mine = [game.white, game.black].some(
    (side) => side.kind === "player" && own.has(side.address.toLowerCase()),
  );
  const playable = mine && game.status !== "ended";
  const link = h(
    "a",
    {
      href: `/${playable ? "game" : "watch"}/${game.game}`,
      class: "button small",
      "data-testid": playable ? "resume" : "watch",
    },
    playable ? "Play on" : "Watch",
  );
  const what = game.result ? `${game.result.result}, ${game.result.reason}` : game.status;
  return h(
    "li",
    { "data-testid": "game", "data-game": game.game },
    h("span", { class: "players" }, `${sideName(game.white)} – ${sideName(game.black)}`),
    h("span", { class: "quiet" }, `${what} · ${game.verified} of ${game.plies} plies verified`),
    link,
  );
}
