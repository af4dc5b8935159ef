"""The process that ezkl runs in: it holds the interpreter's lock, may panic, and reads ONNX files.

    python -m proofs.ezkl_process build NET.onnx ROOT [SRS]     one answer
    python -m proofs.ezkl_process prove FOLDER                  one answer for each line in

It ends with the process that started it.

Answers are JSON lines on what was standard output when the process started; whatever ezkl prints
goes to standard error.

    in     {"inputs": [69 numbers], "prove": bool}
    out    {"ready": true}
           {"progress": line}, any number of times while building
           {"folder": path}
           {"outputs": [n numbers], "proof": hex, "wall_s": .., "cpu_s": .., "rss_mb": ..}
           {"error": class name, "arguments": [..]}

Memory and CPU time are bounded by the operating system, whatever a file makes ezkl do.
"""

import asyncio
import inspect
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TextIO

from proofs.errors import EzklFailed, EzklMissing, OnnxRefused, ProofError, ProofInvalid, SrsRefused
from proofs.ezkl_build import Manifest, build, call_ezkl, srs_path
from proofs.ezkl_shape import from_field
from proofs.lifeline import die_with
from proofs.memory import peak_rss_mb
from proofs.onnx_contract import MAX_BYTES

NICENESS: Final = 5
MEMORY_BYTES: Final = 12 * 1024**3
BUILD_CPU_SECONDS: Final = 1800

_TELLABLE: Final = (OnnxRefused, EzklFailed, EzklMissing, ProofInvalid, SrsRefused)


def main(arguments: list[str]) -> int:
    """Run one of the commands above."""
    die_with(os.getppid())
    answers = _private_output()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    os.nice(NICENESS)
    if arguments[0] == "build":
        resource.setrlimit(resource.RLIMIT_CPU, (BUILD_CPU_SECONDS, BUILD_CPU_SECONDS))
        _tell(answers, _told(lambda: _build(answers, *map(Path, arguments[1:]))))
        return 0
    folder = Path(arguments[1])
    with TemporaryDirectory(prefix="checkproof-ezkl-") as scratch:
        prover = _Prover(folder, Path(scratch))
        _tell(answers, {"ready": True})
        for line in sys.stdin:
            job = json.loads(line)
            _tell(answers, _told(lambda job=job: prover.answer(job["inputs"], job["prove"])))  # type: ignore[misc]
    return 0


def _build(answers: TextIO, net: Path, root: Path, srs: Path | None = None) -> dict[str, Any]:
    def tell(line: str) -> None:
        _tell(answers, {"progress": line})

    return {"folder": str(build(_bytes_of(net), root, srs=srs, tell=tell))}


def _bytes_of(net: Path) -> bytes:
    """A file's bytes, or as many as show that they are too many."""
    with net.open("rb") as file:
        return file.read(MAX_BYTES + 1)


class _Prover:
    """Makes witnesses and proofs from one bot's folder."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        self._manifest = Manifest.read(folder)
        self._folder = folder
        self._srs = srs_path(folder)
        self._witness = scratch / "witness.json"
        self._input = scratch / "input.json"
        self._proof = scratch / "proof.json"

    def answer(self, inputs: list[int], prove: bool) -> dict[str, Any]:
        """The net's quantised outputs as the circuit has them, and a checked proof if wanted."""
        wall, cpu = time.perf_counter(), time.process_time()
        outputs = self._outputs(inputs)
        proof = self._prove([*inputs, *outputs]) if prove else ""
        return {
            "outputs": outputs,
            "proof": proof,
            "wall_s": time.perf_counter() - wall,
            "cpu_s": time.process_time() - cpu,
            "rss_mb": peak_rss_mb(),
        }

    def _outputs(self, inputs: list[int]) -> list[int]:
        self._input.write_text(json.dumps({"input_data": [[float(x) for x in inputs]]}))
        circuit = self._folder / "circuit.ezkl"

        async def witness() -> Any:
            made = call_ezkl("make a witness", "gen_witness", self._input, circuit, self._witness)
            return await made if inspect.isawaitable(made) else made

        return _numbers(asyncio.run(witness())["outputs"][0])

    def _prove(self, expected: list[int]) -> str:
        folder, name = self._folder, self._manifest.key_hash
        call_ezkl(
            *("make a proof", "prove", self._witness, folder / "circuit.ezkl", folder / "pk"),
            *(self._proof, self._srs),
        )
        # ezkl's prove does not look at what it made.
        accepted = call_ezkl(
            *("check a proof", "verify", self._proof, folder / "settings.json", folder / "vk"),
            *(self._srs,),
        )
        made = json.loads(self._proof.read_text())
        proof = str(made["hex_proof"]).removeprefix("0x")
        right = _numbers(made["instances"][0]) == expected
        if not (accepted and right) or len(proof) != 2 * self._manifest.proof_bytes:
            raise ProofInvalid(name)
        return proof


def _numbers(elements: list[str]) -> list[int]:
    """Whole numbers of ezkl's field elements: little-endian, hexadecimal."""
    return [from_field(int.from_bytes(bytes.fromhex(e), "little")) for e in elements]


def _told(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What the work answers, or its error in a form that can be raised again elsewhere."""
    try:
        return work()
    except _TELLABLE as error:
        return {"error": type(error).__name__, "arguments": list(vars(error).values())}
    except (ProofError, OSError, ValueError, KeyError, MemoryError) as error:
        return {"error": "EzklFailed", "arguments": ["do its work", str(error)]}


def _tell(answers: TextIO, answer: dict[str, Any]) -> None:
    print(json.dumps(answer), file=answers, flush=True)


def _private_output() -> TextIO:
    """Standard output for the answers alone; what anyone else prints goes to standard error."""
    private = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return private


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
