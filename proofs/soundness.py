"""Is every private wire of a finished circuit uniquely forced by its public inputs?

The check reads an .r1cs file and nothing else: it knows neither the builder nor chess.  From wire 0
and the public inputs on, it applies four rules until nothing more follows.

    boolean   (b - 0)(b - 1) = 0, up to factors: b is 0 or 1
    linear    A or B is a constant, and one unknown wire is left: it is forced
    product   A and B are known, and C has one unknown wire: it is forced
    bits      A and B are known, and the unknown wires of C are booleans whose coefficients are
              one unit times distinct powers of two of sum below P: all are forced, because
              different bits make different numbers below P

If all wires are forced, at most one witness belongs to each public input.  What is left over forces
nothing new; these `checks` are what makes public inputs false.

A second pass bounds every value: a boolean by 1, a forced wire by the magnitudes of what forces
it.  While |A| * |B| + |C| stays below P / 2 in each constraint, all of them hold over the integers,
so no sum, comparison or decomposition can wrap around.  Constraints that mention a public input are
exempt if the bits rule uses them, which excludes wrapping by itself.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from typing import Final

from proofs.field import P
from proofs.r1cs import Matrix, R1cs

MAX_POWER: Final = 253
_Row = dict[int, int]


@dataclass(frozen=True)
class SoundnessReport:
    """What followed; `is_sound` if nothing is left over."""

    forced: dict[str, int]  # private wires by the rule that forced them
    unforced: list[int]  # private wires that no rule forces
    unused: list[int]  # public inputs that no constraint mentions
    checks: list[int]  # constraints that only check
    magnitude: int  # the most that |A| * |B| + |C| can be, decompositions of inputs apart

    @property
    def is_sound(self) -> bool:
        return not self.unforced and not self.unused and self.magnitude < P // 2


def check_soundness(r1cs: R1cs) -> SoundnessReport:
    """Apply the rules above to a parsed circuit; about a second for 60,000 constraints."""
    return _Propagation(r1cs).run()


class _Propagation:
    def __init__(self, r1cs: R1cs) -> None:
        self._r1cs = r1cs
        self._used: set[int] = set()
        self._boolean_rows: set[int] = set()
        self._public_bits: set[int] = set()  # rows that decompose a public input
        self._booleans: set[int] = set()
        self._forced: Counter[str] = Counter()
        self._known = [False] * r1cs.n_wires
        self._factors: list[list[int]] = []  # wires of A and B, none for a linear row
        self._terms: list[_Row] = []  # C, or C - A * B for a linear row
        self._linear: list[bool] = []
        self._rows: list[tuple[_Row, _Row, _Row]] = []
        self._order: list[tuple[int, list[int]]] = []  # which row forced which wires, in order
        matrices = (_rows(m, r1cs.table) for m in (r1cs.a, r1cs.b, r1cs.c))
        for k, (a, b, c) in enumerate(zip(*matrices, strict=True)):
            self._read(k, a, b, c)
        self._count()

    def _read(self, k: int, a: _Row, b: _Row, c: _Row) -> None:
        """Note a boolean, and make a row with a constant factor linear."""
        wire = _boolean_wire(a, b, c)
        if wire is not None:
            self._booleans.add(wire)
            self._boolean_rows.add(k)
        self._rows.append((a, b, c))
        linear = a.keys() <= {0} or b.keys() <= {0}
        self._linear.append(linear)
        self._factors.append([] if linear else [*a, *b])
        self._terms.append(_minus_product(c, a, b) if linear else c)

    def _count(self) -> None:
        """What each row waits for, and which rows wait for each wire."""
        self._waits = [len(wires) for wires in self._factors]
        self._open = [len(terms) for terms in self._terms]
        self._open_other = [len(terms.keys() - self._booleans) for terms in self._terms]
        self._uses: list[list[int]] = [[] for _ in range(self._r1cs.n_wires)]
        self._sees: list[list[int]] = [[] for _ in range(self._r1cs.n_wires)]
        for k, wires in enumerate(self._factors):
            for wire in wires:
                self._uses[wire].append(k)
            for wire in self._terms[k]:
                self._sees[wire].append(k)

    def run(self) -> SoundnessReport:
        first_private = 1 + self._r1cs.n_public
        ready = set(range(len(self._terms)))  # rows to look at
        news = list(range(first_private))
        while news or ready:
            for wire in news:
                ready |= self._learn(wire)
            news = []
            for k in ready:
                news += self._force(k)
            ready = set()
        mentioned = {w for row in self._factors for w in row} | {w for t in self._terms for w in t}
        return SoundnessReport(
            forced=dict(self._forced),
            unforced=[w for w in range(first_private, self._r1cs.n_wires) if not self._known[w]],
            unused=[w for w in range(1, first_private) if w not in mentioned],
            checks=[
                k
                for k in range(len(self._terms))
                if k not in self._used and k not in self._boolean_rows
            ],
            magnitude=self._magnitude(),
        )

    def _learn(self, wire: int) -> set[int]:
        """Mark a wire as known; the rows that may follow from it."""
        self._known[wire] = True
        for k in self._uses[wire]:
            self._waits[k] -= 1
        other = wire not in self._booleans
        for k in self._sees[wire]:
            self._open[k] -= 1
            self._open_other[k] -= other
        return {k for k in (*self._uses[wire], *self._sees[wire]) if self._may_force(k)}

    def _may_force(self, k: int) -> bool:
        return self._waits[k] == 0 and (self._open[k] == 1 or self._open_other[k] == 0)

    def _force(self, k: int) -> list[int]:
        """The wires that row `k` forces now, marked as known by the caller."""
        if not self._may_force(k) or self._open[k] == 0:
            return []
        wires = [w for w in self._terms[k] if not self._known[w]]
        if not wires:  # another row of this round was first
            return []
        if len(wires) == 1:
            rule = "linear" if self._linear[k] else "product"
        elif are_bits([self._terms[k][w] for w in wires]):
            rule = "bits"
            if any(0 < w <= self._r1cs.n_public for w in self._terms[k]):
                self._public_bits.add(k)
        else:
            return []
        self._used.add(k)
        self._order.append((k, wires))
        self._forced[rule] += len(wires)
        for wire in wires:
            self._known[wire] = True  # so that no second row of this round claims it
        return wires

    def _magnitude(self) -> int:
        """The largest |A| * |B| + |C|; P or more where a value has no bound."""
        size = [P] * self._r1cs.n_wires
        size[0] = 1
        for wire in self._booleans:
            size[wire] = 1
        for k, wires in self._order:
            wire = wires[0]
            if wire not in self._booleans:
                a, b, _ = self._rows[k]
                product = 0 if self._linear[k] else _size(a, size) * _size(b, size)
                others = {w: coef for w, coef in self._terms[k].items() if w != wire}
                whole = self._terms[k][wire] in (1, P - 1)  # else the wire is a fraction
                size[wire] = product + _size(others, size) if whole else P
        return max((self._row_size(k, size) for k in range(len(self._rows))), default=0)

    def _row_size(self, k: int, size: list[int]) -> int:
        a, b, c = self._rows[k]
        if k in self._public_bits:
            return 0
        return _size(a, size) * _size(b, size) + _size(c, size)


def are_bits(coefs: list[int]) -> bool:
    """Whether nonzero coefficients are a unit times distinct powers of two of sum below P."""
    inverse = pow(coefs[0], -1, P)
    powers = [_powers_of_two().get(c * inverse % P) for c in coefs]
    exponents = {p for p in powers if p is not None}
    if len(exponents) < len(coefs):
        return False
    lowest = min(exponents)
    return sum(1 << e - lowest for e in exponents) < P


@cache
def _powers_of_two() -> dict[int, int]:
    """The exponent of each power of two from -253 to 253, modulo P."""
    return {pow(2, e, P): e for e in range(-MAX_POWER, MAX_POWER + 1)}


def _rows(matrix: Matrix, table: tuple[int, ...]) -> list[_Row]:
    """The rows as {wire: coefficient}, repeated wires added up, zeros dropped."""
    ptr, wires, codes = matrix.ptr.tolist(), matrix.wire.tolist(), matrix.coef.tolist()
    rows = []
    for start, stop in pairwise(ptr):
        row: _Row = {}
        for wire, code in zip(wires[start:stop], codes[start:stop], strict=True):
            row[wire] = row[wire] + table[code] if wire in row else table[code]
        rows.append({wire: coef for wire, coef in row.items() if coef % P})
    return rows


def _size(row: _Row, size: list[int]) -> int:
    """The most that a combination of wires of these magnitudes can be."""
    return sum(_absolute(coef) * size[wire] for wire, coef in row.items())


@lru_cache(maxsize=1 << 16)
def _absolute(coef: int) -> int:
    return min(coef % P, -coef % P)


def _boolean_wire(a: _Row, b: _Row, c: _Row) -> int | None:
    """The wire that A * B = 0 makes a boolean: the factors' roots are 0 and 1."""
    if c or len(a) > 2 or len(b) > 2:
        return None
    wires = (a.keys() | b.keys()) - {0}
    if len(wires) != 1 or not wires <= a.keys() or not wires <= b.keys():
        return None
    (wire,) = wires
    roots = {-row.get(0, 0) * pow(row[wire], -1, P) % P for row in (a, b)}
    return wire if roots == {0, 1} else None


def _minus_product(c: _Row, a: _Row, b: _Row) -> _Row:
    """C - A * B for a row with a constant factor."""
    factor, other = (a, b) if a.keys() <= {0} else (b, a)
    if not factor or not other:
        return c
    out = dict(c)
    for wire, coef in other.items():
        out[wire] = (out.get(wire, 0) - factor[0] * coef) % P
    return {wire: coef for wire, coef in out.items() if coef}
