/** Bytes and their hexadecimal names. */

/** @param {Uint8Array} bytes @returns {string} lower-case, with 0x */
export function toHex(bytes) {
  return `0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/**
 * @param {string} hex with or without 0x, an even number of digits
 * @throws {RangeError} if it is anything else
 */
export function fromHex(hex) {
  const digits = hex.startsWith("0x") ? hex.slice(2) : hex;
  if (digits.length % 2 || !/^[0-9a-fA-F]*$/.test(digits)) {
    throw new RangeError(`not a hexadecimal string: ${hex.slice(0, 80)}`);
  }
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) =>
    Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16),
  );
}

/** @param {...Uint8Array} parts */
export function concat(...parts) {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** @param {number} length */
export function randomBytes(length) {
  return crypto.getRandomValues(new Uint8Array(length));
}
