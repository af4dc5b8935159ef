"""The built wheel holds all that serving and auditing need."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(out)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = out.glob("*.whl")
    assert wheel.stat().st_size < 3_000_000
    return set(zipfile.ZipFile(wheel).namelist())


def test_every_module_is_in_it(names: set[str]) -> None:
    for room in ("engine", "proofs", "server"):
        for path in (ROOT / room).rglob("*.py"):
            assert str(path.relative_to(ROOT)) in names


def test_nets_contracts_and_page_are_in_it(names: set[str]) -> None:
    assert "engine/nets/pawn.json" in names
    assert "proofs/contracts/abi/Arena.json" in names
    assert "proofs/contracts/abi/ChessRulesHarness.json" in names
    assert "proofs/perft.epd" in names
    for path in (ROOT / "web").rglob("*"):
        parts = path.relative_to(ROOT / "web").parts
        if path.is_file() and (parts[0] in ("css", "img", "js", "vendor") or ".html" in parts[0]):
            assert "/".join(("server/_web", *parts)) in names


def test_nothing_else_is_in_it(names: set[str]) -> None:
    assert not [name for name in names if "node_modules" in name or name.startswith("tests")]
