"""`setup srs`: what it keeps, what it says, and what it refuses."""

from pathlib import Path

import pytest

from proofs.ezkl_build import Manifest, srs_path
from proofs.ezkl_prover import import_net
from proofs.srs import read_srs
from tests.command import run
from tests.proofs.ezkl_fixture import folder_of
from tests.proofs.ptau_file import as_ptau, ptau_by_snarkjs


@pytest.fixture(scope="module")
def halo2_file() -> Path:
    return srs_path(folder_of(1))


def test_setupSrs_convertsAPtau_andNewBotsUseIt(halo2_file: Path, tmp_path: Path) -> None:
    source = tmp_path / "powers.ptau"
    source.write_bytes(as_ptau(read_srs(halo2_file)))
    ran = run("setup", "srs", "--from", source, "--data", tmp_path, "--json")
    assert ran.code == 0, ran.err
    theirs = Manifest.read(folder_of(1))
    assert (ran.json["format"], ran.json["ceremony"], ran.json["setup"]) == (
        "ptau",
        None,
        "unknown",
    )
    assert ran.json["sizes"] == [
        {
            "logrows": 14,
            "sha256": theirs.srs_hash,
            "file": str(tmp_path / "ezkl" / "srs" / f"14-{theirs.srs_hash[:16]}.srs"),
        }
    ]
    assert "its makers could forge" in ran.err
    folder = import_net(folder_of(1) / "net.onnx", tmp_path / "ezkl")
    assert (folder / "srs").read_text() == f"../srs/14-{theirs.srs_hash[:16]}.srs\n"
    made = Manifest.read(folder)
    assert (made.key_hash, made.srs_hash) == (theirs.key_hash, theirs.srs_hash)
    assert made.development


def test_setupSrs_failsForAnAlteredFile_andKeepsNothing(halo2_file: Path, tmp_path: Path) -> None:
    data = bytearray(halo2_file.read_bytes())
    data[4 + 64 * 5 : 4 + 64 * 6] = data[4 + 64 * 6 : 4 + 64 * 7]
    (tmp_path / "bad.srs").write_bytes(data)
    ran = run("setup", "srs", "--from", tmp_path / "bad.srs", "--data", tmp_path / "data")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.splitlines()[-1] == (
        f"checkproof: {tmp_path}/bad.srs is not used as a setup: "
        "its points are not the powers of one secret"
    )
    assert not (tmp_path / "data").exists()


def test_setupSrs_failsForASizeThatNoNetUses(halo2_file: Path, tmp_path: Path) -> None:
    small = ptau_by_snarkjs(tmp_path, 2)
    for arguments, why in (
        (("--from", small), "it has 2^2 rows, and nets need 2^14"),
        (("--from", small, "--logrows", "15"), "it has powers for 2^2 rows, not for 2^15"),
        (("--from", halo2_file, "--logrows", "15"), "it is for 2^14 rows, and not for 2^15"),
        (("--from", "/etc/hostname"), "bytes are no .srs of halo2 and no .ptau"),
        (("--from", "/nowhere/at.all"), "No such file"),
    ):
        ran = run("setup", "srs", *arguments, "--data", tmp_path / "data")
        assert (ran.code, ran.out) == (1, "")
        assert why in ran.err.splitlines()[-1]
        assert "Traceback" not in ran.err
    assert run("setup", "srs").code == 2
