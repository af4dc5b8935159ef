/** What the viewer prefers, kept in this browser. js/theme.js reads the same entry. */

const NAME = "checkproof.prefs";

/**
 * @typedef {object} Prefs
 * @property {"auto" | "light" | "dark"} theme
 * @property {boolean} sound
 * @property {boolean} confirm each move is asked about before it is signed
 * @property {boolean} zen nothing but the board and the clocks
 * @property {boolean} reader the game as text, for screen readers
 */

/** @type {Readonly<Prefs>} */
export const USUAL = Object.freeze({
  theme: "auto",
  sound: true,
  confirm: false,
  zen: false,
  reader: false,
});

/** @param {string | null} text what was kept @returns {Prefs} anything odd in it is left out */
export function parsePrefs(text) {
  /** @type {Partial<Record<keyof Prefs, unknown>>} */
  let kept = {};
  try {
    kept = Object(JSON.parse(text ?? "{}"));
  } catch {
    // what cannot be read is as good as nothing
  }
  const flag = (/** @type {"sound" | "confirm" | "zen" | "reader"} */ name) =>
    typeof kept[name] === "boolean" ? kept[name] : USUAL[name];
  const theme = kept.theme === "light" || kept.theme === "dark" ? kept.theme : "auto";
  return {
    theme,
    sound: flag("sound"),
    confirm: flag("confirm"),
    zen: flag("zen"),
    reader: flag("reader"),
  };
}

/** @returns {Prefs} */
export function loadPrefs() {
  try {
    return parsePrefs(localStorage.getItem(NAME));
  } catch {
    return USUAL;
  }
}

/** @param {Prefs} prefs */
export function savePrefs(prefs) {
  try {
    localStorage.setItem(NAME, JSON.stringify(prefs));
  } catch {
    // they hold until the page is closed
  }
}

/** Put those that CSS knows on the page. @param {Prefs} prefs */
export function applyPrefs({ theme, zen, reader }) {
  const { dataset } = document.documentElement;
  if (theme === "auto") delete dataset.theme;
  else dataset.theme = theme;
  dataset.zen = String(zen);
  dataset.reader = String(reader);
}
