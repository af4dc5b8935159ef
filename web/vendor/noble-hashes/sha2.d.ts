/** SHA-256; also the value that `hmac` takes as its hash. */
export function sha256(message: Uint8Array): Uint8Array;
