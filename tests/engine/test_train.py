"""Training: torch, numpy and the exported file are one net."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.net import NetSpec, house_net, house_nets
from engine.policy_map import FROM_SQUARE, MOVERS
from engine.train.batch import Batch, make_batch
from engine.train.cost import estimate
from engine.train.model import PolicyNet, floor_to, round_through, round_to, torch_logits
from engine.train.planes import input_tensor
from engine.train.train import Trainer, TrainOptions, regret
from tests.engine.boards import game_boards
from tests.engine.nets import random_net
from tests.engine.training import SMALL, STEPS_PER_EPOCH, fake_data, small_options, train_small

NETS = [
    *map(house_net, house_nets()),
    random_net(3),
    random_net(4, channels=()),
    random_net(5, sight=True, gates=(0,), pieces=True, noise=7),
    random_net(6, sight=True, gates=(1,), pieces=True, magnitude=9),
    random_net(7, channels=(), noise=3, repeat_noise=50),
]


@pytest.mark.parametrize("net", NETS, ids=lambda net: net.name)
def test_torch_computes_the_same_logits(net: NetSpec) -> None:
    words, rng = game_boards(300), np.random.default_rng(1)
    dice = [int.from_bytes(rng.bytes(16), "little") for _ in words]
    earlier = rng.integers(0, 3, len(words)).tolist()
    each = zip(words, dice, earlier, strict=True)
    expected = np.stack([net.forward(word, rolled, earlier=n).logits for word, rolled, n in each])
    assert np.array_equal(torch_logits(net, words, dice, earlier), expected)


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


def test_coarse_sums_end_before_the_last_steps() -> None:
    def losses_and_ways(*, bfloat16: bool) -> tuple[list[float], list[tuple[bool, bool]]]:
        trainer = Trainer(fake_data(), replace(small_options(epochs=2), bfloat16=bfloat16))
        seen: list[tuple[bool, bool]] = []
        trainer.net.register_forward_hook(
            lambda *_: seen.append((trainer.net.rounding, torch.is_autocast_enabled("cpu")))
        )
        return [*trainer.epoch(), *trainer.epoch()], seen

    coarse, coarse_ways = losses_and_ways(bfloat16=True)
    fine, fine_ways = losses_and_ways(bfloat16=False)
    rounded = [(True, True)] * (STEPS_PER_EPOCH - 1) + [(True, False)]
    assert coarse_ways == [(False, True)] * STEPS_PER_EPOCH + rounded
    assert fine_ways == [(False, False)] * STEPS_PER_EPOCH + [(True, False)] * STEPS_PER_EPOCH
    assert coarse != fine
    assert coarse == pytest.approx(fine, rel=0.01)


def test_the_quick_logits_differ_only_where_no_piece_can_go() -> None:
    trainer = Trainer(data := fake_data(), TrainOptions(shape=SMALL))
    planes = make_batch(data, np.arange(20)).planes
    with torch.no_grad():
        quick, full = trainer.net(planes), trainer.net(planes, every=True)
    movers = torch.from_numpy(np.asarray(MOVERS))
    own = planes[:, :6].flatten(2)[:, :, torch.from_numpy(FROM_SQUARE)]
    able = (own.transpose(1, 2) * movers).sum(2) > 0
    assert torch.equal(quick[able], full[able])
    assert not torch.equal(quick, full)


def test_training_lowers_the_loss_and_writes_a_net(tmp_path: Path) -> None:
    """The same move is best everywhere: from a loss of some ln 40 down towards 0.61, the least
    that the targets' own spread allows."""
    options = small_options(epochs=8, rate=0.02)
    assert Trainer(fake_data(), options).quality().loss > 3
    net = train_small(tmp_path, options)
    report = json.loads((tmp_path / "small.report.json").read_text())
    assert 0.61 < report["loss"] < 1.5
    assert report["agreement"] > 0.8
    assert report["net"] == net.hash
    assert NetSpec.load(tmp_path / "small.json").to_bytes() == net.to_bytes()
    assert estimate(net).constraints > 12_000


def test_targets_prefer_mates_and_leave_out_missing_lines() -> None:
    data = fake_data(4)
    data.score[0] = [29999, 29990, 900]
    data.index[1, 2] = -1
    target = make_batch(data, np.arange(4)).target
    assert torch.allclose(target.sum(1), torch.ones(4))
    assert target[0, 0] > target[0, 1] > target[0, 2]
    assert target[1, 2] == 0


def test_what_moves_give_away_is_in_points_of_a_game() -> None:
    data = fake_data(3)
    data.score[0] = [0, -250, -29_990]
    data.score[1] = [-400, -500, 0]
    data.index[1, 2] = -1
    lost = make_batch(data, np.arange(3)).lost
    assert lost[0].tolist() == pytest.approx([0, 0.5 - 0.26894, 0.5], abs=1e-4)
    assert lost[1].tolist() == pytest.approx([0, 0.16798 - 0.11920, 0], abs=1e-4)


def test_regret_is_what_the_drawn_moves_give_away() -> None:
    """Half of the time the best move, a quarter one that loses 0.4; a quarter falls to others."""
    logits = torch.full((1, 1858), -1e9)
    logits[0, [700, 5, 9]] = torch.tensor([2.0, 1.0, 1.0]).log()
    batch = Batch(
        planes=torch.zeros(1, 31, 8, 8),
        legal=logits > -1e9,
        index=torch.tensor([[700, 5, 0]]),
        target=torch.tensor([[0.9, 0.1, 0.0]]),
        lost=torch.tensor([[0.0, 0.4, 0.0]]),
    )
    assert regret(logits, batch).item() == pytest.approx(0.25 * 0.4 + 0.25 * 0.48)


def test_regret_makes_a_net_play_the_move_that_is_never_bad() -> None:
    """Index 700 is best in six of ten positions, and a blunder in the others."""

    def favourite(weight: float) -> int:
        data = fake_data(200)
        bad = np.arange(200) % 10 < 4
        data.index[:, 2] = -1
        data.index[bad, :2] = [5, 700]
        data.score[:, :2] = [120, 0]
        data.score[bad, :2] = [0, -900]
        options = replace(small_options(epochs=12, rate=0.02), regret=weight)
        trainer = Trainer(data, options)
        trainer.net.requires_grad_(False)
        trainer.net.bias.requires_grad_(True)
        for _ in range(12):
            list(trainer.epoch())
        return int(trainer.net.bias[[700, 5]].argmax())

    assert (favourite(0), favourite(30)) == (0, 1)


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


@pytest.mark.parametrize("rounding", [False, True])
def test_everything_is_on_the_device_that_is_asked_for(rounding: bool) -> None:
    """The meta device has no numbers, but refuses tensors of another one like any other."""
    meta = torch.device("meta")
    batch = make_batch(fake_data(8), np.arange(8), device=meta)
    tensors = (batch.planes, batch.legal, batch.index, batch.target, batch.lost)
    assert {tensor.device.type for tensor in tensors} == {"meta"}
    net = PolicyNet(SMALL).to(meta)
    net.rounding = rounding
    for every in (False, True):
        logits = net(batch.planes, every=every)
        assert (logits.device.type, logits.shape) == ("meta", (8, 1858))
    bounds = net.bounds()
    (logits.sum() + bounds.logit_span + sum(pre.sum() for pre in bounds.pre)).backward()
    assert all(p.grad is not None for p in net.parameters())
    net.clamp()
