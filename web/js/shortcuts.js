/** The keys that work anywhere on the game page, as chess players know them. */

/**
 * @typedef {"first" | "back" | "on" | "last" | "flip" | "zen" | "type" | "cancel"} Shortcut
 */

/** @type {Record<string, Shortcut>} */
const KEYS = {
  Home: "first",
  ArrowUp: "first",
  ArrowLeft: "back",
  ArrowRight: "on",
  End: "last",
  ArrowDown: "last",
  f: "flip",
  z: "zen",
  m: "type",
  Escape: "cancel",
};

const FIELDS = "input, textarea, select, dialog, [popover], #proof";

/**
 * Whether an element has a use of its own for a key: a field has one for all of them, the board
 * moves its cursor by arrows, the list of moves scrolls.
 *
 * @param {EventTarget | null} target
 * @param {string} key
 */
function isBusy(target, key) {
  if (!(target instanceof Element)) return false;
  if (target.closest(FIELDS)) return true;
  if (target.closest("svg.cm-chessboard")) return key.startsWith("Arrow");
  return target.id === "moves" && (key === "ArrowUp" || key === "ArrowDown");
}

/** @param {(shortcut: Shortcut) => void} onShortcut */
export function listenForShortcuts(onShortcut) {
  addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const shortcut = KEYS[key.length === 1 ? key.toLowerCase() : key];
    if (!shortcut || isBusy(target, key)) return;
    if (shortcut !== "cancel") event.preventDefault();
    onShortcut(shortcut);
  });
}
