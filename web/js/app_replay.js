/** A game from its first move on: /replay/{id}, and /embed/{id} as a small board for other pages. */
import { ApiFault, fetchConfig } from "./api.js";
import { byId, copyFrom, setText } from "./dom.js";
import { openProof, updateProof } from "./proof_drawer.js";
import { Connection, lineOf, socketUrl } from "./protocol.js";
import * as states from "./state.js";
import { Viewer } from "./viewer.js";

/** @import { State } from "./state.js" */

const [, page, id = ""] = location.pathname.split("/");
const game = id.toLowerCase();
const isEmbedded = page === "embed";
const STEP_MS = 1200;

const now = () => Date.now() / 1000;

class Replay {
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;
  #isPlaced = false;

  /** @param {Viewer} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    /** @type {State} */
    this.state = states.initialState(game, null);
    for (const [name, step] of STEPS) {
      byId(name, HTMLButtonElement).addEventListener("click", () => this.step(step));
    }
    byId("play", HTMLButtonElement).addEventListener("click", () => this.toggle());
    addEventListener("keydown", (event) => this.#key(event));
    addEventListener("hashchange", () => this.#toHash());
  }

  /** @param {State} state */
  set(state) {
    this.state = state;
    byId("screen", HTMLElement).hidden = !state.snapshot;
    byId("missing", HTMLElement).hidden = state.connection !== "refused";
    if (state.snapshot && !this.#isPlaced) this.#place();
    this.viewer.render(this.state, now());
    const { shown, line } = this.state;
    const last = line.length - 1;
    const at = shown ?? last;
    setText(byId("where", HTMLElement), `${at} of ${last}`);
    for (const name of ["first", "back"]) byId(name, HTMLButtonElement).disabled = at === 0;
    for (const name of ["on", "last"]) byId(name, HTMLButtonElement).disabled = at === last;
    if (!isEmbedded) updateProof(this.state);
  }

  /** Where to begin: at the ply of the address, a finished game at its start, another at its end. */
  #place() {
    this.#isPlaced = true;
    if (!this.#toHash() && states.isOver(this.state)) this.show(0);
  }

  /** @returns {boolean} whether the address names a ply */
  #toHash() {
    const ply = /^#ply=([0-9]+)$/.exec(location.hash)?.[1];
    if (ply !== undefined) this.show(Number(ply));
    return ply !== undefined;
  }

  /** @param {number} position an index of the line */
  show(position) {
    const last = this.state.line.length - 1;
    this.set(states.showing(this.state, Math.max(0, Math.min(position, last))));
  }

  /** @param {number} by */
  step(by) {
    this.stop();
    this.show((this.state.shown ?? this.state.line.length - 1) + by);
  }

  toggle() {
    if (this.#timer !== undefined) return this.stop();
    if (this.state.shown === null) this.show(0);
    this.#timer = setInterval(() => {
      this.show((this.state.shown ?? this.state.line.length - 1) + 1);
      if (this.state.shown === null) this.stop();
    }, STEP_MS);
    this.#button("Pause", "true");
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#button("Play", "false");
  }

  /** @param {string} text @param {"true" | "false"} pressed */
  #button(text, pressed) {
    const button = byId("play", HTMLButtonElement);
    setText(button, text);
    button.setAttribute("aria-pressed", pressed);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const step = KEYS.get(event.key);
    const { target } = event;
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    if (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement) return;
    event.preventDefault();
    this.step(step);
  }
}

function showEmbedCode() {
  const url = new URL(`/embed/${game}`, location.href).href;
  const code = `<iframe src="${url}" width="420" height="620" title="A game on checkproof"></iframe>`;
  setText(byId("embed-code", HTMLElement), code);
  const copy = byId("embed-copy", HTMLButtonElement);
  copy.addEventListener("click", () => void copyFrom(copy, code));
}

/** @type {[string, number][]} */
const STEPS = [
  ["first", -Infinity],
  ["back", -1],
  ["on", 1],
  ["last", Infinity],
];
const KEYS = new Map([
  ["Home", -Infinity],
  ["ArrowLeft", -1],
  ["ArrowRight", 1],
  ["End", Infinity],
]);

async function main() {
  const config = isEmbedded ? null : await fetchConfig();
  const viewer = new Viewer({
    onShow: (position) => {
      replay.stop();
      replay.show(position);
    },
    onProof: config ? (ply) => openProof(ply, { state: replay.state, config }) : undefined,
  });
  const replay = new Replay(viewer);
  byId("open", HTMLAnchorElement).href = `/watch/${game}`;
  if (!isEmbedded) showEmbedCode();
  new Connection((version) => socketUrl(location, game, version), {
    onEvent: (event) => replay.set(states.applyEvent(replay.state, event)),
    onStatus: (status) => replay.set(states.withConnection(replay.state, status)),
    onFault: (fault) => setText(byId("status", HTMLElement), fault.message),
  });
  setInterval(() => viewer.tick(replay.state, now()), 100);
}

main().catch((error) => {
  if (!(error instanceof ApiFault)) throw error;
  setText(byId("fault", HTMLElement), lineOf(error));
  byId("fault", HTMLElement).hidden = false;
});
