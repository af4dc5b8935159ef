"""Training: torch, numpy and the exported file are one net."""

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.encoding import START
from engine.net import NetSpec, house_net, input_planes
from engine.policy_map import POLICY_SIZE
from engine.train.cost import estimate
from engine.train.data import Shard
from engine.train.model import (
    HERE,
    KING,
    LayerShape,
    NetShape,
    PolicyNet,
    floor_through,
    round_through,
    torch_logits,
)
from engine.train.train import Trainer, TrainOptions, make_batch, train_net
from tests.engine.nets import random_net
from tests.engine.test_net import game_boards

SMALL = NetShape(
    layers=(
        LayerShape(4, HERE + KING, shift=2, limit=15, cap=127),
        LayerShape(3, HERE, shift=3, limit=15, cap=255),
    )
)


def fake_data(count: int = 200) -> Shard:
    """Positions with made-up legal moves, of which the same one is always best."""
    words = list(dict.fromkeys(game_boards(2 * count)))[:count]
    board = np.frombuffer(b"".join(w.to_bytes(32, "little") for w in words), np.uint8)
    legal = (np.random.default_rng(0).random((count, POLICY_SIZE)) < 0.02).astype(np.uint8)
    index = np.tile(np.array([700, 5, 1800], np.int16), (count, 1))
    np.put_along_axis(legal, index.astype(np.int64), 1, axis=1)
    return Shard(
        board=board.reshape(count, 32),
        legal=np.packbits(legal, axis=1, bitorder="little"),
        index=index,
        score=np.tile(np.array([50, 0, -30000], np.int16), (count, 1)),
    )


@pytest.mark.parametrize("net", [house_net("pawn"), random_net(3), random_net(4, channels=())])
def test_torch_computes_the_same_logits(net: NetSpec) -> None:
    words = game_boards(300)
    expected = np.stack([net.forward(word).logits for word in words])
    assert np.array_equal(torch_logits(net, words), expected)


@pytest.mark.parametrize("net", [house_net("pawn"), random_net(3)])
def test_torch_computes_the_same_bounds(net: NetSpec) -> None:
    bounds, twin = net.bounds(), PolicyNet.from_spec(net).bounds()
    for low, high, pre in zip(bounds.pre_lo, bounds.pre_hi, twin.pre, strict=True):
        assert np.maximum(-low, high).max(axis=1).tolist() == pre.tolist()
    assert bounds.logit_span == twin.logit_span.item()


def test_the_exported_net_is_the_trained_one() -> None:
    trainer = Trainer(fake_data(), TrainOptions(batch=32, epochs=3, shape=SMALL))
    for _ in range(3):
        for _ in trainer.epoch():
            pass
    spec = trainer.net.to_spec("small")
    words = game_boards(100)
    planes = torch.from_numpy(np.stack([input_planes(w).reshape(13, 8, 8) for w in words])).float()
    with torch.no_grad():
        trained = trainer.net(planes)
    assert np.array_equal(trained.numpy(), np.stack([spec.forward(w).logits for w in words]))
    assert any(layer.weights.any() for layer in spec.layers)


def test_training_lowers_the_loss_and_writes_a_net(tmp_path: Path) -> None:
    losses = _train(tmp_path, epochs=8)
    assert losses[-1] < losses[0]
    net = NetSpec.load(tmp_path / "small.json")
    assert net.name == "small"
    assert estimate(net).constraints > 12_000


def test_training_repeats_with_its_seed_and_takes_up_its_checkpoint(tmp_path: Path) -> None:
    for name in ("whole", "halves"):
        (tmp_path / name).mkdir()
    _train(tmp_path / "whole", epochs=4)
    trainer = Trainer(_written(tmp_path / "halves"), _options(epochs=4))
    for _ in range(2):
        list(trainer.epoch())
    (tmp_path / "halves/work").mkdir()
    trainer.save(tmp_path / "halves/work/small-1.pt")
    _train(tmp_path / "halves", epochs=4)
    assert (tmp_path / "whole/small.json").read_bytes() == (
        tmp_path / "halves/small.json"
    ).read_bytes()


def test_targets_prefer_mates_and_leave_out_missing_lines() -> None:
    data = fake_data(4)
    data.score[0] = [29999, 29990, 900]
    data.index[1, 2] = -1
    target = make_batch(data, np.arange(4), TrainOptions()).target
    assert torch.allclose(target.sum(1), torch.ones(4))
    assert target[0, 0] > target[0, 1] > target[0, 2]
    assert target[1, 2] == 0


def test_caps_hold_the_static_bounds_down() -> None:
    tight = NetShape(layers=SMALL.layers, logit_span=255)
    options = TrainOptions(batch=32, epochs=40, penalty=20, shape=tight)
    trainer = Trainer(fake_data(), options)
    for _ in range(40):
        list(trainer.epoch())
    assert trainer.net.to_spec("small").bounds().logit_span < 400


def test_straight_through_rounding_is_exact() -> None:
    x = (torch.rand(100_000) - 0.5) * 200
    assert torch.equal(round_through(x), x.round())
    assert torch.equal(floor_through(x.abs()), x.abs().floor())


def test_the_estimate_counts_every_part() -> None:
    net = random_net()
    cost, bounds = estimate(net), net.bounds()
    below = bounds.logit_hi.max() - bounds.logit_lo
    assert cost.logits == sum(int(gap).bit_length() for gap in below)
    live = sum(int((act > 0).sum()) for act in bounds.act_hi)
    assert 3 * live < cost.activations < 20 * live
    assert cost.constraints == cost.fixed + cost.logits + cost.activations
    assert net.forward(START.board).logits.shape == (POLICY_SIZE,)


def _options(*, epochs: int) -> TrainOptions:
    return TrainOptions(batch=32, epochs=epochs, shape=SMALL)


def _written(folder: Path) -> Shard:
    data = fake_data()
    columns = {name: getattr(data, name) for name in ("board", "legal", "index", "score")}
    np.savez_compressed(folder / "shard-1-00000.npz", **columns)
    order = np.unique(data.board, axis=0, return_index=True)[1]
    return Shard(*(columns[name][order] for name in ("board", "legal", "index", "score")))


def _train(folder: Path, *, epochs: int) -> list[float]:
    _written(folder)
    losses: list[float] = []

    def note(_done: int, _total: int, what: str) -> None:
        losses.append(float(what.split("loss ")[1].split(",", maxsplit=1)[0]))

    train_net(
        "small",
        data=folder,
        out=folder / "small.json",
        work=folder / "work",
        options=_options(epochs=epochs),
        progress=note,
    )
    return losses
