"""A second opinion: iden3's own tools on the same files."""

import json
import subprocess
from pathlib import Path

import pytest

from proofs.circuit import MoveCircuit
from proofs.groth16 import proof_to_json, vk_to_json
from proofs.prove import Prover
from proofs.r1cs import wtns_bytes
from tests.proofs.cheats import CHEATS, middle_statement

SNARKJS = Path(__file__).resolve().parents[2] / "web" / "node_modules" / ".bin" / "snarkjs"


def snarkjs(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SNARKJS, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture(scope="module")
def r1cs(pawn: MoveCircuit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("snarkjs") / "pawn.r1cs"
    path.write_bytes(pawn.r1cs_bytes)
    return path


def test_snarkjs_reads_the_circuit(r1cs: Path, pawn: MoveCircuit) -> None:
    out = snarkjs("r1cs", "info", r1cs).stdout
    assert "Curve: bn-128" in out
    assert f"# of Wires: {pawn.r1cs.n_wires}" in out
    assert f"# of Constraints: {pawn.n_constraints}" in out
    assert "# of Public Inputs: 10" in out
    assert "# of Outputs: 0" in out


def test_snarkjs_accepts_an_honest_witness(r1cs: Path, pawn: MoveCircuit, tmp_path: Path) -> None:
    witness = tmp_path / "honest.wtns"
    witness.write_bytes(pawn.witness(middle_statement(pawn.net)))
    check = snarkjs("wtns", "check", r1cs, witness)
    assert "WITNESS IS CORRECT" in check.stdout
    assert check.returncode == 0


@pytest.mark.parametrize("name", CHEATS)
def test_snarkjs_refuses_a_cheat(name: str, r1cs: Path, pawn: MoveCircuit, tmp_path: Path) -> None:
    cheat = CHEATS[name](pawn, middle_statement(pawn.net))
    witness = tmp_path / "cheat.wtns"
    witness.write_bytes(wtns_bytes(cheat.words))
    check = snarkjs("wtns", "check", r1cs, witness)
    assert "WITNESS IS CORRECT" not in check.stdout
    assert "WITNESS CHECKING STARTED" in check.stdout


def test_snarkjs_verifies_a_proof(prover: Prover, tmp_path: Path) -> None:
    statement = middle_statement(prover.circuit.net)
    key, public, proof = (tmp_path / f"{name}.json" for name in ("key", "public", "proof"))
    key.write_text(vk_to_json(prover.record.vk))
    proof.write_text(proof_to_json(prover.prove(statement).proof))
    public.write_text(json.dumps([str(limb) for limb in statement.limbs]))
    assert "OK!" in snarkjs("groth16", "verify", key, public, proof).stdout
    public.write_text(json.dumps([str(limb ^ 1) for limb in statement.limbs]))
    refused = snarkjs("groth16", "verify", key, public, proof)
    assert "OK!" not in refused.stdout
    assert refused.returncode != 0
