"""Setup files for tests: snarkjs' own, and halo2's points written the way snarkjs would."""

import struct
import subprocess
from pathlib import Path
from typing import Final

from proofs.field import P as R
from proofs.field import Q
from proofs.srs import POINT_BYTES, Powers
from proofs.srs_curve import root_of_unity

_WEB: Final = Path(__file__).resolve().parents[2] / "web"
_SNARKJS: Final = _WEB / "node_modules" / "snarkjs" / "build" / "cli.cjs"


def snarkjs(*arguments: str | Path) -> None:
    command = ["node", str(_SNARKJS), *map(str, arguments)]
    subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)


def ptau_by_snarkjs(folder: Path, power: int, *, prepared: bool = True) -> Path:
    """A .ptau with one contribution, made by snarkjs itself."""
    new, given, ready = (folder / f"{name}.ptau" for name in ("new", "given", "ready"))
    snarkjs("powersoftau", "new", "bn128", str(power), new)
    snarkjs("powersoftau", "contribute", new, given, "--name=test", "-e=some entropy")
    if prepared:
        snarkjs("powersoftau", "prepare", "phase2", given, ready)
    return ready if prepared else given


def as_ptau(srs: Powers) -> bytes:
    """halo2's points as a .ptau: the sections that are read, the basis of this size alone."""
    n = 1 << srs.logrows
    header = struct.pack("<I", 32) + Q.to_bytes(32, "little") + struct.pack("<II", srs.logrows, 28)
    lagrange = bytes((n - 1) * POINT_BYTES) + _their_order(srs)
    sections = {1: header, 2: srs.powers, 3: srs.g2 + srs.tau_g2, 12: lagrange}
    parts = [struct.pack("<4sII", b"ptau", 1, len(sections))]
    for kind, data in sections.items():
        parts += [struct.pack("<IQ", kind, len(data)), data]
    return b"".join(parts)


def _their_order(srs: Powers) -> bytes:
    """The Lagrange points by the roots of unity that snarkjs counts along."""
    n = 1 << srs.logrows
    ours, x = {}, 1
    for k in range(n):
        ours[x] = k
        x = x * root_of_unity(7, srs.logrows) % R
    points, x = [], 1
    for _ in range(n):
        place = ours[x] * POINT_BYTES
        points.append(srs.lagrange[place : place + POINT_BYTES])
        x = x * root_of_unity(5, srs.logrows) % R
    return b"".join(points)
