"""The benches of ezkl bots, beside the house's."""

from pathlib import Path

import pytest

from engine.errors import InvalidNet
from proofs.bench_ezkl import bench_prove_ezkl
from proofs.bench_peers import bench_peers
from proofs.ezkl_bots import add_bot
from proofs.ezkl_build import Manifest
from tests.proofs.ezkl_fixture import CACHE, folder_of

COSTS = {"prove_s", "cpu_s", "proof_bytes", "gas", "rss_mb"}


def silent(_line: str) -> None: ...


def test_an_added_bots_proofs_are_measured_on_chain(tmp_path: Path) -> None:
    lines: list[str] = []
    add_bot(tmp_path, "tiny", folder_of(1))
    report = bench_prove_ezkl("tiny", 1, data=tmp_path, tell=lines.append)
    manifest = Manifest.read(folder_of(1))
    assert (report["bot"], report["rows"]) == ("tiny", manifest.rows)
    assert report["proof_bytes"] == 131 * 4 + manifest.proof_bytes
    for name in ("prove_s", "cpu_s"):
        assert 0 < report[name]["min"] <= report[name]["median"] <= report[name]["max"]
    assert 500_000 < report["gas"]["max"] < 1_250_000
    assert report["development_setup"] is True
    assert lines == [f"proof 1 of 1: {report['prove_s']['max']:.1f} s"]


def test_nobodys_bot_cannot_be_measured(tmp_path: Path) -> None:
    with pytest.raises(InvalidNet, match="no bot called 'queen'"):
        bench_prove_ezkl("queen", 1, data=tmp_path, tell=silent)


def test_one_net_is_proven_both_ways() -> None:
    """Keys and setups are kept between runs, because making them takes half a minute."""
    report = bench_peers(1, data=CACHE / "peers", tell=silent, channels=1)
    house, ezkl = report["house"], report["ezkl"]
    assert house.keys() == ezkl.keys() == COSTS
    assert all(value > 0 for costs in (house, ezkl) for value in costs.values())
    assert house["proof_bytes"] == 256
    assert report["ratio"] == {
        "cpu": round(ezkl["cpu_s"] / house["cpu_s"], 2),
        "gas": round(ezkl["gas"] / house["gas"], 2),
        "rss": round(ezkl["rss_mb"] / house["rss_mb"], 2),
    }
    assert report["ratio"]["gas"] > 1.5
    assert report["compared"]["moves"] == 1
