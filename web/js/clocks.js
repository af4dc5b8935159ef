/** What the contract's clocks show at a moment. */

/** @import { Clocks, Color } from "./types.js" */

/**
 * What a clock shows: the contract charges a move what it took beyond the delay.
 *
 * @param {Clocks} clocks
 * @param {Color} color
 * @param {number} now unix seconds
 * @param {number} [delay] seconds
 * @returns {number} below zero when it has run out
 */
export const timeLeft = (clocks, color, now, delay = 0) =>
  clocks[color] - (clocks.running === color ? Math.max(0, now - clocks.at - delay) : 0);

/** How much of the delay is left. @param {Clocks} clocks @param {number} now @param {number} delay */
export const delayLeft = (clocks, now, delay) =>
  clocks.running ? Math.max(0, Math.min(delay, clocks.at + delay - now)) : 0;
