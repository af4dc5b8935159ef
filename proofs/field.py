"""BN254's two fields: the scalar field of circuits and the base field of curve points.

An element is drawn as 32 bytes: little-endian in iden3's files, big-endian on chain.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

P: Final = 21888242871839275222246405745257275088548364400416034343698204186575808495617
"""Order of the curve's groups: circuits, witnesses and public inputs live modulo this prime."""

Q: Final = 21888242871839275222246405745257275088696311157297823662689037894645226208583
"""Prime of the field that the points' coordinates live in."""

ELEMENT_BYTES: Final = 32

Words = NDArray[np.uint64]  # (n, 4): elements as four 64-bit words, lowest first


def to_le(value: int) -> bytes:
    """The 32 little-endian bytes of a value, reduced modulo P."""
    return (value % P).to_bytes(ELEMENT_BYTES, "little")


def centred(value: int) -> int:
    """The representative of smallest magnitude: p - 3 reads as -3."""
    value %= P
    return value - P if value > P // 2 else value


_P_WORDS: Final = [(P >> (64 * k)) & (2**64 - 1) for k in range(4)]


def small_to_words(values: NDArray[np.int64]) -> Words:
    """Signed values of magnitude below 2^60 as field words (n, 4); -x becomes P - x."""
    out = np.zeros((len(values), 4), dtype=np.uint64)
    out[:, 0] = values.astype(np.uint64)
    negative = values < 0
    if negative.any():
        # P's lowest word exceeds every magnitude here, so nothing is borrowed from the next one
        low = np.uint64(_P_WORDS[0]) - (-values[negative]).astype(np.uint64)
        out[negative, 0] = low
        out[negative, 1:] = np.array(_P_WORDS[1:], dtype=np.uint64)
    return out


def words_to_ints(words: Words) -> list[int]:
    """Field words (n, 4) as Python integers."""
    data = np.ascontiguousarray(words, dtype="<u8").tobytes()
    step = ELEMENT_BYTES
    return [int.from_bytes(data[k : k + step], "little") for k in range(0, len(data), step)]


def ints_to_words(values: list[int]) -> Words:
    """Integers, reduced modulo P, as field words (n, 4)."""
    data = b"".join(to_le(v) for v in values)
    return np.frombuffer(data, dtype="<u8").reshape(-1, 4).astype(np.uint64)
