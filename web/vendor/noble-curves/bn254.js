import { blsBasic, } from "./abstract/bls.js";
import { Field } from "./abstract/modular.js";
import { psiFrobenius, tower12 } from "./abstract/tower.js";
import { weierstrass } from "./abstract/weierstrass.js";
import { bitLen } from "./utils.js";
const _0n = BigInt(0), _1n = BigInt(1), _2n = BigInt(2), _3n = BigInt(3);
const _6n = BigInt(6);
const BN_X = BigInt('4965661367192848881');
const BN_X_LEN = (() => bitLen(BN_X))();
const SIX_X_SQUARED = (() => _6n * BN_X ** _2n)();
const bn254_G1_CURVE = {
    p: BigInt('0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47'),
    n: BigInt('0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001'),
    h: _1n,
    a: _0n,
    b: _3n,
    Gx: _1n,
    Gy: BigInt(2),
};
export const bn254_Fr = (() => Field(bn254_G1_CURVE.n))();
const Fp2B = (() => ({
    c0: BigInt('19485874751759354771024239261021720505790618469301721065564631296452457478373'),
    c1: BigInt('266929791119991161246907387137283842545076965332900288569378510910307636690'),
}))();
let Fp12;
const bn254CyclotomicExpX = (num) => {
    const cyclSqrN = (n, count) => {
        for (let i = 0; i < count; i++)
            n = Fp12._cyclotomicSquare(n);
        return n;
    };
    const x10 = Fp12._cyclotomicSquare(num);
    const x100 = Fp12._cyclotomicSquare(x10);
    const x1000 = Fp12._cyclotomicSquare(x100);
    const x10000 = Fp12._cyclotomicSquare(x1000);
    const x10001 = Fp12.mul(x10000, num);
    const x10011 = Fp12.mul(x10001, x10);
    const x10100 = Fp12.mul(x10011, num);
    const x11001 = Fp12.mul(x1000, x10001);
    const x100010 = Fp12._cyclotomicSquare(x10001);
    const x100111 = Fp12.mul(x10011, x10100);
    const x101001 = Fp12.mul(x10, x100111);
    let r = cyclSqrN(x100010, 6);
    r = Fp12.mul(Fp12.mul(r, x100), x11001);
    r = Fp12.mul(cyclSqrN(r, 7), x11001);
    r = cyclSqrN(r, 8);
    r = Fp12.mul(Fp12.mul(r, x101001), x10);
    r = Fp12.mul(cyclSqrN(r, 6), x10001);
    r = Fp12.mul(cyclSqrN(r, 8), x101001);
    r = Fp12.mul(cyclSqrN(r, 6), x101001);
    r = Fp12.mul(cyclSqrN(r, 10), x100111);
    r = Fp12.mul(Fp12.mul(cyclSqrN(r, 6), x101001), x1000);
    return r;
};
const tower = (() => {
    const res = tower12({
        ORDER: bn254_G1_CURVE.p,
        X_LEN: BN_X_LEN,
        FP2_NONRESIDUE: [BigInt(9), _1n],
        Fp2mulByB: (num) => Fp2.mul(num, Fp2B),
        Fp12finalExponentiate: (num) => {
            const powMinusX = (num) => Fp12.conjugate(bn254CyclotomicExpX(num));
            const r0 = Fp12.mul(Fp12.conjugate(num), Fp12.inv(num));
            const r = Fp12.mul(Fp12.frobeniusMap(r0, 2), r0);
            const y1 = Fp12._cyclotomicSquare(powMinusX(r));
            const y2 = Fp12.mul(Fp12._cyclotomicSquare(y1), y1);
            const y4 = powMinusX(y2);
            const y6 = powMinusX(Fp12._cyclotomicSquare(y4));
            const y8 = Fp12.mul(Fp12.mul(Fp12.conjugate(y6), y4), Fp12.conjugate(y2));
            const y9 = Fp12.mul(y8, y1);
            return Fp12.mul(Fp12.frobeniusMap(Fp12.mul(Fp12.conjugate(r), y9), 3), Fp12.mul(Fp12.frobeniusMap(y8, 2), Fp12.mul(Fp12.frobeniusMap(y9, 1), Fp12.mul(Fp12.mul(y8, y4), r))));
        },
    });
    Fp12 = res.Fp12;
    return res;
})();
const Fp = (() => tower.Fp)();
const Fp2 = (() => tower.Fp2)();
let frob;
const getFrob = () => frob || (frob = psiFrobenius(Fp, Fp2, Fp2.NONRESIDUE));
let psi = (x, y) => {
    const fn = getFrob().psi;
    psi = fn;
    return fn(x, y);
};
let G2psi = (c, P) => {
    const fn = getFrob().G2psi;
    G2psi = fn;
    return fn(c, P);
};
export const _postPrecompute = (Rx, Ry, Rz, Qx, Qy, pointAdd) => {
    const q = psi(Qx, Qy);
    ({ Rx, Ry, Rz } = pointAdd(Rx, Ry, Rz, q[0], q[1]));
    const q2 = psi(q[0], q[1]);
    pointAdd(Rx, Ry, Rz, q2[0], Fp2.neg(q2[1]));
};
const bn254_G2_CURVE = (() => ({
    p: Fp2.ORDER,
    n: bn254_G1_CURVE.n,
    h: BigInt('0x30644e72e131a029b85045b68181585e06ceecda572a2489345f2299c0f9fa8d'),
    a: Fp2.ZERO,
    b: Fp2B,
    Gx: Fp2.fromBigTuple([
        BigInt('10857046999023057135944570762232829481370756359578518086990519993285655852781'),
        BigInt('11559732032986387107991004021392285783925812861821192530917403151452391805634'),
    ]),
    Gy: Fp2.fromBigTuple([
        BigInt('8495653923123431417604973247489272438418190587263600148770280649306958101930'),
        BigInt('4082367875863433681332203403145435568316851327593401208105741076214120093531'),
    ]),
}))();
const fields = (() => ({ Fp, Fp2, Fp6: tower.Fp6, Fp12, Fr: bn254_Fr }))();
const bn254_G1 = weierstrass(bn254_G1_CURVE, {
    Fp,
    Fn: bn254_Fr,
    allowInfinityPoint: true,
});
const bn254_G2 = weierstrass(bn254_G2_CURVE, {
    Fp: Fp2,
    Fn: bn254_Fr,
    allowInfinityPoint: true,
    isTorsionFree: (c, P) => P.multiplyUnsafe(SIX_X_SQUARED).equals(G2psi(c, P)),
});
const bn254_params = (() => ({
    ateLoopSize: BN_X * _6n + _2n,
    r: bn254_Fr.ORDER,
    xNegative: false,
    twistType: 'divisive',
    postPrecompute: _postPrecompute,
}))();
export const bn254 = blsBasic(fields, bn254_G1, bn254_G2, bn254_params);
