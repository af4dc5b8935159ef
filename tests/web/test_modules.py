"""The page's code by itself: types, format, vendored files, its tests in node, its vectors."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.web.make_golden import FILES, GOLDEN

WEB = Path(__file__).parents[2] / "web"


def run_script(name: str, folder: Path = WEB) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["npm", "run", "--silent", name], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", ["check", "format:check", "vendor:check", "test"])
def test_script_succeeds(name: str) -> None:
    done = run_script(name)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", FILES)
def test_vectors_are_what_the_python_side_makes_now(name: str) -> None:
    assert json.loads((GOLDEN / name).read_text()) == FILES[name]()


def test_a_changed_missing_or_unknown_vendored_file_is_found(tmp_path: Path) -> None:
    shutil.copytree(WEB / "vendor", tmp_path / "vendor")
    for name in ("vendor.mjs", "package.json"):
        shutil.copy(WEB / name, tmp_path)
    assert run_script("vendor:check", tmp_path).returncode == 0
    (tmp_path / "vendor/noble-hashes/sha3.js").open("a").write("//\n")
    (tmp_path / "vendor/chess.js/chess.js").unlink()
    (tmp_path / "vendor/new.js").touch()
    done = run_script("vendor:check", tmp_path)
    assert done.returncode == 1
    assert {line for line in done.stderr.splitlines() if not line.startswith("npm")} == {
        "missing: chess.js/chess.js",
        "not in the manifest: new.js",
        "changed: noble-hashes/sha3.js",
    }


def test_no_foreign_text_becomes_markup() -> None:
    for file in (WEB / "js").glob("*.js"):
        source = file.read_text()
        for name in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert name not in source, file.name
