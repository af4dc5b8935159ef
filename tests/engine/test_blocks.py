"""Products in blocks are products."""

import numpy as np
import pytest

from engine.blocks import cut, product


@pytest.mark.parametrize("rows", [1, 8, 9, 152])
@pytest.mark.parametrize("inputs", [0, 1, 511, 512, 513, 1100])
def test_a_product_is_the_matrix_product(rows: int, inputs: int) -> None:
    rng = np.random.default_rng(rows + inputs)
    matrix = rng.integers(-(2**15), 2**15, size=(rows, inputs))
    values = rng.integers(-(2**20), 2**20, size=(inputs, 64))
    found = product(cut(matrix), values.astype(np.float64), rows=rows)
    assert found.shape == (rows, 64)
    assert (found == matrix @ values).all()


def test_blocks_are_small_enough_for_one_core() -> None:
    for block in cut(np.ones((300, 2000))):
        assert block[0].size * 64 <= 2**18
