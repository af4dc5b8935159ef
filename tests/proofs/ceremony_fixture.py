"""A finished ceremony of three parties and a beacon, by the real tool, at a small size."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from proofs.builder import Builder
from proofs.ceremony import Transcript, beacon, begin, contribute, verify
from proofs.linear import Lin
from proofs.r1cs import R1cs
from proofs.zkey import Contribution

SNARKJS = Path(__file__).resolve().parents[2] / "web" / "node_modules" / ".bin" / "snarkjs"
RANDOMNESS = "00112233445566778899aabbccddeeff" * 2
PARTIES = ("Ada", "Bea", "Cem")


def squares(count: int) -> R1cs:
    """Ten public inputs; the first one squared again and again."""
    builder = Builder(10)
    wire = Lin.of([1])
    for k in range(count):
        wire = builder.product(f"square {k}", wire, wire)
    return builder.finish()


@dataclass(frozen=True)
class Ceremony:
    """Files of a finished ceremony; `steps` are what each party passed on, the first empty."""

    circuit: Path
    phase1: Path
    steps: tuple[Path, ...]
    final: Path
    said: tuple[Contribution, ...]

    def verify(self, final: Path | None = None, **other: object) -> Transcript:
        files = {"circuit": self.circuit, "phase1": self.phase1, **other}
        return verify(final=final or self.final, tell=lambda _line: None, **files)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def new_phase1(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes a phase 1 for up to 2^6 constraints."""
    folder = tmp_path_factory.mktemp("phase1")

    def make(name: str, *, parties: int = 1) -> Path:
        steps = [f"new bn128 6 {name}0"]
        steps += [
            f"contribute {name}{k} {name}{k + 1} --name=first -e={name}" for k in range(parties)
        ]
        for step in (*steps, f"prepare phase2 {name}{parties} {name}.ptau"):
            command = [str(SNARKJS), "powersoftau", *step.split()]
            subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=240)
        return folder / f"{name}.ptau"

    return make


@pytest.fixture(scope="module")
def done(new_phase1: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Ceremony:
    folder = tmp_path_factory.mktemp("ceremony")
    circuit, phase1 = folder / "circuit.r1cs", new_phase1("a")
    circuit.write_bytes(squares(5).to_bytes())
    steps = [folder / f"{k}.zkey" for k in range(len(PARTIES) + 1)]
    begin(circuit, phase1, steps[0])
    said = [
        contribute(before, after, name)
        for name, before, after in zip(PARTIES, steps, steps[1:], strict=False)
    ]
    said.append(beacon(steps[-1], folder / "final.zkey", RANDOMNESS))
    return Ceremony(circuit, phase1, tuple(steps), folder / "final.zkey", tuple(said))
