"""What `checkproof bench audit` measures."""

from pathlib import Path

import pytest

from proofs import bench_audit as module
from proofs.bench_audit import bench_audit, bench_ezkl_proofs, ezkl_part
from proofs.errors import ProofInvalid
from proofs.ezkl_bots import add_bot
from proofs.ezkl_verifier import VerifierCode
from tests.proofs.ezkl_fixture import folder_of
from tests.proofs.keys_fixture import dev_store


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with pawn's key and a small ONNX bot."""
    (tmp_path / "keys").symlink_to(dev_store("pawn")[0].root)
    add_bot(tmp_path, "tiny", folder_of(1))
    return tmp_path


def test_bench_tellsWhatItShould(data: Path) -> None:
    told = bench_audit("pawn", 2, data=data, ezkl_bot="tiny", ezkl_moves=1)
    assert (told["moves"], told["proofs"]) == (3, 2)
    assert told["moves_per_s"] > 0
    assert told["verify_ms"].keys() == {"groth16py", "snarkjs", "ezkl"}
    assert min(told["verify_ms"].values()) > 0
    assert told["not_measured"] == {}
    ezkl = told["ezkl"]
    assert (ezkl["bot"], ezkl["moves"], ezkl["proofs"]) == ("tiny", 1, 1)
    assert ezkl["program"].startswith("ezkl ")


def test_withoutEzkl_itSaysWhy(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ezkl_version", lambda: None)
    found, why = ezkl_part("tiny", 1, data=data, say=lambda _line: None)
    assert found is None
    assert why is not None
    assert "pip install" in why


def test_aGameThatIsNotVerified_isNotMeasured(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        module,
        "verifier_codes",
        lambda bundle: {name: VerifierCode(name, is_ours=False) for name in bundle.contracts},
    )
    with pytest.raises(ProofInvalid, match="other code"):
        bench_ezkl_proofs("tiny", 1, data=data)
