"""bn254 on paper: curve points as affine pairs, and Groth16 keys whose secrets we kept.

Whoever knows a setup's secrets can prove anything.  Tests and measurements make use of it, on
chains of their own: honest-looking proofs of any statement in milliseconds, and points that no
honest setup would make.  Nothing that serves, proves or audits games imports this module.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from random import Random
from typing import Final

P: Final = 0x30644E72E131A029B85045B68181585D97816A916871CA8D3C208C16D87CFD47
"""The field of coordinates."""

R: Final = 0x30644E72E131A029B85045B68181585D2833E84879B9709143E1F593F0000001
"""The order of the groups, and the field of public inputs."""


@dataclass(frozen=True)
class Fp2:
    """real + imaginary * i, with i * i = -1."""

    real: int
    imaginary: int = 0

    def __add__(self, other: "Fp2") -> "Fp2":
        return Fp2((self.real + other.real) % P, (self.imaginary + other.imaginary) % P)

    def __sub__(self, other: "Fp2") -> "Fp2":
        return Fp2((self.real - other.real) % P, (self.imaginary - other.imaginary) % P)

    def __mul__(self, other: "Fp2") -> "Fp2":
        real = self.real * other.real - self.imaginary * other.imaginary
        imaginary = self.real * other.imaginary + self.imaginary * other.real
        return Fp2(real % P, imaginary % P)

    def inverse(self) -> "Fp2":
        scale = pow(self.real * self.real + self.imaginary * self.imaginary, -1, P)
        return Fp2(self.real * scale % P, -self.imaginary * scale % P)

    def power(self, exponent: int) -> "Fp2":
        result, base = Fp2(1), self
        while exponent:
            if exponent & 1:
                result = result * base
            base, exponent = base * base, exponent >> 1
        return result

    def root(self) -> "Fp2 | None":
        """A square root, for P = 3 mod 4 (Adj and Rodriguez-Henriquez, algorithm 9)."""
        a1 = self.power((P - 3) // 4)
        x0 = a1 * self
        alpha = a1 * x0
        if alpha == Fp2(P - 1):
            candidate = Fp2(0, 1) * x0
        else:
            candidate = (Fp2(1) + alpha).power((P - 1) // 2) * x0
        return candidate if candidate * candidate == self else None


Point = tuple[Fp2, Fp2]
"""An affine point; on G1 the imaginary parts are zero."""

G1: Final[Point] = (Fp2(1), Fp2(2))
G2: Final[Point] = (
    Fp2(
        10857046999023057135944570762232829481370756359578518086990519993285655852781,
        11559732032986387107991004021392285783925812861821192530917403151452391805634,
    ),
    Fp2(
        8495653923123431417604973247489272438418190587263600148770280649306958101930,
        4082367875863433681332203403145435568316851327593401208105741076214120093531,
    ),
)
TWIST_B: Final = Fp2(3) * Fp2(9, 1).inverse()


def add(a: Point | None, b: Point | None) -> Point | None:
    """The sum; None is the point at infinity."""
    if a is None or b is None:
        return b if a is None else a
    if a[0] == b[0]:
        if a[1] != b[1]:
            return None
        slope = Fp2(3) * a[0] * a[0] * (Fp2(2) * a[1]).inverse()
    else:
        slope = (b[1] - a[1]) * (b[0] - a[0]).inverse()
    x = slope * slope - a[0] - b[0]
    return x, slope * (a[0] - x) - a[1]


def multiply(point: Point, scalar: int) -> Point | None:
    result, base = None, point
    while scalar:
        if scalar & 1:
            result = add(result, base)
        scalar >>= 1
        if scalar:
            doubled = add(base, base)
            assert doubled is not None
            base = doubled
    return result


def g1_bytes(point: Point | None) -> bytes:
    """64 bytes as in EIP-196."""
    values = (0, 0) if point is None else (point[0].real, point[1].real)
    return b"".join(v.to_bytes(32, "big") for v in values)


def g2_bytes(point: Point | None) -> bytes:
    """128 bytes as in EIP-197: imaginary parts first."""
    if point is None:
        return bytes(128)
    x, y = point
    values = (x.imaginary, x.real, y.imaginary, y.real)
    return b"".join(v.to_bytes(32, "big") for v in values)


@lru_cache(1)
def twist_point_outside_g2() -> Point:
    """A point on the twist that is not in the group of order R."""
    x = Fp2(1)
    while True:
        y = (x * x * x + TWIST_B).root()
        if y is not None and multiply((x, y), R) is not None:
            return x, y
        x = x + Fp2(1)


@dataclass(frozen=True)
class TrapdoorKey:
    """The scalars behind a verifying key with ten public inputs."""

    alpha: int
    beta: int
    gamma: int
    delta: int
    ic: tuple[int, ...]

    @classmethod
    def random(cls) -> "TrapdoorKey":
        alpha, beta, gamma, delta, *ic = (1 + secrets.randbelow(R - 1) for _ in range(15))
        return cls(alpha, beta, gamma, delta, tuple(ic))

    @classmethod
    def seeded(cls, seed: int) -> "TrapdoorKey":
        """The same key for the same seed, and so the same transactions."""
        chance = Random(seed)
        alpha, beta, gamma, delta, *ic = (chance.randrange(1, R) for _ in range(15))
        return cls(alpha, beta, gamma, delta, tuple(ic))

    @cached_property
    def vk(self) -> bytes:
        """1,152 bytes: alpha | beta | gamma | delta | IC[0..10]."""
        g2 = (g2_bytes(multiply(G2, s)) for s in (self.beta, self.gamma, self.delta))
        ic = (g1_bytes(multiply(G1, s)) for s in self.ic)
        return g1_bytes(multiply(G1, self.alpha)) + b"".join(g2) + b"".join(ic)

    def prove(self, limbs: Sequence[int], *, a: int | None = None, b: int | None = None) -> bytes:
        """256 bytes that the verification equation accepts for these ten inputs.

        A = a G1, B = b G2, and C = (ab - alpha beta - gamma X) / delta.
        """
        a = secrets.randbelow(R) if a is None else a
        b = secrets.randbelow(R) if b is None else b
        x = self.ic[0] + sum(s * limb for s, limb in zip(self.ic[1:], limbs, strict=True))
        c = (a * b - self.alpha * self.beta - self.gamma * x) * pow(self.delta, -1, R) % R
        return _first_points(a, b) + g1_bytes(multiply(G1, c))


@lru_cache(16)
def _first_points(a: int, b: int) -> bytes:
    return g1_bytes(multiply(G1, a % R)) + g2_bytes(multiply(G2, b % R))
