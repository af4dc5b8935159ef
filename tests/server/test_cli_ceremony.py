"""`checkproof setup ceremony` as a party meets it."""

from pathlib import Path

import pytest

from tests.command import Ran, run
from tests.proofs.ceremony_fixture import RANDOMNESS, Ceremony, done, new_phase1

__all__ = ["done", "new_phase1"]  # fixtures


def ceremony(*arguments: str | Path) -> Ran:
    return run("setup", "ceremony", *arguments)


def test_a_party_gets_the_hash_to_publish(done: Ceremony, tmp_path: Path) -> None:
    mine = tmp_path / "mine.zkey"
    ran = ceremony("contribute", done.steps[1], mine, "--name", "Dora")
    assert (ran.code, len(ran.out.strip())) == (0, 128)
    closed = ceremony("beacon", mine, tmp_path / "final.zkey", "--randomness", "0x" + RANDOMNESS)
    assert (closed.code, len(closed.out.strip())) == (0, 128)
    assert ran.out != closed.out


def test_a_ceremony_of_another_circuit_is_broken(done: Ceremony, tmp_path: Path) -> None:
    ran = ceremony("verify", done.final, "--phase1", done.phase1)
    assert ran.code == 3
    assert ran.err.splitlines()[-1].startswith("checkproof: the ceremony does not hold: ")
    kept = ceremony("import", done.final, "--phase1", done.phase1, "--data", tmp_path / "data")
    assert (kept.code, kept.out) == (1, "")
    assert not (tmp_path / "data").exists()


def test_a_phase_1_that_is_too_small_is_named(done: Ceremony, tmp_path: Path) -> None:
    ran = ceremony("begin", tmp_path / "0.zkey", "--phase1", done.phase1)
    assert ran.code == 1
    assert "circuit too big for this power of tau ceremony" in ran.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [("contribute", "none.zkey", "out.zkey", "--name", "Dora"), ("verify", "none.zkey")],
    ids=lambda arguments: arguments[0],
)
def test_a_missing_file_is_one_line(
    arguments: tuple[str, ...],
    done: Ceremony,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    more = ("--phase1", done.phase1) if arguments[0] == "verify" else ()
    ran = ceremony(*arguments, *more)
    assert ran.code == 1
    assert "none.zkey" in ran.err
    assert "Traceback" not in ran.err
