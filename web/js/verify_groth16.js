/**
 * Groth16 over bn254, as proofs/groth16.py draws it:
 *
 *     verifying key   alpha G1 | beta G2 | gamma G2 | delta G2 | IC[0] .. IC[n] G1
 *     proof           A G1 | B G2 | C G1
 *     G1, 64 bytes    x | y                                    big-endian words below the modulus
 *     G2, 128 bytes   x imaginary | x real | y imaginary | y real
 *
 * A proof holds iff, with X = IC[0] + sum of input[i] · IC[i + 1],
 *
 *     e(A, B) · e(-alpha, beta) · e(-X, gamma) · e(-C, delta) = 1
 */
import { bn254 } from "../vendor/noble-curves/bn254.js";

/** @import { G1Point, G2Point } from "../vendor/noble-curves/bn254.js" */

const { G1, G2, fields } = bn254;
const [G1_BYTES, G2_BYTES, WORD] = [64, 128, 32];
const HEAD = G1_BYTES + 3 * G2_BYTES;
export const PROOF_BYTES = 2 * G1_BYTES + G2_BYTES;

/** Bytes that are no key, or no proof. */
export class Groth16Fault extends Error {
  name = "Groth16Fault";
}

/**
 * Whether a proof proves the public inputs under a verifying key.
 *
 * @param {Uint8Array} key
 * @param {Uint8Array} proof
 * @param {bigint[]} inputs
 * @returns {boolean}
 * @throws {Groth16Fault} if the bytes are no key or no proof: with the reason
 */
export function holds(key, proof, inputs) {
  if (key.length < HEAD + G1_BYTES || (key.length - HEAD) % G1_BYTES) {
    throw new Groth16Fault(`the verifying key has ${key.length} bytes`);
  }
  if (proof.length !== PROOF_BYTES) {
    throw new Groth16Fault(`the proof has ${proof.length} bytes instead of ${PROOF_BYTES}`);
  }
  const alpha = g1(key, 0, "alpha");
  const [beta, gamma, delta] = ["beta", "gamma", "delta"].map((name, i) =>
    g2(key, G1_BYTES + i * G2_BYTES, name),
  );
  const bases = (key.length - HEAD) / G1_BYTES;
  const ic = Array.from({ length: bases }, (_, i) => g1(key, HEAD + i * G1_BYTES, `IC[${i}]`));
  if (inputs.length !== ic.length - 1) {
    throw new Groth16Fault(`the key is for ${ic.length - 1} public inputs, not ${inputs.length}`);
  }
  const [first, second] = [1, 2].map((i) => words(key, G1_BYTES + i * G2_BYTES, 2, "the key"));
  if (`${first}` === `${second}`) {
    // with one x they are equal, or each other's negative: then anyone can forge
    throw new Groth16Fault("gamma is delta or its negative");
  }
  return isOne([
    { g1: g1(proof, 0, "A"), g2: g2(proof, G1_BYTES, "B") },
    { g1: alpha.negate(), g2: beta },
    { g1: sum(ic, inputs).negate(), g2: gamma },
    { g1: g1(proof, G1_BYTES + G2_BYTES, "C").negate(), g2: delta },
  ]);
}

/** @param {{g1: G1Point, g2: G2Point}[]} pairs */
function isOne(pairs) {
  const proper = pairs.filter((pair) => !pair.g1.is0() && !pair.g2.is0()); // e(0, P) is one
  return fields.Fp12.eql(bn254.pairingBatch(proper), fields.Fp12.ONE);
}

/** @param {G1Point[]} ic @param {bigint[]} inputs */
function sum(ic, inputs) {
  return inputs.reduce((total, input, i) => {
    if (input < 0n || input >= fields.Fr.ORDER) {
      throw new Groth16Fault(`public input ${i} is not below the group's order`);
    }
    return total.add(ic[i + 1].multiplyUnsafe(input));
  }, ic[0]);
}

/** @param {Uint8Array} bytes @param {number} offset @param {string} name */
function g1(bytes, offset, name) {
  const [x, y] = words(bytes, offset, 2, name);
  if (x === 0n && y === 0n) return G1.Point.ZERO;
  return valid(() => G1.Point.fromAffine({ x, y }), name);
}

/** @param {Uint8Array} bytes @param {number} offset @param {string} name */
function g2(bytes, offset, name) {
  const [xi, xr, yi, yr] = words(bytes, offset, 4, name);
  if (!(xi || xr || yi || yr)) return G2.Point.ZERO;
  return valid(() => G2.Point.fromAffine({ x: { c0: xr, c1: xi }, y: { c0: yr, c1: yi } }), name);
}

/**
 * @template {G1Point | G2Point} T
 * @param {() => T} make
 * @param {string} name
 */
function valid(make, name) {
  try {
    const point = make();
    point.assertValidity();
    return point;
  } catch (error) {
    throw new Groth16Fault(`${name} is no point of the group`, { cause: error });
  }
}

/** @param {Uint8Array} bytes @param {number} offset @param {number} count @param {string} name */
function words(bytes, offset, count, name) {
  return Array.from({ length: count }, (_, i) => {
    const start = offset + i * WORD;
    const value = toBigInt(bytes.subarray(start, start + WORD));
    if (value >= fields.Fp.ORDER) {
      throw new Groth16Fault(`a coordinate of ${name} is not below the field's modulus`);
    }
    return value;
  });
}

/** @param {Uint8Array} bytes big-endian */
const toBigInt = (bytes) => bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
