"""Rank-1 constraint systems and iden3's two files for them.

A constraint is (A.w)(B.w) = C.w modulo P over the wires w.  Wire 0 is the constant one, then come
the public inputs, then the private wires.

    .r1cs   "r1cs" version 1 sections 3
            1  header: field bytes 32, P, wires, public outputs 0, public inputs, private inputs 0,
               labels (u64), constraints
            2  constraints: A, B, C each as  count, count * (wire u32, coefficient 32 bytes)
            3  wire to label map: u64 a wire
    .wtns   "wtns" version 2 sections 2
            1  field bytes 32, P, wires
            2  the wires, 32 bytes each
    section head: type u32, bytes u64; everything little-endian

Formats: https://github.com/iden3/r1csfile/blob/master/doc/r1cs_bin_format.md and snarkjs
`wtns_utils.js`.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from proofs.errors import InvalidCircuitFile
from proofs.field import ELEMENT_BYTES, P, Words, to_le, words_to_ints

Ints = NDArray[np.int64]
_FIELD: Final = struct.pack("<I", ELEMENT_BYTES) + P.to_bytes(ELEMENT_BYTES, "little")
_TERM_WORDS: Final = 9  # a term is a u32 wire and eight u32 words of coefficient
_SMALL: Final = 2**60
_EXACT: Final = 2.0**62  # sums bounded by this are exact in 64-bit integers


@dataclass(frozen=True, eq=False)
class Matrix:
    """One of A, B, C: row k holds terms ptr[k] .. ptr[k+1]; coefficients index the table."""

    ptr: Ints  # (rows + 1,)
    wire: Ints  # (terms,)
    coef: Ints  # (terms,)

    @property
    def rows(self) -> int:
        return len(self.ptr) - 1

    def row(self, k: int) -> tuple[Ints, Ints]:
        terms = slice(int(self.ptr[k]), int(self.ptr[k + 1]))
        return self.wire[terms], self.coef[terms]


@dataclass(frozen=True)
class Group:
    """Constraints start .. stop (exclusive) of one purpose; names them in reports."""

    name: str
    start: int
    stop: int


@dataclass(frozen=True, eq=False)
class R1cs:
    """A constraint system; `groups` label constraints and are not part of the file."""

    n_wires: int
    n_public: int
    a: Matrix
    b: Matrix
    c: Matrix
    table: tuple[int, ...]  # distinct coefficients, each in 0 .. P-1
    groups: tuple[Group, ...] = field(default=())

    @property
    def n_constraints(self) -> int:
        return self.a.rows

    @property
    def nonzeros(self) -> int:
        return len(self.a.wire) + len(self.b.wire) + len(self.c.wire)

    def label(self, constraint: int) -> str:
        """A constraint's group and place in it, such as `compare[17]`."""
        for group in self.groups:
            if group.start <= constraint < group.stop:
                return f"{group.name}[{constraint - group.start}]"
        return f"constraint[{constraint}]"

    def without(self, constraint: int) -> R1cs:
        """The same system with one constraint dropped, and no labels."""
        a, b, c = (_drop_row(m, constraint) for m in (self.a, self.b, self.c))
        return R1cs(self.n_wires, self.n_public, a, b, c, self.table)

    def violations(self, witness: Words) -> list[int]:
        """Numbers of the constraints that the witness (n_wires, 4) breaks; empty if it satisfies.

        Rows whose sums provably fit 64 bits are checked by numpy, the others by Python integers.
        """
        values, value_size = _split(witness)
        coefs = [_centred(v) for v in self.table]
        small = np.array([v if abs(v) < _SMALL else 0 for v in coefs], dtype=np.int64)
        size = np.array([float(abs(v)) if abs(v) < _SMALL else np.inf for v in coefs])
        sums, bounds = zip(
            *(_row_sums(m, small, size, values, value_size) for m in (self.a, self.b, self.c)),
            strict=True,
        )
        bound = bounds[0] * bounds[1] + bounds[2]
        exact = (bound < _EXACT) & (bounds[0] < _EXACT) & (bounds[1] < _EXACT)
        bad = exact & (sums[0] * sums[1] != sums[2])
        slow = np.flatnonzero(~exact)
        broken = set(np.flatnonzero(bad).tolist())
        broken.update(int(k) for k in slow if not self._holds(int(k), witness))
        return sorted(broken)

    def _holds(self, constraint: int, witness: Words) -> bool:
        a, b, c = (self._evaluate(m, constraint, witness) for m in (self.a, self.b, self.c))
        return (a * b - c) % P == 0

    def _evaluate(self, matrix: Matrix, constraint: int, witness: Words) -> int:
        wires, coefs = matrix.row(constraint)
        values = words_to_ints(witness[wires])
        terms = (self.table[int(k)] * v for k, v in zip(coefs, values, strict=True))
        return sum(terms) % P

    def to_bytes(self) -> bytes:
        """The iden3 file."""
        return b"".join(self._parts())

    def sha256(self) -> str:
        """The hash of the iden3 file, hexadecimal, without joining its parts in memory."""
        digest = hashlib.sha256()
        for part in self._parts():
            digest.update(part)
        return digest.hexdigest()

    def _parts(self) -> Iterator[bytes | memoryview]:
        header = _FIELD
        header += struct.pack("<IIII", self.n_wires, 0, self.n_public, 0)
        header += struct.pack("<QI", self.n_wires, self.n_constraints)
        yield b"r1cs" + struct.pack("<II", 1, 3) + section(1, header)
        constraints = self._constraint_words().data.cast("B")
        yield struct.pack("<IQ", 2, constraints.nbytes)
        yield constraints
        yield section(3, np.arange(self.n_wires, dtype="<u8").tobytes())

    def _constraint_words(self) -> NDArray[np.uint32]:
        """Section 2 as 32-bit words: rows A0 B0 C0 A1 B1 C1 .."""
        matrices = (self.a, self.b, self.c)
        counts = np.stack([np.diff(m.ptr) for m in matrices], axis=1)  # (constraints, 3)
        lengths = 1 + _TERM_WORDS * counts
        starts = (np.cumsum(lengths.ravel()) - lengths.ravel()).reshape(lengths.shape)
        out = np.zeros(int(lengths.sum()), dtype="<u4")
        out[starts] = counts
        table = np.frombuffer(b"".join(map(to_le, self.table)), dtype="<u4").reshape(-1, 8)
        for column, m in enumerate(matrices):
            place = np.repeat(starts[:, column] + 1 - _TERM_WORDS * m.ptr[:-1], counts[:, column])
            place += _TERM_WORDS * np.arange(len(m.wire))
            out[place] = m.wire
            for k in range(8):
                out[place + 1 + k] = table[m.coef, k]
        return out

    @classmethod
    def from_bytes(cls, data: bytes) -> R1cs:
        """Parse an iden3 file.  Raises InvalidCircuitFile."""
        sections = _sections(data, b"r1cs", 1)
        header = sections.get(1, b"")
        if len(header) != 64 or header[:36] != _FIELD:
            raise InvalidCircuitFile("header is not that of a BN254 circuit")
        wires, outputs, inputs, _ = struct.unpack("<IIII", header[36:52])
        _, constraints = struct.unpack("<QI", header[52:64])
        a, b, c, table = _parse_constraints(sections.get(2, b""), constraints, wires)
        return cls(wires, outputs + inputs, a, b, c, table)


def sha256_hex(data: bytes) -> str:
    """The content hash by which circuits, keys and nets are named."""
    return hashlib.sha256(data).hexdigest()


def wtns_bytes(witness: Words) -> bytes:
    """A witness (n_wires, 4) as iden3's .wtns file."""
    header = _FIELD + struct.pack("<I", len(witness))
    values = np.ascontiguousarray(witness, dtype="<u8").tobytes()
    return b"wtns" + struct.pack("<II", 2, 2) + section(1, header) + section(2, values)


def parse_wtns(data: bytes) -> Words:
    """The wires (n_wires, 4) of a .wtns file.  Raises InvalidCircuitFile."""
    sections = _sections(data, b"wtns", 2)
    header, values = sections.get(1, b""), sections.get(2, b"")
    if len(header) != 40 or header[:36] != _FIELD:
        raise InvalidCircuitFile("header is not that of a BN254 witness")
    if len(values) != ELEMENT_BYTES * struct.unpack("<I", header[36:])[0]:
        raise InvalidCircuitFile("witness has another length than its header says")
    return np.frombuffer(values, dtype="<u8").reshape(-1, 4).astype(np.uint64)


def section(kind: int, data: bytes) -> bytes:
    return struct.pack("<IQ", kind, len(data)) + data


def _sections(data: bytes, magic: bytes, version: int) -> dict[int, bytes]:
    name = magic.decode()
    if len(data) < 12 or data[:4] != magic or struct.unpack_from("<I", data, 4)[0] != version:
        raise InvalidCircuitFile(f"no {name} file of version {version}")
    (count,) = struct.unpack_from("<I", data, 8)
    sections: dict[int, bytes] = {}
    position = 12
    for _ in range(count):
        if position + 12 > len(data):
            raise InvalidCircuitFile(f"{name} file is truncated")
        kind, size = struct.unpack_from("<IQ", data, position)
        position += 12
        sections[kind] = data[position : position + size]
        if len(sections[kind]) != size:
            raise InvalidCircuitFile(f"{name} file is truncated")
        position += size
    return sections


def _parse_constraints(
    data: bytes, constraints: int, wires: int
) -> tuple[Matrix, Matrix, Matrix, tuple[int, ...]]:
    if len(data) % 4 or len(data) < 12 * constraints:
        raise InvalidCircuitFile(f"constraint section of {len(data)} bytes")
    words = np.frombuffer(data, dtype="<u4")
    starts = np.zeros(3 * constraints, dtype=np.int64)
    counts = np.zeros(3 * constraints, dtype=np.int64)
    position = 0
    for k in range(3 * constraints):
        if position >= len(words):
            raise InvalidCircuitFile("constraint section is truncated")
        starts[k], counts[k] = position + 1, words[position]
        position += 1 + _TERM_WORDS * int(words[position])
    if position != len(words):
        raise InvalidCircuitFile("constraint section has another length than its counts say")
    place = np.repeat(starts - _TERM_WORDS * (np.cumsum(counts) - counts), counts)
    place += _TERM_WORDS * np.arange(len(place))
    wire = words[place].astype(np.int64)
    if len(wire) and int(wire.max()) >= wires:
        raise InvalidCircuitFile(f"constraint names wire {int(wire.max())} of {wires}")
    raw = np.stack([words[place + 1 + k] for k in range(8)], axis=1)
    keys, coef = np.unique(np.ascontiguousarray(raw).view("V32").ravel(), return_inverse=True)
    table = tuple(int.from_bytes(bytes(k), "little") for k in keys)
    if any(value >= P for value in table):
        raise InvalidCircuitFile("coefficient is not below the field's modulus")
    owner = np.repeat(np.arange(3 * constraints) % 3, counts)
    matrices = []
    for column in range(3):
        mine = owner == column
        ptr = np.concatenate([[0], np.cumsum(counts[column::3])])
        matrices.append(Matrix(ptr, wire[mine], coef.astype(np.int64).ravel()[mine]))
    return matrices[0], matrices[1], matrices[2], table


def _drop_row(matrix: Matrix, row: int) -> Matrix:
    start, stop = int(matrix.ptr[row]), int(matrix.ptr[row + 1])
    ptr = np.concatenate([matrix.ptr[: row + 1], matrix.ptr[row + 2 :] - (stop - start)])
    keep = np.ones(len(matrix.wire), dtype=bool)
    keep[start:stop] = False
    return Matrix(ptr, matrix.wire[keep], matrix.coef[keep])


def _centred(value: int) -> int:
    return value - P if value > P // 2 else value


def _split(witness: Words) -> tuple[Ints, NDArray[np.float64]]:
    """Small signed values (0 where too large) and magnitudes (inf where too large)."""
    prime = np.array([(P >> (64 * k)) & (2**64 - 1) for k in range(4)], dtype=np.uint64)
    low = witness[:, 0]
    positive = (witness[:, 1:] == 0).all(axis=1) & (low < _SMALL)
    below = prime[0] - low  # wraps where low is the larger, then far above _SMALL
    negative = (witness[:, 1:] == prime[1:]).all(axis=1) & (below < _SMALL)
    values = np.where(positive, low, 0).astype(np.int64)
    values -= np.where(negative, below, 0).astype(np.int64)
    fits = positive | negative
    return values, np.array(np.where(fits, np.abs(values), np.inf), dtype=np.float64)


def _row_sums(
    matrix: Matrix,
    coefs: Ints,
    coef_size: NDArray[np.float64],
    values: Ints,
    value_size: NDArray[np.float64],
) -> tuple[Ints, NDArray[np.float64]]:
    """Row sums modulo 2^64, and a bound of the magnitude of every partial sum of a row."""
    terms = coefs[matrix.coef] * values[matrix.wire]
    # 0 * inf is nan, and a nan bound is never "exact": such a row goes the slow way
    with np.errstate(invalid="ignore"):
        sizes = coef_size[matrix.coef] * value_size[matrix.wire]
    total = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(terms)])
    rows = np.repeat(np.arange(matrix.rows), np.diff(matrix.ptr))
    bound = np.bincount(rows, weights=sizes, minlength=matrix.rows)
    sums: Ints = np.diff(total[matrix.ptr])
    return sums, np.asarray(bound, dtype=np.float64)
