/**
 * What time it is at the server. This machine's clock may be wrong, and an answer takes a while:
 *
 *     sent ───────── half the round trip ────────▶ at (the server's clock)
 *     received ◀──── the other half ──────────────┘
 *
 * The quickest of the last answers tells the most.
 */

const KEPT = 8;

export class ServerTime {
  /** @type {{trip: number, ahead: number}[]} seconds; how far the server is ahead of here */
  #samples = [];

  /** @param {number} sent @param {number} received unix seconds here @param {number} at there */
  add(sent, received, at) {
    const ahead = at - (sent + received) / 2;
    this.#samples = [...this.#samples, { trip: received - sent, ahead }].slice(-KEPT);
  }

  /** Seconds that the server is ahead of this machine; 0 until it is known. */
  get ahead() {
    const [first, ...rest] = this.#samples;
    if (!first) return 0;
    return rest.reduce((best, each) => (each.trip < best.trip ? each : best), first).ahead;
  }

  /** @param {number} here unix seconds of this machine @returns {number} unix seconds there */
  from = (here) => here + this.ahead;
}
