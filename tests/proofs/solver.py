"""Solves a constraint system forward from its public inputs, knowing nothing of how it was made.

Many inputs at once: a wire's values are an array of Python integers, one for each set of inputs.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proofs.field import P, Words, ints_to_words
from proofs.r1cs import Matrix, R1cs

Values = NDArray[Any]


class Solver:
    """Each constraint forces one wire, or bits, once what is before it is known, or nothing."""

    def __init__(self, r1cs: R1cs, inputs: Sequence[Sequence[int]]) -> None:
        self._r1cs = r1cs
        self._table = [v - P if v > P // 2 else v for v in r1cs.table]
        columns = [np.array(column, dtype=object) for column in zip(*inputs, strict=True)]
        self._zero = np.array([0] * len(inputs), dtype=object)
        self.values: list[Values | None] = [None] * r1cs.n_wires
        self.values[0] = np.array([1] * len(inputs), dtype=object)
        self.values[1 : 1 + r1cs.n_public] = columns
        self._bits = {wire for k in range(r1cs.n_constraints) for wire in self._boolean(k)}
        open_rows = list(range(r1cs.n_constraints))
        while open_rows:
            later = [k for k in open_rows if not self._follow(k)]
            if len(later) == len(open_rows):
                break
            open_rows = later

    def of(self, block: slice) -> Values:
        """(wires, inputs): the values of some wires, those above P / 2 as negative ones."""
        values = np.array([value for value in self.values[block] if value is not None])
        assert len(values) == block.stop - block.start, "some wires follow from nothing"
        return np.where(values > P // 2, values - P, values)

    def words(self, k: int) -> Words:
        """The witness for the inputs numbered `k`."""
        return ints_to_words([0 if value is None else int(value[k]) for value in self.values])

    def _follow(self, k: int) -> bool:
        """Whether all wires of a row are known now."""
        if self._unknown(self._r1cs.a, k) or self._unknown(self._r1cs.b, k):
            return False
        unknown = self._unknown(self._r1cs.c, k)
        a, b, c = (self._sum(m, k) for m in (self._r1cs.a, self._r1cs.b, self._r1cs.c))
        rest = self._zero + (a * b - c) % P
        if len(unknown) == 1:
            ((wire, coef),) = unknown.items()
            self.values[wire] = rest * pow(coef, -1, P) % P
        elif unknown:
            return self._take_bits(rest, unknown)
        return True

    def _take_bits(self, number: Any, bits: dict[int, int]) -> bool:
        """A run of bits, all of one sign; several wires that are none must wait."""
        if not bits.keys() <= self._bits:
            return False
        sign = -1 if min(bits.values()) < 0 else 1
        places = [(coef * sign).bit_length() - 1 for coef in bits.values()]
        if len(set(places)) < len(places) or list(bits.values()) != [sign << p for p in places]:
            return False
        for wire, place in zip(bits, places, strict=True):
            self.values[wire] = number * sign % P >> place & 1
        return True

    def _boolean(self, k: int) -> list[int]:
        """The wire b of a row b * (b - 1) = 0."""
        a, b, c = (dict(self._terms(m, k)) for m in (self._r1cs.a, self._r1cs.b, self._r1cs.c))
        return [wire for wire in a if a == {wire: 1} and b == {0: -1, wire: 1} and not c]

    def _unknown(self, matrix: Matrix, k: int) -> dict[int, int]:
        """The coefficients of the wires of a row that are not known yet."""
        return {wire: coef for wire, coef in self._terms(matrix, k) if self.values[wire] is None}

    def _sum(self, matrix: Matrix, k: int) -> Any:
        """The sum of the known terms of a row."""
        total: Any = 0
        for wire, coef in self._terms(matrix, k):
            value = self.values[wire]
            if value is not None:
                total = total + coef * value
        return total

    def _terms(self, matrix: Matrix, k: int) -> list[tuple[int, int]]:
        wires, codes = (part.tolist() for part in matrix.row(k))
        return [(wire, self._table[code]) for wire, code in zip(wires, codes, strict=True)]
