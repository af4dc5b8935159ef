"""The release's hashes are those of what is here, and an installation that differs is named."""

import copy
import json
from pathlib import Path

import pytest

from proofs import release
from proofs.errors import ArtifactMissing
from proofs.release import Check, check_release, committed, compiled, release_hashes


def test_hashes_areThoseOfTheRepository() -> None:
    assert release_hashes() == committed(), "contracts, nets or circuits: run `make release-hashes`"


@pytest.mark.parametrize(
    ("kind", "name"),
    [("contracts", "Arena"), ("nets", "pawn"), ("onnx", "rook")],
)
def test_alteredHash_isNamed(
    kind: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = committed()
    theirs = copy.deepcopy(ours)
    del theirs[kind][name]
    (tmp_path / "release.json").write_text(json.dumps(theirs))
    monkeypatch.setattr(release, "PATH", tmp_path / "release.json")
    monkeypatch.setattr(release, "release_hashes", lambda _say: ours)
    monkeypatch.setattr(release, "compiled", lambda: Check("compile", "contracts", "ok"))
    failed = [(c.check, c.subject) for c in check_release() if c.mark == "failed"]
    assert failed == [(kind, name)]


def test_withoutACompiler_isUndecided(tmp_path: Path) -> None:
    assert compiled(tmp_path).mark == "unchecked"


def test_noRelease_isSaid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "PATH", tmp_path / "release.json")
    with pytest.raises(ArtifactMissing, match=r"release\.json"):
        committed()
