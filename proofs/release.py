"""What this release's contracts, nets and circuits hash to, and whether an installation is it.

    release.json   {"format": "checkproof-release/1",
                    "contracts": {name: {"creation", "deployed"}},   keccak-256 of code
                    "nets": {name: {"net", "circuit"}},              SHA-256, as registered
                    "onnx": {name: hash}}                            SHA-256 of the file

Deployed code is hashed with the places of its immutable values blank.  `make release-hashes` writes
the file anew:

    python -m proofs.release
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

from eth_utils.crypto import keccak

import engine
from engine.net import house_net, house_nets
from proofs.abi import load_artifact
from proofs.audit_report import Mark
from proofs.circuit import compile_circuit
from proofs.errors import ArtifactMissing

FORMAT: Final = "checkproof-release/1"
PATH: Final = Path(__file__).with_name("release.json")
CONTRACTS: Final = ("Arena", "BotRegistry", "Groth16MoveVerifier", "EzklMoveVerifier", "ProofPurse")

_COMPILER: Final = Path(__file__).with_name("contracts") / "compile.mjs"
_NO_SOLC: Final = "the Solidity compiler is not installed; run `make setup`"
_ONNX: Final = Path(engine.__file__).parent / "nets"

Say = Callable[[str], None]


class Check(NamedTuple):
    """One thing of an installation; `what` says what is wrong with it, or why it is unchecked."""

    check: str
    subject: str
    mark: Mark
    what: str = ""


def release_hashes(say: Say = lambda _line: None) -> dict[str, Any]:
    """What is here hashes to so."""
    nets = {}
    for name in house_nets():
        say(f"compiling the circuit of {name}")
        net = house_net(name)
        nets[name] = {"net": net.hash, "circuit": compile_circuit(net).hash}
    return {
        "format": FORMAT,
        "contracts": {name: _contract(name) for name in CONTRACTS},
        "nets": nets,
        "onnx": {
            path.stem: sha256(path.read_bytes()).hexdigest()
            for path in sorted(_ONNX.glob("*.onnx"))
        },
    }


def committed() -> dict[str, Any]:
    """The release's hashes.  Raises ArtifactMissing."""
    try:
        raw: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
        if raw["format"] != FORMAT:
            raise ValueError(f"format {raw['format']!r}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactMissing("release.json", str(error)) from error
    return raw


def check_release(say: Say = lambda _line: None) -> list[Check]:
    """Whether this installation is the release: every hash, and a fresh compile."""
    ours, theirs = release_hashes(say), committed()
    checks = [*_compared("contracts", ours, theirs), *_compared("nets", ours, theirs)]
    checks += _compared("onnx", ours, theirs)
    say("compiling the contracts")
    return [*checks, compiled()]


def compiled(package: Path | None = None) -> Check:
    """Whether the sources compile to the artifacts; undecided without the compiler."""
    home = package or _COMPILER.parent.parent.parent / "web"
    solc = home / "node_modules" / "solc"
    if shutil.which("node") is None or not solc.is_dir():
        return Check("compile", "contracts", "unchecked", _NO_SOLC)
    ran = subprocess.run(
        ["node", _COMPILER, "--check"], capture_output=True, text=True, check=False
    )
    if ran.returncode == 0:
        return Check("compile", "contracts", "ok")
    return Check("compile", "contracts", "failed", " ".join(ran.stderr.split()))


def _compared(kind: str, ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[Check]:
    names = sorted({*ours[kind], *theirs.get(kind, {})})
    for name in names:
        here, there = ours[kind].get(name), theirs.get(kind, {}).get(name)
        what = "" if here == there else f"{here or 'missing'} here, {there or 'nothing'} released"
        yield Check(kind, name, "ok" if here == there else "failed", what)


def _contract(name: str) -> dict[str, str]:
    artifact = load_artifact(name)
    codes = {"creation": artifact.bytecode, "deployed": artifact.deployed}
    return {part: "0x" + keccak(code).hex() for part, code in codes.items()}


def main() -> None:
    """Write release.json."""
    hashes = release_hashes(lambda line: print(line, file=sys.stderr))
    PATH.write_text(json.dumps(hashes, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
