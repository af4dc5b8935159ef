"""The architecture search trains each candidate once, on the same positions."""

import json
from pathlib import Path
from unittest.mock import patch

import pytest

from engine.errors import InvalidNet
from engine.game import Game
from engine.ladder_players import NetFile
from engine.net import NetSpec
from engine.train.__main__ import main
from engine.train.cost import estimate
from engine.train.model import PolicyNet
from engine.train.search import CANDIDATES
from engine.train.train import initialise
from tests.engine.nets import random_net
from tests.engine.training import fake_data, write_data


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    write_data(folder, fake_data(60))
    return folder


def test_candidates_are_trained_once(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "search"
    command = ["search", "--folder", str(data), "--out", str(out), "--only", "linear", "blind"]
    assert main(command) == 0
    files = [out / "linear.json", out / "blind.json"]
    assert capsys.readouterr().out.split() == [str(file) for file in files]
    nets = [NetSpec.load(file) for file in files]
    assert [(net.name, net.sight) for net in nets] == [("linear", True), ("blind", False)]
    for file, net in zip(files, nets, strict=True):
        report = json.loads(file.with_suffix(".report.json").read_text())
        assert report["net"] == net.hash
        assert report["loss"] > 0
        assert file.with_suffix(".curve.jsonl").exists()
    written = [file.stat().st_mtime_ns for file in files]
    assert main(command) == 0
    assert [file.stat().st_mtime_ns for file in files] == written


def test_every_candidate_costs_something_else() -> None:
    """Untrained: what a search compares differs in cost, or it would compare nothing."""
    costs = {}
    for name, shape in CANDIDATES.items():
        net = PolicyNet(shape)
        initialise(net)
        costs[name] = estimate(net.to_spec(name)).constraints
    assert len(set(costs.values())) == len(costs)
    assert costs["linear"] < costs["gate32"] < costs["gate128"] < costs["gate128-relu32"]


def test_a_net_file_plays_as_its_net(tmp_path: Path) -> None:
    net = random_net(3, noise=2)
    path = tmp_path / "some.json"
    path.write_bytes(net.to_bytes())
    entrant = NetFile(str(path))
    assert entrant.name == net.name
    assert net.hash in entrant.identity
    game = Game()
    with entrant.open() as seat:
        moves = []
        for seed in ("1", "2", "1"):
            seat.begin(seed)
            moves.append(seat.move(game))
    assert moves[0] == moves[2]
    with patch.object(NetSpec, "load", side_effect=AssertionError("read again")):
        assert net.hash in NetFile(str(path)).identity
    path.write_text("{}")
    with pytest.raises(InvalidNet), entrant.open():
        pass
