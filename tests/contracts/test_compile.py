"""The compile tool: it notices what is not as committed and lets nothing doubtful through.

That the committed artifacts are a fresh compile of the sources, `make contracts` checks.
"""

import json
import shutil
import subprocess
from pathlib import Path
from random import Random
from typing import Final

import pytest

REPOSITORY: Final = Path(__file__).parents[2]
TOOL: Final = Path("proofs", "contracts", "compile.mjs")
HEAD: Final = "// SPDX-License-Identifier: GPL-3.0-or-later\npragma solidity ^0.8.28;\n"
GOOD: Final = "contract Good { function f() external pure returns (uint256) { return 1; } }\n"


def compile_in(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = ["node", str(root / TOOL), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository with one good contract in it, compiled."""
    contracts = tmp_path / TOOL.parent
    (contracts / "src").mkdir(parents=True)
    shutil.copy(REPOSITORY / TOOL, contracts)
    (tmp_path / "web").symlink_to(REPOSITORY / "web")
    write(tmp_path, "Good", GOOD)
    assert compile_in(tmp_path).returncode == 0
    return tmp_path


def write(root: Path, name: str, source: str) -> None:
    (root / TOOL.parent / "src" / f"{name}.sol").write_text(HEAD + source, encoding="utf-8")


def artifact(root: Path, name: str) -> Path:
    return root / TOOL.parent / "abi" / f"{name}.json"


def test_check_succeedsIfNothingChanged(tree: Path) -> None:
    assert sorted(json.loads(artifact(tree, "Good").read_text(encoding="utf-8"))) == [
        "abi",
        "bytecode",
        "deployedBytecode",
    ]
    assert compile_in(tree, "--check").returncode == 0


def test_check_failsIfSourceChanged(tree: Path) -> None:
    before = artifact(tree, "Good").read_bytes()
    write(tree, "Good", GOOD.replace("return 1", "return 2"))
    done = compile_in(tree, "--check")
    assert (done.returncode, done.stderr) == (1, "abi/Good.json differs from a fresh compile\n")
    assert artifact(tree, "Good").read_bytes() == before


def test_check_failsIfArtifactHasNoSource(tree: Path) -> None:
    artifact(tree, "Gone").write_text("{}", encoding="utf-8")
    done = compile_in(tree, "--check")
    assert (done.returncode, done.stderr) == (1, "abi/Gone.json has no source\n")


def test_compile_failsIfCompilerWarns(tree: Path) -> None:
    write(tree, "Bad", "contract Bad { function f() external pure { uint256 unused = 1; } }\n")
    done = compile_in(tree)
    assert done.returncode == 1
    assert "Unused local variable" in done.stderr
    assert not artifact(tree, "Bad").exists()


def test_compile_failsIfCodeIsTooLarge(tree: Path) -> None:
    # Each contract carries the code of all before it, so that the code doubles every time.
    seed = Random(1).randbytes(800).hex()
    source = f'contract C0 {{ bytes public constant f = hex"{seed}"; }}\n'
    for n in range(1, 7):
        makes = " ".join(f"new C{k}();" for k in range(n))
        source += f"contract C{n} {{ function f() external {{ {makes} }} }}\n"
    write(tree, "Big", source)
    done = compile_in(tree)
    assert done.returncode == 1
    assert "exceeds 24576 bytes" in done.stderr
    assert not artifact(tree, "C6").exists()


def test_compile_failsIfNameIsUnknown(tree: Path) -> None:
    done = compile_in(tree, "Nothing")
    assert (done.returncode, done.stderr) == (1, "no such source file: Nothing\n")
