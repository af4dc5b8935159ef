"""What `make setup` installs for ezkl is what the tests run with."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def pinned(name: str) -> dict[str, str]:
    """The packages of a lock file, each with its version and hashes."""
    text = (ROOT / name).read_text()
    blocks = re.findall(r"^([a-z0-9-]+)==(.*\n(?: +--hash.*\n)*)", text, re.MULTILINE)
    return dict(blocks)


def test_ezkls_lock_is_the_tests_own() -> None:
    ezkl, dev, base = (pinned(f"requirements{kind}.lock") for kind in ("-ezkl", "-dev", ""))
    assert {"ezkl", "onnx"} <= ezkl.keys()
    assert not ezkl.keys() & base.keys()
    for name, pin in ezkl.items():
        assert dev[name] == pin, name
        assert "--hash=sha256:" in pin


def test_the_compiler_is_there_for_users() -> None:
    """`bots add` compiles a verifier, so that solc is no development tool."""
    package = json.loads((ROOT / "web" / "package.json").read_text())
    lock = json.loads((ROOT / "web" / "package-lock.json").read_text())
    assert lock["packages"][""]["dependencies"]["solc"] == package["dependencies"]["solc"]
    assert "dev" not in lock["packages"]["node_modules/solc"]
