/**
 * Checks proofs away from the page. The page may talk to its own server only; this worker is
 * served with a policy of its own that lets it ask the endpoint which the user chose. It has no
 * access to the player's key, and sends back nothing but what it found.
 */
import { check } from "./verify_check.js";

/** @import { Question } from "./verify_check.js" */

/** @typedef {{step: import("./verify_check.js").Step}
 *   | {verdict: import("./verify_check.js").Verdict} | {failure: string}} Answer */

/** @param {Answer} answer */
const say = (answer) => /** @type {any} */ (globalThis).postMessage(answer);

addEventListener("message", (event) => {
  const question = /** @type {Question} */ (event.data);
  check(question, { onStep: (step) => say({ step }) }).then(
    (verdict) => say({ verdict }),
    (error) => say({ failure: String(error) }),
  );
});
