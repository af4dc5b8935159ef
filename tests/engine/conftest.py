"""Fixtures of the engine's tests."""

import stat
import sys
from pathlib import Path

import pytest


@pytest.fixture
def stockfish_path(tmp_path: Path) -> str:
    """An executable that stands in for Stockfish."""
    fake = Path(__file__).parent / "fake_stockfish.py"
    return engine_script(tmp_path, f'exec "{sys.executable}" "{fake}"')


def engine_script(folder: Path, line: str) -> str:
    """An executable in `folder` that runs one line of shell."""
    path = folder / "stockfish"
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)
