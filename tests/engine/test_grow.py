"""A grown net plays as the smaller one until it is trained."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.errors import InvalidNet
from engine.train.grow import grow
from engine.train.model import HERE, KING, LayerShape, NetShape, PolicyNet
from engine.train.train import Trainer, TrainOptions, initialise
from tests.engine.boards import game_boards
from tests.engine.training import fake_data


def shape(gates: int, relus: int) -> NetShape:
    return NetShape(
        layers=(
            LayerShape("gate", gates, HERE + KING, fine=2),
            LayerShape("relu", relus, HERE, fine=3, shift=3),
        )
    )


def made(gates: int, relus: int, seed: int) -> PolicyNet:
    torch.manual_seed(seed)
    net = PolicyNet(shape(gates, relus))
    initialise(net)
    return net


def test_a_grown_net_has_the_smaller_ones_logits() -> None:
    small, large = made(3, 2, seed=1).to_spec("small"), made(7, 5, seed=2)
    grow(large, small)
    grown = large.to_spec("large")
    for word in game_boards(30):
        assert np.array_equal(grown.forward(word).logits, small.forward(word).logits)
    assert [len(layer.bias) for layer in grown.layers] == [7, 5]
    assert grown.layers[1].weights[2:].any()  # what is new sees something to learn from


def gates(widths: tuple[int, ...], *, fine: int) -> PolicyNet:
    layers = tuple(LayerShape("gate", width, HERE + KING, fine=fine) for width in widths)
    net = PolicyNet(NetShape(layers=layers, head_fine=fine))
    initialise(net)
    return net


def test_a_net_can_grow_in_depth_and_on_finer_scales() -> None:
    torch.manual_seed(3)
    small, large = gates((2,), fine=1), gates((3, 2), fine=2)
    seed = small.to_spec("small")
    grow(large, seed, seed_shape=small.shape)
    grown, scale = large.to_spec("large"), 2 ** (large.exponent - small.exponent)
    for word in game_boards(30):
        assert np.array_equal(grown.forward(word).logits, scale * seed.forward(word).logits)
    assert grown.layers[1].weights.any()


def test_training_begins_with_the_seed_on_its_own_scales(tmp_path: Path) -> None:
    torch.manual_seed(4)
    small, file = gates((2,), fine=1), tmp_path / "small.json"
    seed = small.to_spec("small")
    file.write_bytes(seed.to_bytes())
    shape = gates((3,), fine=2).shape
    options = TrainOptions(shape=shape, grown_from=file, seed_shape=small.shape)
    begun = Trainer(fake_data(), options).net
    grown, scale = begun.to_spec("large"), 2 ** (begun.exponent - small.exponent)
    for word in game_boards(10):
        assert np.array_equal(grown.forward(word).logits, scale * seed.forward(word).logits)


@pytest.mark.parametrize("case", ["narrower", "deeper", "blind", "taps"])
def test_a_net_that_does_not_fit_is_refused(case: str) -> None:
    small = made(3, 2, seed=1).to_spec("small")
    large = made(2 if case == "narrower" else 7, 5, seed=2)
    if case == "deeper":
        small = gates((2, 2, 2), fine=1).to_spec("small")
    if case == "blind":
        small = replace(small, sight=False)
    if case == "taps":
        small = replace(small, layers=(replace(small.layers[0], taps=KING), small.layers[1]))
    with pytest.raises(InvalidNet, match="small"):
        grow(large, small)
