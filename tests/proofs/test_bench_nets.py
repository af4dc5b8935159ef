"""Nets side by side, on the rungs that need no engine."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import InvalidNet
from engine.ladder import Options
from engine.ladder_players import GreedyRung, RandomRung, Rungs
from engine.train.cost import estimate
from proofs.bench_nets import bench_nets
from tests.engine.nets import random_net

RUNGS = Rungs((RandomRung(), GreedyRung()), anchor=None)


def test_a_row_is_a_net(tmp_path: Path) -> None:
    small, large = random_net(1), replace(random_net(2, channels=(6, 3)), name="large")
    files = []
    for net in (small, large):
        files.append(tmp_path / f"{net.name}.json")
        files[-1].write_bytes(net.to_bytes())
    report = {"net": small.hash, "loss": 2.5, "agreement": 0.3}
    for file in files:  # the second is not about the net beside it
        file.with_suffix(".report.json").write_text(json.dumps(report))
    lines: list[str] = []
    rows = bench_nets(
        [str(file) for file in files],
        RUNGS,
        proofs=0,
        options=Options(pairs=1, workers=1),
        data=tmp_path,
        say=lines.append,
    )
    assert [row["net"] for row in rows] == [small.hash, large.hash]
    assert [row["constraints"] for row in rows] == [
        estimate(net).constraints for net in (small, large)
    ]
    assert rows[0]["constraints"] < rows[1]["constraints"]
    assert [(row["loss"], row["agreement"]) for row in rows] == [(2.5, 0.3), (None, None)]
    assert [(row["elo"], row["games"], row["cpu_s"]) for row in rows] == [(None, 4, None)] * 2


def test_a_broken_file_is_told_before_any_game(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    with pytest.raises(InvalidNet):
        bench_nets(
            ["pawn", str(broken)],
            RUNGS,
            proofs=0,
            options=Options(pairs=1),
            data=tmp_path,
            say=lambda _line: None,
        )
    assert not (tmp_path / "ladder").exists()
