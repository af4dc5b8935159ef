"""The sight planes of `engine.sight` as constraints.

`seen` says for a code, a direction and a square whether the first piece on the line that starts at
the square is of that code.  With n the square's neighbour in that direction,

    empty(n) * seen(code, direction, n) = seen(code, direction, square) - piece(code, n)

from the edge inwards, one constraint each; a square whose neighbour lies on the edge needs none,
because seen is piece(code, n) there.  Each is 0 or 1: piece(code, n) is 0 on an empty square.
That empty(n) is 0 or 1 follows from the one-hots of the squares and is constrained only so that it
can be read off the file: proofs/soundness.py bounds a product by its factors, and along a line the
bounds of sums would multiply.  A plane is a sum of these, or of pieces on the squares that a piece
steps from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.sight import OFF_BOARD, RAY_SQUARES, SIGHT_PLANES
from engine.wiring import LINE, SIGHT, SightWiring, sight_squares
from proofs.builder import Builder
from proofs.linear import Lin, concat
from proofs.r1cs import Ints

_NEAR: Ints = RAY_SQUARES[:, 0]  # (8, 64)
_CODES = 12


def sight_planes(builder: Builder, pieces: Lin, wiring: SightWiring) -> Lin:
    """The planes (18 * 64,) over the twelve piece planes (12 * 64,); 0 where nothing reads them."""
    terms = _Terms.of(builder, pieces, wiring)
    planes = [Lin.zero(64)] * SIGHT_PLANES
    for plane in wiring.read.tolist():
        planes[plane] = terms.sum(plane)
    if len(wiring.summed):
        wires = builder.linear("sight", concat([planes[p] for p in wiring.summed]))
        for k, plane in enumerate(wiring.summed.tolist()):
            planes[plane] = wires.take(64 * k + np.arange(64))
    return concat(planes)


@dataclass(frozen=True, eq=False)
class _Terms:
    """What planes add up: rows of pieces, `seen` wires, and a 0 for squares off the board."""

    rows: Lin
    seen: Ints  # (13, 8, 64): which row says whether a line meets a code first

    @classmethod
    def of(cls, builder: Builder, pieces: Lin, wiring: SightWiring) -> _Terms:
        count = len(wiring.squares)
        rows = concat([pieces, builder.wires("seen", count), Lin.zero(1)])
        code, near = np.arange(_CODES + 1)[:, None, None], _NEAR[None]
        seen = np.where(near == OFF_BOARD, rows.n - 1, 64 * (code - 1) + near)
        seen[wiring.codes, wiring.lines, wiring.squares] = pieces.n + np.arange(count)
        terms = cls(rows, seen)
        if count:
            terms._constrain(builder, pieces, wiring)
        return terms

    def _constrain(self, builder: Builder, pieces: Lin, wiring: SightWiring) -> None:
        ones = Lin.const(np.ones(64))
        occupied = pieces.grouped(np.arange(pieces.n) % 64, 64)
        empty = builder.linear("empty", ones - occupied)
        builder.constrain("empty boolean", empty, empty - ones, Lin.zero(64))
        near = _NEAR[wiring.lines, wiring.squares]
        beyond = self.rows.take(self.seen[wiring.codes, wiring.lines, near])
        here = self.rows.take(self.seen[wiring.codes, wiring.lines, wiring.squares])
        met = pieces.take(64 * (wiring.codes - 1) + near)
        builder.constrain("seen", empty.take(near), beyond, here - met)

    def sum(self, plane: int) -> Lin:
        """One plane, (64,)."""
        kind, code, lines = SIGHT[plane]
        if kind == LINE:
            rows = self.seen[code]
        else:
            squares = sight_squares(kind)
            rows = np.where(squares == OFF_BOARD, self.rows.n - 1, 64 * (code - 1) + squares)
        chosen = rows[list(lines)]
        return self.rows.take(chosen).grouped(np.tile(np.arange(64), len(chosen)), 64)
