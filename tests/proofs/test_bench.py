from pathlib import Path

from engine.encoding import Position
from engine.net import house_net
from engine.player import choose
from proofs.bench import bench_prove, statements
from proofs.circuit import MoveCircuit
from proofs.keys import KeyRecord, KeyStore


def test_bench_reports_what_was_measured(
    pawn: MoveCircuit, pawn_key: tuple[KeyStore, KeyRecord], tmp_path: Path
) -> None:
    (tmp_path / "keys").symlink_to(pawn_key[0].root)
    lines: list[str] = []
    report = bench_prove("pawn", 2, data_dir=tmp_path, progress=lines.append)
    assert list(report) == ["bot", "constraints", "prove_s", "cpu_s", "proof_bytes"]
    assert (report["bot"], report["constraints"]) == ("pawn", pawn.n_constraints)
    assert report["proof_bytes"] == 256
    for name in ("prove_s", "cpu_s"):
        assert 0 < report[name]["min"] <= report[name]["median"] <= report[name]["max"]
    assert report["cpu_s"]["median"] < 2.0
    assert len(lines) == 3


def test_bench_proves_distinct_true_statements() -> None:
    net = house_net("pawn")
    found = list(statements(net, 25))
    assert len({(s.board, s.context & 0xFF) for s in found}) == 25
    assert [choose(net, Position(s.board, s.context), s.mask) for s in found] == [
        s.index for s in found
    ]
    assert found == list(statements(net, 25))
