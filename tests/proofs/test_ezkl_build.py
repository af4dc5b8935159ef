"""Imports are content, provers live apart, and what the circuit says is what counts."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.export import Heads, to_onnx
from proofs.audit_ezkl import files_of
from proofs.errors import EzklMissing, NotTheNetsMove, OnnxRefused, ProverDied
from proofs.ezkl_build import Manifest, canonical, srs_path
from proofs.ezkl_folder import made_folders
from proofs.ezkl_prover import EzklProver, import_net
from proofs.ezkl_shape import (
    FIELD,
    binding,
    from_field,
    inputs,
    pack_outputs,
    to_field,
    unpack_outputs,
)
from proofs.srs_store import file_hash
from proofs.statement import Statement
from tests.proofs.ezkl_fixture import CACHE, folder_of, position, proven, statement_for, tiny_net

NOTHING = Statement(board=0, context=0, payee=0, dice=0, index=0, mask=1)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A copy of a tiny net's folder in a store of its own: others import into the shared one."""
    folder = tmp_path / "own" / folder_of(1).name
    shutil.copytree(folder_of(1), folder)
    given = srs_path(folder_of(1))
    (folder.parent / "srs").mkdir()
    shutil.copyfile(given, folder.parent / "srs" / given.name)
    (folder / "srs").write_text(f"../srs/{given.name}\n")
    return folder


def test_a_second_import_does_no_work(own: Path, tmp_path: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in own.iterdir()}
    net = tmp_path / "again.onnx"
    net.write_bytes((own / "net.onnx").read_bytes())
    assert import_net(net, own.parent) == own
    assert {path.name: path.stat().st_mtime_ns for path in own.iterdir()} == before
    assert not list(own.parent.glob(".making-*"))


def test_a_manifest_names_what_is_there() -> None:
    folder = folder_of(1)
    manifest = Manifest.read(folder)
    assert manifest.development
    assert manifest.instances == 200
    assert manifest.net_hash == file_hash(folder / "net.onnx")
    assert manifest.key_hash == file_hash(folder / "vk")
    for name, digest in manifest.files.items():
        assert file_hash(folder / name) == digest, name


def test_one_circuit_has_one_key_per_srs() -> None:
    first, second = Manifest.read(folder_of(1)), Manifest.read(folder_of(1, store="second"))
    assert first.circuit_hash == second.circuit_hash
    assert first.srs_hash != second.srs_hash
    assert first.files["verifier.sol"] != second.files["verifier.sol"]


def test_the_circuits_numbers_are_the_nets() -> None:
    net, folder = tiny_net(1), folder_of(1)
    here, mask = position()
    with EzklProver(folder) as prover:
        found = prover.outputs(statement_for(prover.heads, net.outputs(here.board)))
        assert found.tolist() == net.outputs(here.board).tolist()
        assert (found < 0).any()
        chosen = prover.choose(here.board, here.context, mask)
        assert chosen == prover.heads.choose(net.outputs(here.board), here.board, mask)


def test_a_false_statement_is_not_proven() -> None:
    honest = proven(1)
    legal = [i for i in range(1858) if honest.statement.mask >> i & 1]
    other = next(index for index in legal if index != honest.statement.index)
    with EzklProver(honest.folder) as prover, pytest.raises(NotTheNetsMove) as refused:
        prover.prove(replace(honest.statement, index=other))
    assert refused.value.best == honest.statement.index


def test_a_killed_prover_is_told_of() -> None:
    honest = proven(1)
    with EzklProver(honest.folder) as prover:
        os.kill(prover.pid, signal.SIGKILL)
        with pytest.raises(ProverDied, match="status -9"):
            prover.prove(honest.statement)


@pytest.mark.parametrize("data", [b"", b"\xff" * 50, to_onnx(tiny_net(1))[:3000]])
def test_a_bad_file_is_refused_from_afar(data: bytes, tmp_path: Path) -> None:
    net = tmp_path / "bad.onnx"
    net.write_bytes(data)
    with pytest.raises(OnnxRefused, match="not a net for the arena"):
        import_net(net, tmp_path / "store")
    assert not list(tmp_path.glob("store/*"))


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        import_net(tmp_path / "none.onnx", tmp_path)


def test_without_ezkl_there_is_one_clear_line() -> None:
    """Everything imports without the extra, and asking for it says how to get it."""
    script = """
import sys
sys.modules["ezkl"] = sys.modules["onnx"] = None
import proofs.ezkl_process, proofs.ezkl_prover, engine.export
from proofs.ezkl_build import call_ezkl
from proofs.errors import EzklMissing
from proofs.onnx_contract import check_onnx
for ask in (lambda: check_onnx(b"x"), lambda: call_ezkl("go", "gen_srs")):
    try:
        ask()
    except EzklMissing as error:
        print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines() == [str(EzklMissing())] * 2
    assert "pip install 'checkproof[ezkl]'" in done.stdout


def test_negative_numbers_are_the_fields_upper_half() -> None:
    for value in (0, 1, -1, 2**27 - 1, -(2**27) + 1):
        assert from_field(to_field(value)) == value
        assert 0 <= to_field(value) < FIELD
    assert to_field(-1) == FIELD - 1


def test_outputs_survive_packing() -> None:
    outputs = np.array([0, 1, -1, 2**27 - 1, -(2**27) + 1], dtype=np.int64)
    assert unpack_outputs(pack_outputs(outputs) + b"proof", 5).tolist() == outputs.tolist()
    assert pack_outputs(np.array([-2])) == b"\xff\xff\xff\xfe"


def test_a_binding_is_about_context_payee_and_dice() -> None:
    bindings = {
        binding(replace(NOTHING, **change))
        for change in ({}, {"context": 1}, {"payee": 1}, {"dice": 1}, {"payee": 1, "dice": 1})
    }
    assert len(bindings) == 5
    assert binding(replace(NOTHING, index=5, mask=32)) == binding(NOTHING)
    for piece in inputs(NOTHING)[64:]:
        assert piece == int(np.float32(piece)) < 2**24


def test_heads_are_known_by_their_outputs() -> None:
    assert Heads.of(131) == Heads(by_piece=False)
    assert Heads.of(451) == Heads(by_piece=True)


def test_a_killed_import_leaves_nothing_for_long(own: Path) -> None:
    """A working folder that no living process holds goes; one that is held stays."""
    store = own.parent
    dead, alive = store / ".making-dead", store / ".making-alive"
    for work in (dead, alive):
        work.mkdir()
        (work / "pk").write_bytes(b"half")
    with alive.with_name(".making-alive.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        import_net(own / "net.onnx", store)
        assert not dead.exists()
        assert (alive / "pk").exists()
    import_net(own / "net.onnx", store)
    assert not list(store.glob(".making-*"))


def test_a_folder_in_the_making_is_nobodys(own: Path) -> None:
    """Another process may take it away again at any moment."""
    assert [folder for folder, _ in made_folders(own.parent)] == [own]
    assert files_of(own.parent)[0] == [own / "net.onnx"]
    own.rename(own.with_name(".making-it"))
    assert made_folders(own.parent) == []
    assert files_of(own.parent)[0] == []


def test_a_store_can_be_moved(own: Path, tmp_path: Path) -> None:
    given = srs_path(own)
    own.parent.rename(tmp_path / "there")
    moved = tmp_path / "there" / own.name
    assert srs_path(moved).samefile(tmp_path / "there" / "srs" / given.name)
    with EzklProver(moved) as prover:
        assert prover.prove(proven(1).statement).proof


def test_progress_is_told() -> None:
    lines: list[str] = []
    import_net(folder_of(1) / "net.onnx", CACHE / "first", progress=lines.append)
    assert lines[0] == "checking the net"
    assert lines[-1] == "all that follows was made before"


def test_settings_have_one_form() -> None:
    """ezkl lists them in another order in every process, and keys follow that order."""
    settings = json.loads((folder_of(1) / "settings.json").read_text())
    assert len(settings["required_range_checks"]) > 1
    settings["timestamp"] = 12345
    for shuffled in (settings["required_range_checks"], settings["einsum_params"]["equations"]):
        shuffled.reverse()
    turned = dict(reversed(settings.items()))
    assert canonical(json.dumps(turned)) == (folder_of(1) / "settings.json").read_text()


def test_every_import_makes_the_same_key(tmp_path: Path) -> None:
    """What an auditor makes anew has to be what is registered, whatever ezkl's maps do."""
    ours = Manifest.read(folder_of(1))
    for name in ("one", "two"):
        folder = import_net(folder_of(1) / "net.onnx", tmp_path / name, srs=srs_path(folder_of(1)))
        made = Manifest.read(folder)
        assert folder.name == folder_of(1).name
        assert made.key_hash == ours.key_hash
        for file in ("vk", "pk", "settings.json", "verifier.sol", "verifier.json"):
            assert made.files[file] == ours.files[file], file
