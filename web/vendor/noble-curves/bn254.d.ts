interface Point<P> {
  add(other: P): P;
  negate(): P;
  multiplyUnsafe(scalar: bigint): P;
  is0(): boolean;
  /** @throws if it is not on the curve, or outside the group */
  assertValidity(): void;
}
interface PointClass<P, F> {
  ZERO: P;
  fromAffine(point: { x: F; y: F }): P;
}
/** A number of the quadratic extension: c0 + c1 · i. */
export interface Fp2 {
  c0: bigint;
  c1: bigint;
}
export interface G1Point extends Point<G1Point> {}
export interface G2Point extends Point<G2Point> {}
interface Fp12Field {
  ONE: unknown;
  eql(a: unknown, b: unknown): boolean;
}

export const bn254: {
  G1: { Point: PointClass<G1Point, bigint> };
  G2: { Point: PointClass<G2Point, Fp2> };
  fields: { Fp: { ORDER: bigint }; Fr: { ORDER: bigint }; Fp12: Fp12Field };
  /** The product of the pairings, with the final exponentiation; no point may be zero. */
  pairingBatch(pairs: { g1: G1Point; g2: G2Point }[]): unknown;
};
