"""Vectors of linear combinations of wires, the stuff that constraints are made of.

A `Lin` of length n is a sparse integer matrix with n rows and one column a wire, kept as three
parallel arrays (row, wire, coefficient).  Wire 0 is the constant one.  Terms may repeat and are
merged when a constraint takes them.  Coefficients are 64-bit, or Python integers (dtype object)
for the few rows that need more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Lin:
    """`n` linear combinations; term k adds coef[k] * wire[k] to combination row[k]."""

    n: int
    row: Ints
    wire: Ints
    coef: NDArray[Any]

    @classmethod
    def zero(cls, n: int) -> Lin:
        empty = np.zeros(0, dtype=np.int64)
        return cls(n, empty, empty, empty)

    @classmethod
    def of(cls, wires: ArrayLike) -> Lin:
        """One wire a row."""
        ids = np.asarray(wires, dtype=np.int64).ravel()
        return cls(len(ids), np.arange(len(ids)), ids, np.ones(len(ids), dtype=np.int64))

    @classmethod
    def const(cls, values: ArrayLike) -> Lin:
        """One constant a row."""
        coefs = np.asarray(values, dtype=np.int64).ravel()
        n = len(coefs)
        return cls(n, np.arange(n), np.zeros(n, dtype=np.int64), coefs)

    @classmethod
    def terms(cls, n: int, row: ArrayLike, wire: ArrayLike, coef: ArrayLike) -> Lin:
        """Combinations spelt out term by term (three arrays of one length)."""
        coefs = np.asarray(coef)
        return cls(
            n,
            np.asarray(row, dtype=np.int64).ravel(),
            np.asarray(wire, dtype=np.int64).ravel(),
            (coefs if coefs.dtype == object else coefs.astype(np.int64)).ravel(),
        )

    def __add__(self, other: Lin) -> Lin:
        if other.n != self.n:
            raise ValueError(f"cannot add {other.n} combinations to {self.n}")
        return Lin(
            self.n,
            np.concatenate([self.row, other.row]),
            np.concatenate([self.wire, other.wire]),
            np.concatenate([self.coef, other.coef]),
        )

    def __neg__(self) -> Lin:
        return Lin(self.n, self.row, self.wire, -self.coef)

    def __sub__(self, other: Lin) -> Lin:
        return self + -other

    def scaled(self, factors: ArrayLike) -> Lin:
        """Each row times its factor (one number, or one a row)."""
        by_row = np.broadcast_to(np.asarray(factors), (self.n,))
        return Lin(self.n, self.row, self.wire, self.coef * by_row[self.row])

    def take(self, rows: ArrayLike) -> Lin:
        """The combinations numbered `rows`, in that order, repeats allowed."""
        wanted = np.asarray(rows, dtype=np.int64).ravel()
        row, source = self._expand(wanted)
        return Lin(len(wanted), row, self.wire[source], self.coef[source])

    def grouped(self, groups: ArrayLike, n: int) -> Lin:
        """Sums of rows: row k is added to combination groups[k] of n."""
        index = np.asarray(groups, dtype=np.int64).ravel()
        return Lin(n, index[self.row], self.wire, self.coef)

    def sum(self) -> Lin:
        """All rows added up: one combination."""
        return self.grouped(np.zeros(self.n, dtype=np.int64), 1)

    def combine(self, matrix: NDArray[np.int64]) -> Lin:
        """The product of a dense (m, n) integer matrix with these n combinations."""
        out_row, in_row = np.nonzero(matrix)
        return self.weighted(matrix.shape[0], out_row, in_row, matrix[out_row, in_row])

    def weighted(self, m: int, out_row: Ints, in_row: Ints, weight: Ints) -> Lin:
        """The product of a sparse (m, n) matrix with these n combinations, entry by entry."""
        position, source = self._expand(in_row)
        return Lin(
            m,
            out_row[position].astype(np.int64),
            self.wire[source],
            self.coef[source] * weight[position],
        )

    def _expand(self, wanted: Ints) -> tuple[Ints, Ints]:
        """For each term of each wanted row: its place in `wanted`, and its term number."""
        order = np.argsort(self.row, kind="stable")
        counts = np.bincount(self.row, minlength=self.n)
        first = np.concatenate([[0], np.cumsum(counts)])[:-1]
        lengths = counts[wanted]
        place = np.repeat(np.arange(len(wanted)), lengths)
        offset = np.arange(len(place)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return place, order[first[wanted[place]] + offset]

    def merged(self) -> Lin:
        """The same combinations, terms sorted by row and wire, each pair once, no zeros."""
        if not len(self.row):
            return self
        width = int(self.wire.max()) + 1
        key = self.row * width + self.wire
        order = np.argsort(key, kind="stable")
        key = key[order]
        starts = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
        coef = np.add.reduceat(self.coef[order], starts)
        keep = coef != 0
        first = order[starts[keep]]
        return Lin(self.n, self.row[first], self.wire[first], coef[keep])


def concat(parts: list[Lin]) -> Lin:
    """Vectors of combinations, one after another."""
    starts = np.cumsum([0] + [p.n for p in parts])
    return Lin(
        int(starts[-1]),
        np.concatenate([p.row + s for p, s in zip(parts, starts[:-1], strict=True)]),
        np.concatenate([p.wire for p in parts]),
        np.concatenate([p.coef for p in parts]),
    )
