"""Training: torch, numpy and the exported file are one net."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.net import FROM_SQUARE, NetSpec, house_net, house_nets
from engine.policy_map import MOVERS, POLICY_SIZE
from engine.train.cost import estimate
from engine.train.data import Shard
from engine.train.model import (
    HERE,
    KING,
    LayerShape,
    NetShape,
    PolicyNet,
    floor_to,
    round_through,
    round_to,
    torch_logits,
)
from engine.train.planes import input_tensor
from engine.train.train import Trainer, TrainOptions, make_batch, train_net
from tests.engine.nets import random_net
from tests.engine.test_net import game_boards

SMALL = NetShape(
    layers=(
        LayerShape("gate", 4, HERE + KING, fine=2),
        LayerShape("relu", 3, HERE, fine=2, shift=3),
    ),
    noise=3,
)
NETS = [
    *map(house_net, house_nets()),
    random_net(3),
    random_net(4, channels=()),
    random_net(5, sight=True, gates=(0,), pieces=True, noise=7),
    random_net(6, sight=True, gates=(1,), pieces=True, magnitude=9),
]


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


@pytest.mark.parametrize("net", NETS, ids=lambda net: net.name)
def test_torch_computes_the_same_logits(net: NetSpec) -> None:
    words, rng = game_boards(300), np.random.default_rng(1)
    dice = [int.from_bytes(rng.bytes(16), "little") for _ in words]
    pairs = zip(words, dice, strict=True)
    expected = np.stack([net.forward(word, rolled).logits for word, rolled in pairs])
    assert np.array_equal(torch_logits(net, words, dice), expected)


@pytest.mark.parametrize("net", NETS, ids=lambda net: net.name)
def test_torch_bounds_are_no_tighter_than_the_nets_own(net: NetSpec) -> None:
    """Training pays for its own bounds, so the exported net may only be cheaper."""
    bounds, twin = net.bounds(), PolicyNet.from_spec(net).bounds()
    for low, high, pre in zip(bounds.pre_lo, bounds.pre_hi, twin.pre, strict=True):
        assert (np.maximum(-low, high).max(axis=1) <= pre[: len(low)].detach().numpy()).all()
    assert bounds.logit_span <= twin.logit_span.item()


def test_the_exported_net_is_the_trained_one() -> None:
    """In float32 too, as long as the integers stay below 2^24."""
    trainer = Trainer(fake_data(), TrainOptions(batch=32, epochs=3, shape=SMALL))
    for _ in range(3):
        for _ in trainer.epoch():
            pass
    spec, boards = trainer.net.to_spec("small"), game_boards(100)
    words = np.frombuffer(b"".join(w.to_bytes(32, "little") for w in boards), np.uint8)
    with torch.no_grad():
        trained = trainer.net(input_tensor(words.reshape(-1, 32), sight=True), every=True)
    exact = np.stack([spec.forward(word).logits for word in boards])
    noise = np.stack([replace(spec, noise=0).forward(word).logits for word in boards]) - exact
    assert np.array_equal(trained.numpy() * 2**trainer.net.exponent, exact + noise)
    assert noise.any()
    assert any(layer.weights.any() for layer in spec.layers)


def test_the_quick_logits_differ_only_where_no_piece_can_go() -> None:
    trainer = Trainer(data := fake_data(), TrainOptions(shape=SMALL))
    planes = make_batch(data, np.arange(20), trainer.options).planes
    with torch.no_grad():
        quick, full = trainer.net(planes), trainer.net(planes, every=True)
    movers = torch.from_numpy(np.asarray(MOVERS))
    own = planes[:, :6].flatten(2)[:, :, torch.from_numpy(FROM_SQUARE)]
    able = (own.transpose(1, 2) * movers).sum(2) > 0
    assert torch.equal(quick[able], full[able])
    assert not torch.equal(quick, full)


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
    def span(bits: int) -> int:
        shape = replace(SMALL, logit_bits=bits)
        options = TrainOptions(batch=32, epochs=40, rate=0.02, penalty=1, shape=shape)
        trainer = Trainer(fake_data(), options)
        for _ in range(40):
            list(trainer.epoch())
        return trainer.net.to_spec("small").bounds().logit_span

    assert span(11) < 2**12 < span(30)


def test_straight_through_rounding_is_exact() -> None:
    x = (torch.rand(100_000) - 0.5) * 200
    assert torch.equal(round_through(x), x.round())
    assert torch.equal(round_to(x, torch.tensor(0.25)), (4 * x).round() / 4)
    assert torch.equal(floor_to(x, 0.5), (2 * x).floor() / 2)


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
