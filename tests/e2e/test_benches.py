"""The benches as commands: small runs with real parts, whose figures have to make sense."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.proofs.keys_fixture import dev_store

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "keys").symlink_to(dev_store("pawn")[0].root)
    return tmp_path


def bench(*words: str, data: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "server", "bench", *words, "--data", str(data), "--json"],
        capture_output=True,
        text=True,
        timeout=560,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_latency(data: Path) -> None:
    found = bench("latency", "--moves", "2", data=data)
    assert found["moves"] == 2
    for name in ("proposed_s", "verified_s"):
        assert 0 < found[name]["median"] <= found[name]["p95"]
    for figure in ("median", "p95"):  # each move is shown first, and then proven
        assert found["proposed_s"][figure] < found["verified_s"][figure]
    processors = os.cpu_count() or 1
    assert 0 < found["proof"]["cpu_s"] < found["verified_s"]["p95"] * processors


def test_load(data: Path) -> None:
    # a proof was seen to take 15 s beside neighbours
    found = bench("load", "--games", "3", "--seconds", "45", "--workers", "2", data=data)
    assert found["games"] == 3
    assert found["moves"] == 2 * round(found["verified_per_min"] * found["seconds"] / 60) > 0
    assert found["loop_stall_ms"]["p99"] > 0
    assert found["rss_mb"] > 100
    assert found["memory_mb"]["last_third"]["pss"] < found["rss_mb"]
    assert 0 < found["proofs"]["share"] < 1.5
    assert {"server", "provers", "node", "bench"} == found["cpu_per_proof_s"].keys()


def test_a_key_store_that_cannot_be_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("no folder")
    done = subprocess.run(
        [sys.executable, "-m", "server", "bench", "latency", "--data", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("checkproof: ")
    assert "Traceback" not in done.stderr


def test_fanout(data: Path) -> None:
    few = ("--sockets", "30", "--moves", "2", "--stalled", "3")
    found = bench("fanout", *few, data=data)
    assert found["sockets"] == 30
    assert found["stalled"] == {"sockets": 3, "readers_lost": 0}
    assert found["frames"] >= 30 * 2 * 2 * 6
    assert found["frames_per_s_core"] > 0
    for name in ("delay_ms", "stalled_delay_ms"):
        assert 0 < found[name]["p50"] <= found[name]["p99"]
    assert found["bytes_per_frame"] > 100
