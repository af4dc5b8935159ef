"""Imports go one way, server → proofs → engine; heavy libraries stay where they are named."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("engine", "proofs", "server")
ALLOWED = {"engine": {"engine"}, "proofs": {"engine", "proofs"}, "server": set(ROOMS)}
HEAVY_IN_ENGINE = {"torch", "web3", "aiohttp", "groth16py"}


def modules(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield (node.module or "").split(".")[0]


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_import_one_way(room: str) -> None:
    assert modules(room)
    for path in modules(room):
        rooms = set(imported(path)) & set(ROOMS)
        assert rooms <= ALLOWED[room], f"{path.relative_to(ROOT)} imports {rooms - ALLOWED[room]}"


def test_engine_needs_no_heavy_library() -> None:
    for path in modules("engine"):
        if "train" not in path.relative_to(ROOT).parts:
            assert not set(imported(path)) & HEAVY_IN_ENGINE, path


@pytest.mark.parametrize("room", ["proofs", "server"])
def test_torch_stays_in_training(room: str) -> None:
    for path in modules(room):
        assert "torch" not in set(imported(path)), path
