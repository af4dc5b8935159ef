"""bn254 arithmetic for structured reference strings: large sums of points, and one pairing check.

Points of G1 are affine pairs of integers, None for infinity.  Sums of ten thousands of points are
what a check costs, so additions share one inversion by hundreds (Montgomery's trick) and scalars
are cut into digits that share buckets (Pippenger).  The pairing itself is groth16py's.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

import groth16py

from proofs.field import P as R
from proofs.field import Q

Point = tuple[int, int] | None
Affine = tuple[int, int]
G2Point = tuple[tuple[int, int], tuple[int, int]]
"""((x real, x imaginary), (y real, y imaginary))"""

G1: Final[Affine] = (1, 2)
G2: Final[G2Point] = (
    (
        10857046999023057135944570762232829481370756359578518086990519993285655852781,
        11559732032986387107991004021392285783925812861821192530917403151452391805634,
    ),
    (
        8495653923123431417604973247489272438418190587263600148770280649306958101930,
        4082367875863433681332203403145435568316851327593401208105741076214120093531,
    ),
)
TWO_ADICITY: Final = 28
"""R - 1 is an odd number times 2^28 (EIP-196's group order)."""


def on_curve(point: Affine) -> bool:
    """Whether y^2 = x^3 + 3; the curve's order is prime, so it is a point of G1 then."""
    x, y = point
    return 0 <= x < Q and 0 <= y < Q and (y * y - x * x * x - 3) % Q == 0


def add(a: Point, b: Point) -> Point:
    """The sum of two points."""
    if a is None or b is None:
        return b if a is None else a
    return _added([(a, b)])[0]


def weighted_sum(points: Sequence[Affine], scalars: Sequence[int], *, bits: int) -> Point:
    """The sum of scalar times point; scalars are below 2^bits."""
    width = min(12, max(3, len(points).bit_length() - 3))
    lows = range(0, bits, width)
    digit_sums = _descents([_buckets(points, scalars, low, width) for low in lows], width)
    total: Point = None
    for digit_sum in reversed(digit_sums):
        for _ in range(width):
            total = add(total, total)
        total = add(total, digit_sum)
    return total


def root_of_unity(generator: int, log_size: int) -> int:
    """The root of order 2^log_size that a multiplicative generator of the scalar field gives."""
    return pow(generator, (R - 1) >> log_size, R)


def interpolated(values: Sequence[int], root: int) -> list[int]:
    """Coefficients of the polynomial with these values at the powers of `root`."""
    a, n = list(values), len(values)
    _bit_reverse(a)
    inverse, length = pow(root, -1, R), 2
    while length <= n:
        step, half = pow(inverse, n // length, R), length // 2
        twiddles = [1] * half
        for k in range(1, half):
            twiddles[k] = twiddles[k - 1] * step % R
        for start in range(0, n, length):
            for k in range(half):
                low, high = a[start + k], a[start + k + half] * twiddles[k] % R
                a[start + k], a[start + k + half] = (low + high) % R, (low - high) % R
        length *= 2
    scale = pow(n, -1, R)
    return [value * scale % R for value in a]


def pairings_equal(a: Affine, b: G2Point, c: Affine, d: G2Point) -> bool:
    """Whether e(a, b) = e(c, d); False also if b or d is no point of G2.

    A Groth16 verification asks e(A, B) = e(alpha, beta) e(IC, gamma) e(C, delta).  Here alpha and
    IC are each other's negative and beta is gamma, so that the middle cancels.
    """
    key: dict[str, Any] = {
        "protocol": "groth16",
        "curve": "bn128",
        "nPublic": 0,
        "vk_alpha_1": _text1(G1),
        "vk_beta_2": _text2(G2),
        "vk_gamma_2": _text2(G2),
        "vk_delta_2": _text2(d),
        "IC": [_text1((1, Q - 2))],
    }
    words = (*a, b[0][1], b[0][0], b[1][1], b[1][0], *c)
    proof = b"".join(word.to_bytes(32, "big") for word in words)
    try:
        verifier = groth16py.Verifier(groth16py.VerifyingKey.from_snarkjs(json.dumps(key)))
        return bool(verifier.verify(proof, []))
    except (groth16py.EncodingError, groth16py.VerificationError):
        return False


def _text1(point: Affine) -> list[str]:
    return [str(point[0]), str(point[1]), "1"]


def _text2(point: G2Point) -> list[list[str]]:
    return [[str(part) for part in point[0]], [str(part) for part in point[1]], ["1", "0"]]


def _buckets(
    points: Sequence[Affine], scalars: Sequence[int], low: int, width: int
) -> dict[int, Affine]:
    """For each digit of `width` bits from bit `low` on, the sum of the points that have it."""
    top = (1 << width) - 1
    buckets: dict[int, list[Affine]] = {}
    for point, scalar in zip(points, scalars, strict=True):
        digit = scalar >> low & top
        if digit:
            buckets.setdefault(digit, []).append(point)
    return _bucket_sums(buckets)


def _descents(windows: list[dict[int, Affine]], width: int) -> list[Point]:
    """For each window the sum of digit times point, all of them going down the digits at once."""
    running: list[Point] = [None] * len(windows)
    totals: list[Point] = [None] * len(windows)
    for digit in range((1 << width) - 1, 0, -1):
        running = _pairwise(running, [window.get(digit) for window in windows])
        totals = _pairwise(totals, running)
    return totals


def _pairwise(left: list[Point], right: list[Point]) -> list[Point]:
    sums = [b if a is None else a for a, b in zip(left, right, strict=True)]
    both = [
        (k, (a, b))
        for k, (a, b) in enumerate(zip(left, right, strict=True))
        if a is not None and b is not None
    ]
    for (k, _), total in zip(both, _added([pair for _, pair in both]), strict=True):
        sums[k] = total
    return sums


def _bucket_sums(buckets: dict[int, list[Affine]]) -> dict[int, Affine]:
    """Every bucket added up; all of them take a step of halving at once."""
    while True:
        pairs = [
            (digit, bucket[k], bucket[k + 1])
            for digit, bucket in buckets.items()
            for k in range(0, len(bucket) - 1, 2)
        ]
        if not pairs:
            return {digit: bucket[0] for digit, bucket in buckets.items() if bucket}
        odd = {digit: bucket[-1:] for digit, bucket in buckets.items() if len(bucket) % 2}
        sums = _added([(a, b) for _, a, b in pairs])
        buckets = odd
        for (digit, _, _), total in zip(pairs, sums, strict=True):
            if total is not None:
                buckets.setdefault(digit, []).append(total)


def _added(pairs: Sequence[tuple[Affine, Affine]]) -> list[Point]:
    """The sum of each pair, with one inversion for all."""
    divisors: list[int] = []
    products: list[int] = []
    product = 1
    for (ax, ay), (bx, by) in pairs:
        divisor = bx - ax
        if divisor == 0:
            divisor = 2 * ay if ay == by else 1  # a doubling, or a point and its negative
        divisors.append(divisor)
        products.append(product)
        product = product * divisor % Q
    inverse = pow(product, -1, Q)
    sums: list[Point] = [None] * len(pairs)
    for k in range(len(pairs) - 1, -1, -1):
        (ax, ay), (bx, by) = pairs[k]
        scale, inverse = inverse * products[k] % Q, inverse * divisors[k] % Q
        if ax == bx and ay != by:
            continue
        slope = (3 * ax * ax if ax == bx else by - ay) * scale % Q
        x = (slope * slope - ax - bx) % Q
        sums[k] = x, (slope * (ax - x) - ay) % Q
    return sums


def _bit_reverse(a: list[int]) -> None:
    n, j = len(a), 0
    for i in range(1, n):
        bit = n >> 1
        while j & bit:
            j ^= bit
            bit >>= 1
        j |= bit
        if i < j:
            a[i], a[j] = a[j], a[i]
