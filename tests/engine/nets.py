"""Small random nets for tests."""

import numpy as np

from engine.net import NetSpec
from engine.net_file import PIECES, Gate, Head, Layer, feature_count
from engine.policy_map import MOVE_TYPES, POLICY_SIZE

KING_TAPS = tuple((files, ranks) for ranks in (-1, 0, 1) for files in (-1, 0, 1))


def random_net(
    seed: int = 0,
    *,
    channels: tuple[int, ...] = (4, 3),
    taps: tuple[tuple[int, int], ...] = KING_TAPS,
    magnitude: int = 4,
    shift: int = 2,
    sight: bool = False,
    gates: tuple[int, ...] = (),
    pieces: bool = False,
    noise: int = 0,
    repeat_noise: int = 0,
) -> NetSpec:
    """A net of the given layer widths with weights drawn evenly from ±magnitude.

    `gates` names the layers that have one; `pieces` asks for piece weights other than 0.
    """
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
        return rng.integers(-magnitude, magnitude + 1, size=shape)

    layers: list[Layer] = []
    for k, outputs in enumerate(channels):
        shape = (outputs, feature_count(layers, sight=sight), len(taps))
        weights, bias = draw(*shape), draw(outputs)
        if k in gates:
            layers.append(Layer(taps, weights, bias, 0, Gate(draw(*shape), draw(outputs))))
        else:
            layers.append(Layer(taps, weights, bias, shift))
    features = feature_count(layers, sight=sight)
    head_from, head_to, bias = (
        draw(MOVE_TYPES, features),
        draw(MOVE_TYPES, features),
        draw(POLICY_SIZE),
    )
    of_pieces = draw(PIECES, features) if pieces else np.zeros((PIECES, features), dtype=np.int64)
    head = Head(head_from, head_to, of_pieces, bias)
    return NetSpec(f"random{seed}", tuple(layers), head, sight, noise, repeat_noise)


def full_net(seed: int = 5, *, channels: tuple[int, int] = (3, 2)) -> NetSpec:
    """A gate layer below an activation layer, sight, pieces' weights, and noise of both kinds."""
    return random_net(
        seed,
        channels=channels,
        magnitude=3,
        sight=True,
        gates=(0,),
        pieces=True,
        noise=3,
        repeat_noise=2,
    )
