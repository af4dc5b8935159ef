"""A training run that was stopped, even in the middle of an epoch, ends as if it never had been."""

import json
from pathlib import Path

import pytest
import torch

from engine.train.train import Curve, Quality, Trainer
from tests.engine.training import STEPS_PER_EPOCH, fake_data, small_options, train_small

OPTIONS = small_options(epochs=4, rate=0.02)
TOLD, SAVED, STEPS = 2, 4, 4 * STEPS_PER_EPOCH
FILES = ("small.json", "small.report.json", "small.curve.jsonl")


class Stopped(Exception):
    pass


@pytest.fixture(autouse=True)
def checkpoints_in_every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.train.train._TOLD", TOLD)
    monkeypatch.setattr("engine.train.train._SAVED", SAVED)


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    train_small(tmp_path / "whole", OPTIONS)
    return tmp_path / "whole"


def stop_at(folder: Path, step: int) -> None:
    """Train until just after the loss of that step was told."""

    def stop(done: int, _total: int, what: str) -> None:
        if done == step and what.startswith("steps, loss"):
            raise Stopped

    with pytest.raises(Stopped):
        train_small(folder, OPTIONS, stop)


def saved_step(folder: Path) -> int:
    state = torch.load(folder / "work/small-1.pt", weights_only=True)
    return int(state["step"])


def curve_of(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "small.curve.jsonl").read_text().splitlines()]


def test_a_run_stopped_in_mid_epoch_ends_as_a_whole_one(whole: Path, tmp_path: Path) -> None:
    """Stopped twice: while it trains in floats, and while it rounds."""
    folder, begins_rounding = tmp_path / "parts", OPTIONS.float_share * STEPS
    for stop, kept in ((6, 4), (14, 12)):
        assert kept % STEPS_PER_EPOCH
        stop_at(folder, stop)
        assert saved_step(folder) == kept
        assert curve_of(folder)[-1]["step"] == stop  # which the checkpoint does not know
    assert 4 < begins_rounding < 12
    train_small(folder, OPTIONS)
    for name in FILES:
        assert (folder / name).read_bytes() == (whole / name).read_bytes(), name


def test_a_run_stopped_while_it_looks_ends_as_a_whole_one(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0

    def stop(trainer: Trainer) -> Quality:
        nonlocal looks
        looks += 1
        if looks == 3:
            raise Stopped
        return look(trainer)

    look = Trainer.quality
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "quality", stop)
        with pytest.raises(Stopped):
            train_small(tmp_path / "parts", OPTIONS)
    train_small(tmp_path / "parts", OPTIONS)
    for name in FILES:
        assert (tmp_path / "parts" / name).read_bytes() == (whole / name).read_bytes(), name


def test_a_finished_run_is_not_trained_again(whole: Path) -> None:
    before = {name: (whole / name).read_bytes() for name in FILES}
    told: list[int] = []
    train_small(whole, OPTIONS, lambda done, _total, _what: told.append(done))
    assert told == []
    assert {name: (whole / name).read_bytes() for name in FILES} == before


def test_the_curve_has_every_told_loss_and_every_look(whole: Path) -> None:
    lines = curve_of(whole)
    assert [x["step"] for x in lines if "loss" in x] == list(range(TOLD, STEPS + 1, TOLD))
    assert [x["step"] for x in lines if "held_out" in x] == list(range(SAVED, STEPS + 1, SAVED))
    report = json.loads((whole / "small.report.json").read_text())
    assert lines[-1]["held_out"] == round(report["loss"], 4)
    assert lines[-1]["agreement"] == round(report["agreement"], 4)


def test_a_point_is_the_mean_since_the_last(tmp_path: Path) -> None:
    trainer, path = Trainer(fake_data(20), OPTIONS), tmp_path / "curve.jsonl"
    curve = Curve(path, trainer)
    for step, loss in enumerate([3.0, 2.0, 1.5, 0.25, 9.0], start=1):
        trainer.step = step
        curve.add(loss)
    assert path.read_text() == '{"step": 2, "loss": 2.5}\n{"step": 4, "loss": 0.875}\n'


def test_a_curve_keeps_what_its_checkpoint_knows(tmp_path: Path) -> None:
    trainer, path = Trainer(fake_data(20), OPTIONS), tmp_path / "curve.jsonl"
    lines = [f'{{"step": {step}, "loss": 1.0}}\n' for step in (2, 4, 6)]
    path.write_text("".join(lines) + '{"step": 4, "lo')  # killed as it wrote
    trainer.step = 4
    Curve(path, trainer)
    assert path.read_text() == "".join(lines[:2])
    trainer.step = 0  # a run from the start
    Curve(path, trainer)
    assert path.read_text() == ""
