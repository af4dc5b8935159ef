"""Who contributed to a Groth16 ceremony: section 10 of snarkjs' `.zkey` files.

    .zkey       "zkey" version 1, sections (each: type u32, bytes u64, data), little-endian
    section 10  circuit's hash 64 | contributions u32 | contribution ..
    contribution
                delta after G1 | s G1 | s x G1 | sp x G2 | transcript 64 | kind u32
                | parameters' bytes u32 | parameters
    parameters  1 length name | 2 exponent of iterations | 3 length beacon's hash
    point       coordinates of 32 bytes, little-endian, in Montgomery form (times 2^256 mod Q);
                a G2 coordinate real part first

A contribution's hash, which its maker publishes, is BLAKE2b-512 of its points as big-endian
numbers (G2: imaginary part first) and its transcript.

Format: snarkjs, `zkey_utils.js` (`readMPCParams`, `hashPubKey`).
"""

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from proofs.errors import CeremonyBroken
from proofs.field import Q

_MPC: Final = 10
_LARGEST: Final = 4 * 1024 * 1024  # of section 10: about 8,000 contributions
_G1, _G2, _HASH = 64, 128, 64
_INVERSE: Final = pow(2**256, -1, Q)
_BEACON: Final = 1
_NAME, _EXPONENT, _BEACON_HASH = 1, 2, 3


@dataclass(frozen=True)
class Contribution:
    """One party's step; `beacon` (hex) and `exponent` only where a public beacon made it."""

    name: str
    hash: str
    beacon: str | None = None
    exponent: int | None = None


def contributions(path: Path) -> tuple[Contribution, ...]:
    """The contributions to a `.zkey`, the first first.  Raises CeremonyBroken, OSError."""
    with path.open("rb") as file:
        data = _Reader(_section(file, path), path)
    data.take(_HASH)
    return tuple(_contribution(data) for _ in range(data.number()))


class _Reader:
    """Takes bytes off the front and never past the end."""

    def __init__(self, data: bytes, path: Path) -> None:
        self._data = data
        self._path = path

    def take(self, count: int) -> bytes:
        if count > len(self._data):
            raise CeremonyBroken(f"{self._path.name} ends in the middle of a contribution")
        taken, self._data = self._data[:count], self._data[count:]
        return taken

    def number(self) -> int:
        return int.from_bytes(self.take(4), "little")

    def __bool__(self) -> bool:
        return bool(self._data)


def _section(file: BinaryIO, path: Path) -> bytes:
    head = file.read(12)
    if len(head) < 12 or head[:4] != b"zkey":
        raise CeremonyBroken(f"{path.name} is no .zkey file")
    while len(place := file.read(12)) == 12:
        kind, size = struct.unpack("<IQ", place)
        if kind != _MPC:
            file.seek(size, 1)
        elif size > _LARGEST:
            raise CeremonyBroken(f"{path.name} lists contributions of {size} bytes")
        else:
            return file.read(size)
    raise CeremonyBroken(f"{path.name} lists no contributions")


def _contribution(data: _Reader) -> Contribution:
    points = b"".join(_big_endian(data.take(size)) for size in (_G1, _G1, _G1, _G2))
    transcript, kind = data.take(_HASH), data.number()
    said = _parameters(data)
    hash_ = hashlib.blake2b(points + transcript).hexdigest()
    name = said.get(_NAME, b"").decode("utf-8", "replace")
    if kind != _BEACON:
        return Contribution(name, hash_)
    beacon, exponent = said.get(_BEACON_HASH, b""), said.get(_EXPONENT, b"\0")
    return Contribution(name, hash_, beacon.hex(), exponent[0])


def _parameters(data: _Reader) -> dict[int, bytes]:
    rest, said = _Reader(data.take(data.number()), data._path), {}
    while rest:
        kind = rest.take(1)[0]
        length = 1 if kind == _EXPONENT else rest.take(1)[0]
        said[kind] = rest.take(length)
    return said


def _big_endian(point: bytes) -> bytes:
    """A point as it is hashed; a G2 coordinate's two numbers change places."""
    numbers = [
        int.from_bytes(point[k : k + 32], "little") * _INVERSE % Q for k in range(0, len(point), 32)
    ]
    if len(numbers) == 4:
        numbers = [numbers[1], numbers[0], numbers[3], numbers[2]]
    return b"".join(number.to_bytes(32, "big") for number in numbers)
