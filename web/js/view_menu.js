/** The menus at the head of the game page: what to take along, and what the viewer prefers. */
import { byId, copyFrom, h } from "./dom.js";
import { shownIndex, shownPosition } from "./state.js";

/** @import { Prefs } from "./prefs.js" */
/** @import { State } from "./state.js" */

/** @param {State} state @returns {string} where anyone can watch this game */
const watchUrl = ({ game }) => new URL(`/watch/${game}`, location.href).href;

/** @param {State} state */
const plyUrl = (state) => `${watchUrl(state)}#ply=${shownIndex(state)}`;

/** @type {Promise<typeof import("./pgn.js")> | null} */
let pgn = null;

/** @param {State} state */
async function pgnOf(state) {
  pgn ??= import("./pgn.js");
  try {
    return (await pgn).toPgn(state, watchUrl(state));
  } catch (error) {
    pgn = null; // the next time asks again
    throw error;
  }
}

/** @param {string} name @param {string} text @param {string} type */
function download(name, text, type) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = h("a", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/**
 * @param {() => State | null} current
 * @param {(part: () => Promise<string>) => Promise<string | null>} load null: the player was told
 */
export function mountShare(current, load) {
  /** @param {string} id @param {(state: State, button: HTMLElement) => void} action */
  const on = (id, action) => {
    const button = byId(id, HTMLButtonElement);
    button.addEventListener("click", () => {
      const state = current();
      if (state) action(state, button);
    });
  };
  const name = (/** @type {State} */ { game }) => `checkproof-${game.slice(2, 10)}`;
  on("copy-link", (state, button) => void copyFrom(button, watchUrl(state)));
  on("copy-ply", (state, button) => void copyFrom(button, plyUrl(state)));
  on("copy-fen", (state, button) => void copyFrom(button, shownPosition(state).fen));
  on("copy-pgn", (state, button) => void copyFrom(button, pgnOf(state)));
  on("save-pgn", async (state) => {
    const text = await load(() => pgnOf(state));
    if (text !== null) download(`${name(state)}.pgn`, text, "application/x-chess-pgn");
  });
  on("save-fen", (state) =>
    download(`${name(state)}.fen`, `${shownPosition(state).fen}\n`, "text/plain"),
  );
}

/** Let the analysis link lead to what the board shows. @param {State} state */
export function renderShare(state) {
  // once there are moves to take along: they can be had even when the arena is gone
  if (!pgn && state.snapshot?.moves.length) void pgnOf(state).catch(() => {});
  const { fen } = shownPosition(state);
  const href = `https://lichess.org/analysis/${fen.replaceAll(" ", "_")}`;
  const link = byId("analysis", HTMLAnchorElement);
  if (link.getAttribute("href") !== href) link.setAttribute("href", href);
}

/**
 * @param {() => Prefs} current
 * @param {(change: Partial<Prefs>) => void} onChange
 * @returns {() => void} shows what is preferred now
 */
export function mountSettings(current, onChange) {
  const inputs = [...byId("settings-menu", HTMLDivElement).querySelectorAll("input")];
  const show = () => {
    const prefs = current();
    for (const input of inputs) {
      const value = prefs[/** @type {keyof Prefs} */ (input.name)];
      input.checked = input.type === "radio" ? input.value === value : value === true;
    }
  };
  for (const input of inputs) {
    input.addEventListener("change", () =>
      onChange({ [input.name]: input.type === "radio" ? input.value : input.checked }),
    );
  }
  show();
  return show;
}
