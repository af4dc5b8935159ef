import numpy as np

from engine.wiring import wiring_of
from proofs.field import P, words_to_ints
from proofs.wires import Layout, Wires, decompose
from tests.engine.nets import random_net


def test_bits_are_those_of_the_value_in_the_field() -> None:
    """Runs as wide as a net's bounds allow; a negative value has the bits of P minus it."""
    values = np.array([0, 1, 5, -1, -5, 2**49 - 1, -(2**49), 123_456_789_012_345])
    widths = np.array([1, 1, 3, 50, 60, 50, 50, 47])
    expected = [value % P >> place & 1 for value, width in zip(values.tolist(), widths, strict=True)
                for place in range(width)]  # fmt: skip
    assert decompose(values, widths).tolist() == expected


def test_wires_hold_negative_and_large_values() -> None:
    layout = Layout(wiring_of(random_net()), {"small": slice(1, 3), "large": slice(3, 5)}, 6)
    wires = Wires(layout)
    wires.put("small", np.array([-7, 2**50]))
    wires.put_large("large", [2**100, -(2**99)])
    assert words_to_ints(wires.words()) == [1, P - 7, 2**50, 2**100, P - 2**99, 0]
