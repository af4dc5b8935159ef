/** The player's key: made in this browser, kept in its local storage, never sent anywhere. */
import { fromHex, toHex } from "./bytes.js";
import { Key } from "./signing.js";

const NAME = "checkproof.key";

/** @returns {Key | null} the key of this browser, or null if it has none (or a broken one) */
export function storedKey() {
  try {
    const secret = localStorage.getItem(NAME);
    return secret ? new Key(fromHex(secret)) : null;
  } catch {
    return null;
  }
}

/**
 * The key of this browser, made now if there is none.
 *
 * @throws {DOMException} if the browser keeps nothing: a game could not be played on after a reload
 */
export function playerKey() {
  const stored = storedKey();
  if (stored) return stored;
  const key = Key.random();
  localStorage.setItem(NAME, toHex(key.secret));
  return key;
}
