"""What is told of this process's memory."""

import subprocess
import sys

from proofs.memory import peak_rss_mb


def test_peak_includes_what_was_given_back() -> None:
    before = peak_rss_mb()
    held = bytearray(b"x") * ((before + 100) * 2**20)
    del held
    assert before + 100 <= peak_rss_mb() < 2 * before + 300


def test_peak_leaves_out_what_the_parent_had() -> None:
    held = bytearray(b"x") * (400 * 2**20)
    said = subprocess.check_output(
        [sys.executable, "-c", "from proofs.memory import peak_rss_mb; print(peak_rss_mb())"]
    )
    assert 1 < int(said) < 100
    assert len(held) < peak_rss_mb() * 2**20
