"""A witness in the making: one 64-bit integer a wire, put in block by block."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from proofs.field import P
from proofs.layout import Layout
from proofs.r1cs import Ints


class Wires:
    """The values of a circuit's wires; the public inputs stay 0."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.values = np.zeros(layout.n_wires, dtype=np.int64)
        self.values[0] = 1

    def put(self, name: str, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """Fill the wires of that name; returns `values`."""
        self.values[self.layout.blocks[name]] = values.ravel()
        return values


def decompose(values: Ints, widths: Ints) -> Ints:
    """The lowest `widths` bits (at most 63) of each value modulo P, run after run, lowest first."""
    run = np.repeat(np.arange(len(values)), widths)
    place = np.arange(len(run)) - np.repeat(np.cumsum(widths) - widths, widths)
    low = np.where(values < 0, np.uint64(P & (2**64 - 1)), np.uint64(0)) + values.astype(np.uint64)
    return (low[run] >> place.astype(np.uint64) & np.uint64(1)).astype(np.int64)
