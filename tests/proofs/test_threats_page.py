"""docs/threats.md names tests that there are."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


def functions(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in tree.body if isinstance(node, kinds)}


def test_everyNamedTest_isThere() -> None:
    missing = [f"{path}::{name}" for path, name in NAMED if name not in functions(path)]
    assert missing == []
    assert len(NAMED) == PAGE.count("::")


def test_everyThreat_saysWhoWhatAndHow() -> None:
    threats = PAGE.split("\n## ")[1:]
    assert len(threats) == 16
    for threat in threats:
        for part in ("**Who:**", "**What it takes:**", "**What stops it:**", "**Tests:**"):
            assert part in threat, threat.splitlines()[0]
        assert "::test_" in threat, threat.splitlines()[0]
