"""What is told of a process's memory."""

import subprocess
import sys

from proofs.memory import peak_rss_mb


def said_by(*lines: str) -> list[int]:
    """What a small process of its own prints: this one may have grown large."""
    script = "\n".join(("from proofs.memory import peak_rss_mb", *lines))
    return [int(line) for line in subprocess.check_output([sys.executable, "-c", script]).split()]


def test_peak_includes_what_was_given_back() -> None:
    before, after = said_by(
        "print(peak_rss_mb())",
        "held = bytearray(b'x') * (200 * 2**20)",
        "del held",
        "print(peak_rss_mb())",
    )
    assert 200 <= after < before + 300


def test_peak_leaves_out_what_the_parent_had() -> None:
    held = bytearray(b"x") * (400 * 2**20)
    (said,) = said_by("print(peak_rss_mb())")
    assert 1 < said < 100
    assert len(held) < peak_rss_mb() * 2**20
