/** The dialog about the player's keys: who signs, carry a key away, bring one here. */
import { copyFrom, h, setText } from "./dom.js";
import { short } from "./format.js";
import {
  KeyTextFault,
  exportText,
  importKeys,
  playerKey,
  readKeys,
  setSigner,
  signer,
  storedKey,
} from "./keys.js";
import { findWallets } from "./wallet.js";

/** @import { Wallet } from "./wallet.js" */

/** @param {string} label @param {Record<string, string>} attributes */
const button = (label, attributes = {}) =>
  h("button", { type: "button", class: "button small", ...attributes }, label);

/** @type {HTMLDialogElement | null} */
let dialog = null;

export function openKeys() {
  dialog?.remove();
  dialog = document.body.appendChild(makeDialog());
  dialog.showModal();
}

function makeDialog() {
  const close = button("Done", { "data-testid": "keys-done" });
  const made = h(
    "dialog",
    { class: "dialog keys", "aria-labelledby": "keys-title", "data-testid": "keys-dialog" },
    h("h2", { id: "keys-title" }, "Your key"),
    ...signerPart(),
    ...exportPart(),
    ...importPart(),
    h("div", { class: "row" }, close),
  );
  close.addEventListener("click", () => made.close());
  return made;
}

// --- who signs -----------------------------------------------------------------------------------

function signerPart() {
  const list = h("fieldset", { class: "signers", "data-testid": "signers" });
  const legend = h("legend", {}, "Who opens your next games");
  const own = choice("browser", "The key of this browser", "made here, asks nothing");
  list.append(legend, own);
  void findWallets().then((wallets) => {
    list.append(...wallets.map((wallet) => walletChoice(wallet)));
    const chosen = signer();
    if (chosen !== "browser" && !wallets.some(({ rdns }) => rdns === chosen)) {
      list.append(choice(chosen, chosen, "not in this browser now"));
    }
    if (!wallets.length) list.append(h("p", { class: "quiet" }, "No wallet is in this browser."));
  });
  return [list];
}

/** @param {Wallet} wallet */
const walletChoice = ({ rdns, name }) =>
  choice(rdns, name, "signs each opening; a key made for that game alone signs the moves");

/** @param {string} value @param {string} name @param {string} what */
function choice(value, name, what) {
  const input = h("input", {
    type: "radio",
    name: "signer",
    value,
    checked: signer() === value,
    "data-testid": `signer-${value}`,
  });
  input.addEventListener("change", () => setSigner(value));
  const about = h("span", { class: "quiet" }, what);
  return h("label", { class: "item" }, input, h("span", {}, name, " ", about));
}

// --- carry away ----------------------------------------------------------------------------------

function exportPart() {
  const address = h("p", { class: "quiet", "data-testid": "key-address" });
  const show = () => {
    const key = storedKey();
    setText(
      address,
      key
        ? `This browser plays as ${key.address}.`
        : "There is no key yet: your first game makes one.",
    );
  };
  show();
  const copy = button("Copy key", { "data-testid": "key-copy" });
  const save = button("Download key", { "data-testid": "key-save" });
  copy.addEventListener("click", () => {
    playerKey();
    show();
    void copyFrom(copy, exportText());
  });
  save.addEventListener("click", () => {
    const { address: name } = playerKey();
    show();
    const url = URL.createObjectURL(new Blob([`${exportText()}\n`], { type: "text/plain" }));
    h("a", { href: url, download: `checkproof-key-${name.slice(2, 10)}.txt` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  });
  return [
    h("h3", {}, "Carry it away"),
    address,
    h(
      "p",
      { class: "quiet" },
      "Whoever has this text can play in your name. The server never sees it.",
    ),
    h("div", { class: "row start" }, copy, save),
  ];
}

// --- bring here ----------------------------------------------------------------------------------

function importPart() {
  const text = h("textarea", {
    rows: "3",
    "aria-label": "A key as text",
    placeholder: "checkproof-key:1:…",
    spellcheck: "false",
    autocomplete: "off",
    "data-testid": "key-text",
  });
  const told = h("p", { class: "fault", role: "alert", "data-testid": "key-told" });
  const bring = button("Use this key", { "data-testid": "key-import" });
  const file = h("input", { type: "file", accept: ".txt,text/plain", "aria-label": "A key file" });
  file.addEventListener("change", async () => {
    const [chosen] = file.files ?? [];
    if (chosen) text.value = (await chosen.text()).slice(0, 100_000);
  });
  let asked = "";
  text.addEventListener("input", () => (asked = ""));
  bring.addEventListener("click", () => {
    const [line, done] = attempt(text.value, asked === text.value);
    asked = text.value;
    told.dataset.done = String(done);
    setText(told, line);
  });
  return [h("h3", {}, "Bring one here"), text, h("div", { class: "row start" }, file, bring), told];
}

/**
 * @param {string} text
 * @param {boolean} sure whether the key that is here may be replaced
 * @returns {[string, boolean]} a line to show, and whether the keys are here now
 */
function attempt(text, sure) {
  try {
    const present = storedKey();
    const { own, games } = readKeys(text);
    if (own && present && own.address !== present.address && !sure) {
      const name = short(present.address);
      return [
        `This replaces the key ${name}; games going on with it could not be played on. ` +
          "Press again if that is what you want.",
        false,
      ];
    }
    importKeys(text);
    const more = games.length ? ` Keys of single games: ${games.length}.` : "";
    return [own ? `This browser plays as ${own.address} now.${more}` : more.trim(), true];
  } catch (error) {
    if (!(error instanceof KeyTextFault)) throw error;
    return [error.message, false];
  }
}
