"""What a proof of a net's move will roughly cost, before any circuit is compiled."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.net import NetSpec
from engine.net_file import IntArray
from engine.policy_map import POLICY_SIZE

_PUBLIC_BITS: Final = 2431
_BOARD: Final = 1100
_PER_MOVE: Final = 5


@dataclass(frozen=True)
class Cost:
    """Constraints, by part, and the non-zero weights that the linear parts spread over."""

    fixed: int
    logits: int
    activations: int
    terms: int

    @property
    def constraints(self) -> int:
        return self.fixed + self.logits + self.activations


def estimate(net: NetSpec) -> Cost:
    """The cost of `net`: an activation costs its signed width + 2 bits, a logit how far it
    can lie below the best one."""
    bounds = net.bounds()
    widths = [
        _width(np.maximum(-low, high)) + 1
        for low, high in zip(bounds.pre_lo, bounds.pre_hi, strict=True)
    ]
    return Cost(
        fixed=_PUBLIC_BITS + _BOARD + _PER_MOVE * POLICY_SIZE,
        logits=int(_width(bounds.logit_hi.max() - bounds.logit_lo).sum()),
        activations=sum(int((width + 2).sum()) for width in widths),
        terms=sum(int(np.count_nonzero(matrix)) for matrix in net.matrices),
    )


def _width(magnitude: IntArray) -> IntArray:
    """Bits of each magnitude."""
    widths: IntArray = np.ceil(np.log2(magnitude + 1)).astype(np.int64)
    return widths
