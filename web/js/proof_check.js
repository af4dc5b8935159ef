/** "Check it here": asks a worker to verify one bot move, and shows what it found. */
import { h, setText } from "./dom.js";

/** @import { Question, Step, Verdict } from "./verify_check.js" */
/** @import { Answer } from "./verify_worker.js" */

const KEPT = "checkproof.endpoint";
const CANNOT = "This browser could not run the check.";

const SAYS = {
  verified: "Verified here ✓",
  forged: "Not proven ✗",
  undecided: "Undecided",
};

/** The endpoint that the user chose before, or the one that the arena offers. @param {string | null} offered */
export function endpointOf(offered) {
  try {
    return localStorage.getItem(KEPT) || (offered ?? "");
  } catch {
    return offered ?? ""; // storage may be forbidden, as in an embedded page
  }
}

/** @param {string} url @param {string | null} offered */
function keepEndpoint(url, offered) {
  try {
    if (url === (offered ?? "")) localStorage.removeItem(KEPT);
    else localStorage.setItem(KEPT, url);
  } catch {
    // then it is asked for again the next time
  }
}

/**
 * Verify in a worker, whose code is loaded only now.
 *
 * @param {Question} question
 * @param {(step: Step) => void} onStep
 * @returns {{done: Promise<Verdict>, stop: () => void}} `done` fails if the worker does
 */
export function checkInWorker(question, onStep) {
  const worker = new Worker(new URL("./verify_worker.js", import.meta.url), { type: "module" });
  /** @type {Promise<Verdict>} */
  const done = new Promise((resolve, reject) => {
    worker.addEventListener("message", ({ data }) => {
      const answer = /** @type {Answer} */ (data);
      if ("step" in answer) onStep(answer.step);
      else if ("verdict" in answer) resolve(answer.verdict);
      else reject(new Error(answer.failure));
    });
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      reject(new Error(event.message || CANNOT));
    });
    worker.postMessage(question);
  });
  const stop = () => worker.terminate();
  return { done: done.finally(stop), stop };
}

export class CheckBox {
  /** @type {Omit<Question, "endpoint"> | null} */
  #question = null;
  /** @type {(() => void) | null} */
  #stop = null;

  /** @param {string | null} offered the arena's own endpoint @param {(verdict: Verdict) => void} onVerdict */
  constructor(offered, onVerdict) {
    this.offered = offered;
    this.onVerdict = onVerdict;
    this.input = h("input", {
      id: "endpoint",
      type: "url",
      class: "field",
      "data-testid": "endpoint",
      placeholder: "https://… a JSON-RPC endpoint of this chain",
      autocomplete: "off",
      spellcheck: "false",
    });
    this.input.value = endpointOf(offered);
    this.button = h(
      "button",
      { type: "submit", class: "button solid-good", "data-testid": "check" },
      "Check it here",
    );
    this.steps = h("ol", { class: "check-steps", "data-testid": "check-steps" });
    this.verdict = h("p", {
      class: "verdict",
      role: "status",
      "data-testid": "verdict",
      hidden: true,
    });
    this.note = h("p", { class: "quiet" });
    const form = h(
      "form",
      { class: "check-form" },
      h("label", { for: "endpoint" }, "Chain endpoint"),
      this.input,
      this.button,
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#run();
    });
    this.element = h(
      "section",
      { class: "check", "aria-label": "Check it here" },
      this.note,
      form,
      this.steps,
      this.verdict,
    );
  }

  /**
   * What a check would be about; null while there is nothing on the chain.
   *
   * @param {Omit<Question, "endpoint"> | null} question
   * @param {"groth16" | "ezkl"} system
   */
  about(question, system) {
    const other = question?.ply !== this.#question?.ply || question?.game !== this.#question?.game;
    this.#question = question;
    this.button.disabled = question === null;
    setText(this.note, noteOf(question !== null, system));
    if (other) this.#clear();
  }

  /** Forget what was found, and stop what goes on. */
  #clear() {
    this.#stop?.();
    this.#stop = null;
    this.steps.replaceChildren();
    this.verdict.hidden = true;
    delete this.verdict.dataset.result;
  }

  async #run() {
    const question = this.#question;
    if (!question) return;
    const endpoint = this.input.value.trim();
    this.#clear();
    if (!isEndpoint(endpoint)) {
      return this.#show("undecided", "Name an endpoint that begins with https:// or http://.");
    }
    keepEndpoint(endpoint, this.offered);
    this.button.disabled = true;
    this.element.setAttribute("aria-busy", "true");
    const { done, stop } = checkInWorker({ ...question, endpoint }, (step) => this.#step(step));
    this.#stop = stop;
    try {
      const verdict = await done;
      if (this.#question?.ply !== question.ply) return;
      this.#show(verdict.result, verdict.line);
      this.onVerdict(verdict);
    } catch (error) {
      this.#show("undecided", error instanceof Error ? error.message : CANNOT);
    } finally {
      this.button.disabled = this.#question === null;
      this.element.removeAttribute("aria-busy");
    }
  }

  /** @param {Step} step */
  #step({ title, detail, ok }) {
    this.steps.append(
      h(
        "li",
        { "data-ok": String(ok) },
        h("span", { class: "check-mark", "aria-hidden": "true" }, ok ? "✓" : "✗"),
        h("span", {}, h("strong", {}, title), ` ${detail}`),
      ),
    );
  }

  /** @param {Verdict["result"]} result @param {string} line */
  #show(result, line) {
    this.verdict.hidden = false;
    this.verdict.dataset.result = result;
    this.verdict.replaceChildren(h("strong", {}, SAYS[result]), ` ${line}`);
  }
}

/** @param {boolean} landed @param {"groth16" | "ezkl"} system */
function noteOf(landed, system) {
  if (!landed) return "This move can be checked here as soon as the chain holds it.";
  return system === "ezkl"
    ? "Reads the game from the chain, replays it in this browser, makes the public inputs again, " +
        "and asks the registered verifier by eth_call."
    : "Reads the game from the chain, replays it in this browser, makes the public inputs again, " +
        "and verifies the proof itself. The server is not asked.";
}

/** @param {string} text */
function isEndpoint(text) {
  try {
    return ["http:", "https:"].includes(new URL(text).protocol);
  } catch {
    return false;
  }
}
