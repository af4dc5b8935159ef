"""What a proof of a net's move will roughly cost, before any circuit is compiled."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.net import NetSpec
from engine.net_file import IntArray

_FIXED: Final = 7725  # public bits, board, choice: the same for every net


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
    """The cost of `net`.

    An activation that can be above 0 costs the bits of its signed sum and 2 more; a logit costs
    the bits of how far it can lie below the best one.
    """
    bounds = net.bounds()
    widths = [
        (_width(np.maximum(-low, high)) + 3) * (act > 0)
        for low, high, act in zip(bounds.pre_lo, bounds.pre_hi, bounds.act_hi, strict=True)
    ]
    return Cost(
        fixed=_FIXED,
        logits=int(_width(bounds.logit_hi.max() - bounds.logit_lo).sum()),
        activations=sum(int(width.sum()) for width in widths),
        terms=sum(int(np.count_nonzero(matrix)) for matrix in net.matrices),
    )


def _width(magnitude: IntArray) -> IntArray:
    """Bits of each magnitude."""
    widths: IntArray = np.ceil(np.log2(magnitude + 1)).astype(np.int64)
    return widths
