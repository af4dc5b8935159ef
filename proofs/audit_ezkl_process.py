"""The process in which ezkl checks proofs for an audit: it holds the interpreter's lock, may panic.

    python -m proofs.audit_ezkl_process FOLDER      one answer for each line in

    in     {"inputs": [69 numbers], "outputs": [n numbers], "proof": hex}
    out    {"holds": bool}

Whatever ezkl says of a proof but that it holds, it does not.
"""

import json
import os
import resource
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TextIO

from proofs.errors import EzklFailed
from proofs.ezkl_build import Manifest, call_ezkl, srs_path
from proofs.ezkl_process import MEMORY_BYTES
from proofs.ezkl_shape import to_field
from proofs.lifeline import die_with


def main(arguments: list[str]) -> int:
    """Run the command above."""
    die_with(os.getppid())
    answers = _private_output()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    folder = Path(arguments[0])
    version = Manifest.read(folder).ezkl
    with TemporaryDirectory(prefix="checkproof-audit-") as scratch:
        for line in sys.stdin:
            holds = _holds(folder, version, Path(scratch) / "proof.json", json.loads(line))
            print(json.dumps({"holds": holds}), file=answers, flush=True)
    return 0


def _holds(folder: Path, version: str, file: Path, asked: dict[str, Any]) -> bool:
    proof = bytes.fromhex(asked["proof"])
    instances = [_element(number) for number in (*asked["inputs"], *asked["outputs"])]
    content = {
        "protocol": None,
        "instances": [instances],
        "proof": list(proof),
        "hex_proof": "0x" + proof.hex(),
        "split": None,
        "pretty_public_inputs": None,
        "timestamp": None,
        "version": version,
    }
    file.write_text(json.dumps(content))
    try:
        answer = call_ezkl(
            *("check a proof", "verify", file, folder / "settings.json", folder / "vk"),
            srs_path(folder),
        )
    except EzklFailed:
        return False
    return answer is True


def _element(number: int) -> str:
    """A number as ezkl writes field elements: little-endian, hexadecimal."""
    return to_field(number).to_bytes(32, "little").hex()


def _private_output() -> TextIO:
    """Standard output for the answers alone; what anyone else prints goes to standard error."""
    private = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return private


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
