"""An ezkl bot from the outside: import a net, let it choose, prove its moves.

Everything of ezkl happens in a process of its own (`proofs.ezkl_process`); one that dies takes
nothing with it.
"""

import json
import select
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np

from engine.export import Heads
from engine.net_file import IntArray
from proofs import errors
from proofs.errors import EzklFailed, NotTheNetsMove, ProofError, ProverDied
from proofs.ezkl_build import Manifest
from proofs.ezkl_shape import inputs, pack_outputs
from proofs.prove import ProofResult
from proofs.statement import Statement

START_SECONDS: Final = 180.0
PROOF_SECONDS: Final = 300.0
BUILD_SECONDS: Final = 3600.0


def import_net(
    net: Path,
    root: Path,
    *,
    srs: Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> Path:
    """Make everything that a bot needs of an ONNX file; the folder below `root` that holds it.

    Takes minutes the first time, no work the second.  `srs` is a file to be used instead of the
    store's own; `progress` hears a line at the start of each step.
    Raises OnnxRefused, SrsRefused, EzklFailed, EzklMissing, ProverDied, OSError if the file cannot
    be read.
    """
    with net.open("rb"):
        pass  # says at once, and in this process, what keeps it from being read
    given = [] if srs is None else [str(srs)]
    with _Process(["build", str(net), str(root), *given]) as process:
        answer = process.answer(BUILD_SECONDS)
        while "folder" not in answer:
            if progress is not None:
                progress(str(answer["progress"]))
            answer = process.answer(BUILD_SECONDS)
        return Path(answer["folder"])


@dataclass(frozen=True)
class EzklProof(ProofResult):
    """A checked proof, and the memory that its process has taken at most, in MB."""

    rss_mb: int


class EzklProver:
    """Chooses and proves one bot's moves; not for several threads at once."""

    def __init__(self, folder: Path) -> None:
        self.manifest = Manifest.read(folder)
        self.heads = Heads.of(self.manifest.outputs)
        self._process = _Process(["prove", str(folder)])
        self._process.answer(START_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._process.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def outputs(self, statement: Statement) -> IntArray:
        """The net's outputs as the circuit computes them, (n,)."""
        answer = self._process.ask({"inputs": inputs(statement), "prove": False}, PROOF_SECONDS)
        return np.array(answer["outputs"], dtype=np.int64)

    def choose(self, board: int, context: int, mask: int) -> int:
        """The index that the net plays: the contract's own rule, on the circuit's own numbers."""
        asked = Statement(board, context, payee=0, dice=0, index=0, mask=mask)
        return self.heads.choose(self.outputs(asked), board, mask)

    def prove(self, statement: Statement) -> EzklProof:
        """A checked proof of a true statement, in the form that EzklMoveVerifier takes.

        Raises NotTheNetsMove for a false one, ProverDied, EzklFailed, ProofInvalid.
        """
        best = self.choose(statement.board, statement.context, statement.mask)
        if best != statement.index:
            raise NotTheNetsMove(statement.index, best)
        answer = self._process.ask({"inputs": inputs(statement), "prove": True}, PROOF_SECONDS)
        outputs = np.array(answer["outputs"], dtype=np.int64)
        return EzklProof(
            proof=pack_outputs(outputs) + bytes.fromhex(answer["proof"]),
            wall_s=answer["wall_s"],
            cpu_s=answer["cpu_s"],
            key_hash=self.manifest.key_hash,
            rss_mb=answer["rss_mb"],
        )


class _Process:
    """A child that answers JSON lines, ended with this object."""

    def __init__(self, arguments: Sequence[str]) -> None:
        command = [sys.executable, "-m", "proofs.ezkl_process", *arguments]
        self._child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )
        self._said: list[str] = []
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def __enter__(self) -> "_Process":
        return self

    def __exit__(self, *ignored: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        return self._child.pid

    def ask(self, question: dict[str, Any], seconds: float) -> dict[str, Any]:
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(json.dumps(question) + "\n")
            self._child.stdin.flush()
        except OSError as error:
            raise self._death() from error
        return self.answer(seconds)

    def answer(self, seconds: float) -> dict[str, Any]:
        """The next answer.  Raises what the child tells of, or ProverDied."""
        assert self._child.stdout is not None
        if not select.select([self._child.stdout], [], [], seconds)[0]:
            self.close()
            raise ProverDied(f"ezkl gave no answer in {seconds:.0f} s")
        line = self._child.stdout.readline()
        if not line:
            raise self._death()
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise _raised(answer)
        return answer

    def close(self) -> None:
        self._child.kill()
        self._child.wait()
        self._listener.join()
        for pipe in (self._child.stdin, self._child.stdout, self._child.stderr):
            with suppress(OSError):  # what was still to be written has no reader any more
                if pipe is not None:
                    pipe.close()

    def _listen(self) -> None:
        """Keep the last lines of standard error, for the reason of a death."""
        assert self._child.stderr is not None
        for line in self._child.stderr:
            self._said = [*self._said[-19:], line.strip()]

    def _death(self) -> ProverDied:
        status = self._child.wait()
        self._listener.join()
        last = next((line for line in reversed(self._said) if line), "")
        return ProverDied(f"ezkl's process ended with status {status} {last[:160]}".rstrip())


def _raised(answer: dict[str, Any]) -> ProofError:
    kind: type[ProofError] = getattr(errors, answer["error"], EzklFailed)
    return kind(*answer["arguments"])
