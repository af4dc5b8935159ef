"""Building a constraint system forward: each private wire comes with the constraint that forces it.

The few kinds of constraint, which proofs/soundness.py finds again in the finished file:

    boolean   b * (b - 1) = 0
    linear    0 * 0 = combination - y              forces y
    product   a * b = y - combination              forces y
    bits      a * b (or nothing) = sum of boolean bits times distinct powers of two
    check     a * b = c                            introduces no wire
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from proofs.field import P
from proofs.linear import Lin, concat
from proofs.r1cs import Group, Ints, Matrix, R1cs


class Builder:
    """Collects wires and constraints; wires 1 .. n_public are the public inputs."""

    def __init__(self, n_public: int) -> None:
        self.n_public = n_public
        self.n_wires = 1 + n_public
        self.blocks: dict[str, slice] = {}  # where the wires of each name lie
        self._groups: list[Group] = []
        self._rows: list[tuple[Lin, Lin, Lin]] = []
        self._table: dict[int, int] = {}

    @property
    def n_constraints(self) -> int:
        return self._groups[-1].stop if self._groups else 0

    def wires(self, name: str, count: int) -> Lin:
        """`count` new private wires."""
        if name in self.blocks:
            raise ValueError(f"wires {name} are there already")
        self.blocks[name] = slice(self.n_wires, self.n_wires + count)
        self.n_wires += count
        return Lin.of(np.arange(self.n_wires - count, self.n_wires))

    def constrain(self, name: str, a: Lin, b: Lin, c: Lin) -> None:
        """Constraints a[k] * b[k] = c[k] in a group called `name`."""
        if not a.n == b.n == c.n:
            raise ValueError(f"{name}: {a.n}, {b.n} and {c.n} combinations")
        start = self.n_constraints
        self._groups.append(Group(name, start, start + a.n))
        self._rows.append((self._coded(a), self._coded(b), self._coded(c)))

    def booleans(self, name: str, count: int) -> Lin:
        bits = self.wires(name, count)
        ones = Lin.const(np.ones(count, dtype=np.int64))
        self.constrain(f"{name} boolean", bits, bits - ones, Lin.zero(count))
        return bits

    def linear(self, name: str, value: Lin) -> Lin:
        """New wires equal to `value`."""
        out = self.wires(name, value.n)
        none = Lin.zero(value.n)
        self.constrain(name, none, none, value - out)
        return out

    def product(self, name: str, a: Lin, b: Lin, *, plus: Lin | None = None) -> Lin:
        """New wires equal to a * b + plus; the prover is fastest with the shorter factor as `b`."""
        out = self.wires(name, a.n)
        self.constrain(name, a, b, out if plus is None else out - plus)
        return out

    def finish(self) -> R1cs:
        """The finished system."""
        a, b, c = (_matrix([rows[k] for rows in self._rows]) for k in range(3))
        return R1cs(self.n_wires, self.n_public, a, b, c, tuple(self._table), tuple(self._groups))

    def _coded(self, lin: Lin) -> Lin:
        """Terms merged, and coefficients replaced by their numbers in the table."""
        lin = lin.merged()
        values, inverse = np.unique(lin.coef, return_inverse=True)
        codes = [self._table.setdefault(int(v) % P, len(self._table)) for v in values]
        coded: NDArray[np.int64] = np.array(codes, dtype=np.int64)[inverse.ravel()]
        return Lin(lin.n, lin.row, lin.wire, coded)


def bit_sums(bits: Lin, widths: Ints, *, first: int | Ints = 0, last: int = 0) -> Lin:
    """Consecutive runs of bits read as numbers: run k is `widths[k]` bits, lowest first.

    Skips the `first` lowest bits (the rest shifts down) and the `last` highest bits of each run.
    """
    n = len(widths)
    run = np.repeat(np.arange(n), widths)
    place = np.arange(bits.n) - np.repeat(np.cumsum(widths) - widths, widths)
    low = np.broadcast_to(np.asarray(first, dtype=np.int64), (n,))[run]
    keep = (place >= low) & (place < widths[run] - last)
    kept = bits.take(np.flatnonzero(keep))
    return kept.scaled(np.left_shift(1, (place - low)[keep])).grouped(run[keep], n)


def _matrix(parts: list[Lin]) -> Matrix:
    whole = concat(parts)
    counts = np.bincount(whole.row, minlength=whole.n)
    return Matrix(np.concatenate([[0], np.cumsum(counts)]), whole.wire, whole.coef)
