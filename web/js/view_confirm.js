/** The dialog that asks before something that cannot be taken back. */
import { byId, setText } from "./dom.js";

const QUESTIONS = {
  resign: {
    title: "Resign this game?",
    text: "The contract will record it as lost. This cannot be taken back.",
    yes: "Resign",
  },
  abort: {
    title: "Abort this game?",
    text: "Nobody wins and nobody loses. The contract will record it as aborted.",
    yes: "Abort",
  },
  draw: {
    title: "Claim a draw?",
    text: "The contract looks at the position itself. If the claim holds, the game ends at once.",
    yes: "Claim draw",
  },
};

export class Confirmation {
  /** @type {() => void} */
  #onYes = () => {};

  constructor() {
    this.dialog = byId("confirm", HTMLDialogElement);
    byId("confirm-no", HTMLButtonElement).addEventListener("click", () => this.dialog.close());
    byId("confirm-yes", HTMLButtonElement).addEventListener("click", () => {
      this.dialog.close();
      this.#onYes();
    });
  }

  /** @param {keyof typeof QUESTIONS} what @param {() => void} onYes */
  ask(what, onYes) {
    const { title, text, yes } = QUESTIONS[what];
    this.#onYes = onYes;
    this.dialog.dataset.about = what;
    setText(byId("confirm-title", HTMLElement), title);
    setText(byId("confirm-text", HTMLElement), text);
    setText(byId("confirm-yes", HTMLElement), yes);
    this.dialog.showModal();
  }
}
