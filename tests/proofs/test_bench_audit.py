"""What `checkproof bench audit` measures."""

from pathlib import Path

from proofs.bench_audit import bench_audit
from tests.proofs.keys_fixture import dev_store


def test_bench_tellsWhatItShould(tmp_path: Path) -> None:
    (tmp_path / "keys").symlink_to(dev_store("pawn")[0].root)
    told = bench_audit("pawn", 2, data=tmp_path)
    assert (told["moves"], told["proofs"]) == (3, 2)
    assert told["moves_per_s"] > 0
    milliseconds = told["verify_ms"]
    assert set(milliseconds) == {"groth16py", "snarkjs", "ezkl"}
    assert milliseconds["groth16py"] > 0
    assert milliseconds["snarkjs"] > 0
    assert [name for name, value in milliseconds.items() if value is None] == ["ezkl"]
    assert set(told["not_measured"]) == {"ezkl"}
