"""Structured reference strings (SRS) from files: read, converted, checked, kept.

halo2's file, which ezkl reads:

    log2 n, u32 | n powers [tau^i] G1 | n Lagrange points [L_i(tau)] G1 | G2 | [tau] G2

snarkjs' .ptau holds the same points in sections, and a Lagrange basis for each size where it was
prepared for phase 2.  Coordinates are 32 little-endian bytes in Montgomery form in both, a G2
coordinate real part first.  But the bases belong to different roots of unity: halo2 takes 7 as the
field's generator and snarkjs 5, so that one basis is the other in another order.

Nothing in such a file is believed, see `check`.  Nothing here downloads.
"""

import hashlib
import os
import secrets
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from proofs.errors import SrsRefused
from proofs.field import P as R
from proofs.field import Q
from proofs.srs_curve import (
    G1,
    G2,
    TWO_ADICITY,
    Affine,
    G2Point,
    interpolated,
    on_curve,
    pairings_equal,
    root_of_unity,
    weighted_sum,
)

POINT_BYTES: Final = 64
G2_BYTES: Final = 128
HALO2_GENERATOR: Final = 7
SNARKJS_GENERATOR: Final = 5
CHECK_BITS: Final = 100
"""Bits of the random weights: one altered point passes with a chance of 2^-100."""

_CEREMONIES: Final = {
    # Real and imaginary part of the x of [tau] G2, as contracts in use quote them.
    (
        0x26186A2D65EE4D2F9C9A5B91F86597D35F192CD120CAF7E935D8443D1938E23D,
        0x30441FD1B5D3370482C42152A8899027716989A6996C2535BC9F7FEE8AAEF79E,
    ): "Perpetual Powers of Tau, as Hermez prepared it for snarkjs (powersOfTau28_hez_final)",
    (
        0x17944351223333F260DDC3B4AF45191B856689EDA9EAB5CBCDDBBE570CE860D2,
        0x186282957DB913ABD99F91DB59FE69922E95040603EF44C0BD7AA3ADEEF8F5AC,
    ): "Perpetual Powers of Tau, as published for halo2 (perpetual-powers-of-tau-raw)",
    (
        0x0118C4D5B837BCC2BC89B5B398B5974E9F5944073B32078B7E231FEC938883B0,
        0x260E01B251F6F1C7E7FF4E580791DEE8EA51D87A358E038B4EFE30FAC09383C1,
    ): "Aztec Ignition",
}
"""Compared by x alone: nobody who does not know tau knows -tau."""

_MONTGOMERY: Final = pow(1 << 256, -1, Q)
_PTAU_HEADER, _PTAU_POWERS, _PTAU_POWERS_2, _PTAU_LAGRANGE = 1, 2, 3, 12
Tell = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Powers:
    """An SRS of 2^logrows rows, as its file has the points."""

    logrows: int
    powers: bytes  # n points of G1
    lagrange: bytes  # n points of G1
    g2: bytes
    tau_g2: bytes

    @property
    def file(self) -> bytes:
        """halo2's file."""
        head = struct.pack("<I", self.logrows)
        return b"".join((head, self.powers, self.lagrange, self.g2, self.tau_g2))

    @property
    def hash(self) -> str:
        """SHA-256 of the file, hexadecimal."""
        return hashlib.sha256(self.file).hexdigest()

    @property
    def ceremony(self) -> str:
        """The ceremony that [tau] G2 is known from, empty if it is from none that we know."""
        return _CEREMONIES.get(g2_point(self.tau_g2)[0], "")


def g2_point(data: bytes) -> G2Point:
    """A G2 point of a file."""
    (x, x_i), (y, y_i) = points(data)
    return (x, x_i), (y, y_i)


def points(data: bytes) -> list[Affine]:
    """The pairs of coordinates in some bytes of a file."""
    words = [
        int.from_bytes(data[k : k + 32], "little") * _MONTGOMERY % Q
        for k in range(0, len(data), 32)
    ]
    return list(zip(words[::2], words[1::2], strict=True))


def is_ptau(path: Path) -> bool:
    """Whether a file begins like snarkjs' .ptau.  Raises OSError."""
    with path.open("rb") as file:
        return file.read(4) == b"ptau"


def read_srs(path: Path) -> Powers:
    """halo2's file, not yet checked.  Raises SrsRefused, OSError."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(4)
        logrows = struct.unpack("<I", head)[0] if len(head) == 4 else 0
        n = 1 << logrows if 0 < logrows <= TWO_ADICITY else 0
        if not n or size != 4 + 2 * n * POINT_BYTES + 2 * G2_BYTES:
            raise SrsRefused(str(path), f"{size:,} bytes are no .srs of halo2 and no .ptau")
        parts = [file.read(k) for k in (n * POINT_BYTES, n * POINT_BYTES, G2_BYTES, G2_BYTES)]
    return Powers(logrows, *parts)


def ptau_power(path: Path) -> int:
    """The largest logrows that a .ptau has the powers for.  Raises SrsRefused, OSError."""
    with path.open("rb") as file:
        return _header(path, file, _sections(path, file))


def read_ptau(path: Path, logrows: int) -> Powers:
    """2^logrows rows of snarkjs' file in halo2's order, not yet checked.

    Raises SrsRefused, OSError.
    """
    with path.open("rb") as file:
        sections = _sections(path, file)
        power = _header(path, file, sections)
        if not 0 < logrows <= power:
            raise SrsRefused(str(path), f"it has powers for 2^{power} rows, not for 2^{logrows}")
        if _PTAU_LAGRANGE not in sections:
            advice = "run `snarkjs powersoftau prepare phase2` on it first"
            raise SrsRefused(str(path), f"it holds no Lagrange points; {advice}")
        n = 1 << logrows
        read = _Reader(path, file, sections)
        powers = read(_PTAU_POWERS, 0, n * POINT_BYTES)
        g2 = read(_PTAU_POWERS_2, 0, 2 * G2_BYTES)
        # The bases of all sizes lie one behind the other, the smallest (one point) first.
        theirs = read(_PTAU_LAGRANGE, (n - 1) * POINT_BYTES, n * POINT_BYTES)
    lagrange = _reordered(theirs, logrows)
    return Powers(logrows, powers, lagrange, g2[:G2_BYTES], g2[G2_BYTES:])


def check(srs: Powers, name: str, tell: Tell) -> None:
    """Raises SrsRefused unless all points are powers of one secret, and the bases agree.

    With random weights r_i: e(sum r_i [tau^i], [tau] G2) = e(sum r_i [tau^(i+1)], G2) for the
    powers; for the Lagrange points, sum r_i [L_i] = sum c_j [tau^j], where the polynomial with
    coefficients c takes the values r on the roots of unity.
    """
    tell(f"2^{srs.logrows} rows: are all points on the curve?")
    tau_powers, lagrange = points(srs.powers), points(srs.lagrange)
    _check_words(srs, name)
    for what, found in (("powers", tau_powers), ("Lagrange points", lagrange)):
        for k, point in enumerate(found):
            if not on_curve(point):
                raise SrsRefused(name, f"number {k} of its {what} is no point of the curve")
    g2, tau_g2 = g2_point(srs.g2), g2_point(srs.tau_g2)
    if tau_powers[0] != G1 or g2 != G2:
        raise SrsRefused(name, "it does not begin with the generators of bn254")
    if tau_g2[0] == G2[0]:
        raise SrsRefused(name, "its secret is 1 or -1, which everybody can guess")
    tell(f"2^{srs.logrows} rows: are they powers of one secret?")
    _check_powers(tau_powers, tau_g2, name)
    tell(f"2^{srs.logrows} rows: do the Lagrange points belong to them?")
    _check_lagrange(tau_powers, lagrange, name)


def _check_words(srs: Powers, name: str) -> None:
    """No number may have two forms, or a file has two hashes."""
    data = srs.powers + srs.lagrange + srs.g2 + srs.tau_g2
    limit = Q.to_bytes(32, "big")
    for k in range(0, len(data), 32):
        if data[k : k + 32][::-1] >= limit:
            raise SrsRefused(name, "a coordinate is not below the field's modulus")


def _check_powers(tau_powers: list[Affine], tau_g2: G2Point, name: str) -> None:
    weights = [secrets.randbits(CHECK_BITS) for _ in tau_powers[1:]]
    lower = weighted_sum(tau_powers[:-1], weights, bits=CHECK_BITS)
    upper = weighted_sum(tau_powers[1:], weights, bits=CHECK_BITS)
    if lower is None or upper is None or not pairings_equal(lower, tau_g2, upper, G2):
        raise SrsRefused(name, "its points are not the powers of one secret")


def _check_lagrange(tau_powers: list[Affine], lagrange: list[Affine], name: str) -> None:
    weights = [secrets.randbits(CHECK_BITS) for _ in lagrange]
    logrows = len(lagrange).bit_length() - 1
    root = root_of_unity(HALO2_GENERATOR, logrows)
    coefficients = interpolated(weights, root)
    theirs = weighted_sum(lagrange, weights, bits=CHECK_BITS)
    if theirs != weighted_sum(tau_powers, coefficients, bits=R.bit_length()):
        raise SrsRefused(name, "its Lagrange points do not belong to its powers")


def _reordered(theirs: bytes, logrows: int) -> bytes:
    """snarkjs' Lagrange points in halo2's order: those of equal roots of unity are equal."""
    n = 1 << logrows
    their_root = root_of_unity(SNARKJS_GENERATOR, logrows)
    our_root = root_of_unity(HALO2_GENERATOR, logrows)
    places, x = {}, 1
    for k in range(n):
        places[x] = k
        x = x * their_root % R
    step = places[our_root]  # our_root = their_root ^ step
    order = (k * step % n * POINT_BYTES for k in range(n))
    return b"".join(theirs[place : place + POINT_BYTES] for place in order)


def _sections(path: Path, file: BinaryIO) -> dict[int, tuple[int, int]]:
    """Where each section of a .ptau begins, and its length in bytes."""
    size = os.fstat(file.fileno()).st_size
    magic, version, count = struct.unpack("<4sII", _exactly(path, file, 12))
    if magic != b"ptau" or version != 1 or count > 100:
        raise SrsRefused(str(path), "it is no .ptau of version 1")
    found: dict[int, tuple[int, int]] = {}
    for _ in range(count):
        kind, length = struct.unpack("<IQ", _exactly(path, file, 12))
        if kind in found or length > size - file.tell():
            raise SrsRefused(str(path), "it is truncated, or no .ptau")
        found[kind] = file.tell(), length
        file.seek(length, os.SEEK_CUR)
    return found


def _header(path: Path, file: BinaryIO, sections: dict[int, tuple[int, int]]) -> int:
    """The power in a .ptau's header."""
    read = _Reader(path, file, sections)
    if read(_PTAU_HEADER, 0, 36) != struct.pack("<I", 32) + Q.to_bytes(32, "little"):
        raise SrsRefused(str(path), "it is for another curve than bn254")
    power: int = struct.unpack("<I", read(_PTAU_HEADER, 36, 4))[0]
    if not 0 < power <= TWO_ADICITY:
        raise SrsRefused(str(path), f"it says that it has 2^{power} powers")
    return power


class _Reader:
    """Bytes of a section.  Raises SrsRefused where it does not have them."""

    def __init__(self, path: Path, file: BinaryIO, sections: dict[int, tuple[int, int]]) -> None:
        self._path, self._file, self._sections = path, file, sections

    def __call__(self, section: int, start: int, length: int) -> bytes:
        begin, size = self._sections.get(section, (0, 0))
        if start + length > size:
            raise SrsRefused(str(self._path), f"its section {section} is too short")
        self._file.seek(begin + start)
        return _exactly(self._path, self._file, length)


def _exactly(path: Path, file: BinaryIO, length: int) -> bytes:
    data = file.read(length)
    if len(data) != length:
        raise SrsRefused(str(path), "it is truncated")
    return data
