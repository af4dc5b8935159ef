"""A witness in the making: where wires lie, and their values, put in block by block."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.wiring import Wiring
from proofs.field import P, Words, ints_to_words, small_to_words
from proofs.r1cs import Ints


@dataclass(frozen=True, eq=False)
class Layout:
    """A circuit's wiring, and where the wires of each name lie."""

    wiring: Wiring
    blocks: dict[str, slice]
    n_wires: int


class Wires:
    """The values of a circuit's wires, 64-bit integers but for a few; public inputs stay 0."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.values = np.zeros(layout.n_wires, dtype=np.int64)
        self.values[0] = 1
        self._large: list[tuple[slice, list[int]]] = []

    def put(self, name: str, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """Fill the wires of that name; returns `values`."""
        self.values[self.layout.blocks[name]] = values.ravel()
        return values

    def put_large(self, name: str, values: list[int]) -> None:
        """Fill wires whose values may be too large for 64 bits."""
        self._large.append((self.layout.blocks[name], values))

    def words(self) -> Words:
        """The values as field words (n_wires, 4)."""
        words = small_to_words(self.values)
        for block, values in self._large:
            words[block] = ints_to_words(values)
        return words


def decompose(values: Ints, widths: Ints) -> Ints:
    """The lowest `widths` bits (at most 63) of each value modulo P, run after run, lowest first."""
    run = np.repeat(np.arange(len(values)), widths)
    place = np.arange(len(run)) - np.repeat(np.cumsum(widths) - widths, widths)
    low = np.where(values < 0, np.uint64(P & (2**64 - 1)), np.uint64(0)) + values.astype(np.uint64)
    return (low[run] >> place.astype(np.uint64) & np.uint64(1)).astype(np.int64)
