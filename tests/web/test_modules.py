"""The page's files by themselves: their vectors, the vendored copies, no markup out of data.

Types, format and the modules' own tests are npm scripts of web/.
"""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.web.make_golden import FILES, GOLDEN

WEB = Path(__file__).parents[2] / "web"


def vendor_check(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["node", "vendor.mjs", "--check"], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", FILES)
def test_vectors_are_what_the_python_side_makes_now(name: str) -> None:
    assert json.loads((GOLDEN / name).read_text()) == FILES[name]()


def test_a_changed_missing_or_unknown_vendored_file_is_found(tmp_path: Path) -> None:
    shutil.copytree(WEB / "vendor", tmp_path / "vendor")
    shutil.copy(WEB / "vendor.mjs", tmp_path)
    assert vendor_check(tmp_path).returncode == 0
    (tmp_path / "vendor/noble-hashes/sha3.js").open("a").write("//\n")
    (tmp_path / "vendor/chess.js/chess.js").unlink()
    (tmp_path / "vendor/new.js").touch()
    done = vendor_check(tmp_path)
    assert done.returncode == 1
    assert set(done.stderr.splitlines()) == {
        "missing: chess.js/chess.js",
        "not in the manifest: new.js",
        "changed: noble-hashes/sha3.js",
    }


def test_no_foreign_text_becomes_markup() -> None:
    for file in (WEB / "js").glob("*.js"):
        source = file.read_text()
        for name in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert name not in source, file.name
