"""Small random nets for tests."""

import numpy as np

from engine.net import NetSpec
from engine.net_file import Head, Layer, feature_count
from engine.policy_map import MOVE_TYPES, POLICY_SIZE

KING_TAPS = tuple((files, ranks) for ranks in (-1, 0, 1) for files in (-1, 0, 1))


def random_net(
    seed: int = 0,
    *,
    channels: tuple[int, ...] = (4, 3),
    taps: tuple[tuple[int, int], ...] = KING_TAPS,
    magnitude: int = 4,
    shift: int = 2,
) -> NetSpec:
    """A net of the given layer widths with weights drawn evenly from ±magnitude."""
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
        return rng.integers(-magnitude, magnitude + 1, size=shape)

    layers: list[Layer] = []
    for outputs in channels:
        weights = draw(outputs, feature_count(layers), len(taps))
        layers.append(Layer(taps, weights, draw(outputs), shift))
    features = feature_count(layers)
    head = Head(draw(MOVE_TYPES, features), draw(MOVE_TYPES, features), draw(POLICY_SIZE))
    return NetSpec(f"random{seed}", tuple(layers), head)
