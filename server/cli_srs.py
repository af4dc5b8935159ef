"""`checkproof setup srs`: let ezkl bots use a setup that others made, not a development one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from proofs.errors import SrsRefused
from proofs.ezkl_bots import store_of
from proofs.ezkl_shape import LARGEST_LOGROWS, SMALLEST_LOGROWS
from proofs.srs import Powers, check, g2_point, is_ptau, ptau_power, read_ptau, read_srs
from proofs.srs_store import Srs, choose_srs
from server.cli_out import print_json

UNKNOWN: Final = (
    "its secret is of no ceremony that is known here: believe whoever gave you the file, "
    "because its makers could forge"
)
Say = Callable[[str], None]


def run_srs(
    source: Path, sizes: tuple[int, ...] | None, *, data: Path, as_json: bool, say: Say
) -> None:
    """Check a file, keep what is used of it, and tell what it is.  Raises SrsRefused, OSError.

    `sizes` are the logrows wanted; by default all that nets use and the file has.
    """
    found = _read(source, sizes, say)
    for srs in found:
        check(srs, str(source), say)
    kept = [choose_srs(store_of(data), srs) for srs in found]
    if not found[0].ceremony:
        say(UNKNOWN)
    if as_json:
        print_json(_report(source, found, kept))
        return
    print(found[0].ceremony or "unknown ceremony")
    for srs, there in zip(found, kept, strict=True):
        print(f"2^{srs.logrows} rows  {there.hash}  {there.path}")
    say("bots that are added from now on use it; those that are there keep theirs")


def _read(source: Path, sizes: tuple[int, ...] | None, say: Say) -> list[Powers]:
    used = range(SMALLEST_LOGROWS, LARGEST_LOGROWS + 1)
    if is_ptau(source):
        power = ptau_power(source)
        wanted = sizes or tuple(size for size in used if size <= power)
        if not wanted:
            raise SrsRefused(str(source), f"it has 2^{power} rows, and nets need 2^{used[0]}")
        say(f"reading powers of tau for 2^{power} rows")
        return [read_ptau(source, size) for size in wanted]
    srs = read_srs(source)
    if srs.logrows not in (sizes or used):
        asked = ", ".join(f"2^{size}" for size in sizes or used)
        raise SrsRefused(str(source), f"it is for 2^{srs.logrows} rows, and not for {asked}")
    return [srs]


def _report(source: Path, found: list[Powers], kept: list[Srs]) -> dict[str, Any]:
    (x, x_i), (y, y_i) = g2_point(found[0].tau_g2)
    ceremony = found[0].ceremony
    return {
        "from": str(source),
        "format": "ptau" if is_ptau(source) else "srs",
        "ceremony": ceremony or None,
        "setup": "ceremony" if ceremony else "unknown",
        "tauG2": {"x": [hex(x), hex(x_i)], "y": [hex(y), hex(y_i)]},
        "sizes": [
            {"logrows": srs.logrows, "sha256": there.hash, "file": str(there.path)}
            for srs, there in zip(found, kept, strict=True)
        ],
    }
