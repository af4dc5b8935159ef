/** The hashes that the synchronous functions use; unset until the caller sets them. */
export const hashes: {
  sha256?: (message: Uint8Array) => Uint8Array;
  hmacSha256?: (key: Uint8Array, message: Uint8Array) => Uint8Array;
};

export const utils: { randomSecretKey(): Uint8Array; isValidSecretKey(key: Uint8Array): boolean };

export function getPublicKey(secretKey: Uint8Array, compressed?: boolean): Uint8Array;

/** "recovered" is 65 bytes: recovery bit | r | s, with s in the lower half of the order. */
export function sign(
  message: Uint8Array,
  secretKey: Uint8Array,
  options: { prehash: boolean; format: "compact" | "recovered" },
): Uint8Array;

/** @throws if the signature is malformed; it takes the form that `sign` calls "recovered" */
export function recoverPublicKey(
  signature: Uint8Array,
  message: Uint8Array,
  options: { prehash: boolean; isCompressed: boolean },
): Uint8Array;
