"""Products of a matrix with a board's 64 columns, in float64 and on one core.

OpenBLAS gives a product of more than 2^18 multiplications to threads.  At a net's size they bring
a little on idle cores and cost a hundredfold on busy ones, as they wait for each other; so larger
matrices are cut into blocks that stay below.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Blocks = list[Floats]
"""A matrix as blocks (rows / 8, 8, 512 inputs or fewer), its rows filled up with 0."""

_ROWS: Final = 8
_INPUTS: Final = 512  # 8 * 512 * 64 = 2^18


def cut(matrix: NDArray[np.float64] | NDArray[np.int64]) -> Blocks:
    """A matrix (rows, inputs) for `product`."""
    rows, inputs = matrix.shape
    groups = -(-rows // _ROWS)
    filled = np.zeros((groups * _ROWS, inputs))
    filled[:rows] = matrix
    eights = filled.reshape(groups, _ROWS, inputs)
    starts = range(0, max(inputs, 1), _INPUTS)
    return [np.ascontiguousarray(eights[:, :, k : k + _INPUTS]) for k in starts]


def product(blocks: Blocks, values: Floats, *, rows: int) -> Floats:
    """The matrix (rows, inputs) that was cut, times values (inputs, 64)."""
    total = blocks[0] @ values[:_INPUTS]
    for k, block in enumerate(blocks[1:], start=1):
        total += block @ values[k * _INPUTS : (k + 1) * _INPUTS]
    whole: Floats = total.reshape(total.shape[0] * _ROWS, -1)[:rows]
    return whole
