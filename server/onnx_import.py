"""The import of an ONNX net in a process that ends with this one, and with the task that waits."""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from proofs import errors
from proofs.errors import EzklFailed, ProofError, ProverDied


async def import_apart(net: Path, store: Path, tell: Callable[[str], None] | None = None) -> Path:
    """The folder of a net's files below `store`, made now if need be.

    `tell` hears a line at the start of each step.
    Raises what proofs.ezkl_prover.import_net does, but for a file that cannot be read: EzklFailed.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "proofs.ezkl_process", "build", str(net), str(store)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # ezkl's own, of which there is much
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        async for line in process.stdout:
            answer: dict[str, Any] = json.loads(line)
            if "error" in answer:
                raise _raised(answer)
            if "folder" in answer:
                return Path(answer["folder"])
            if tell is not None:
                tell(str(answer.get("progress", "")))
        raise ProverDied(f"ezkl's process ended with status {await process.wait()}")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _raised(answer: dict[str, Any]) -> ProofError:
    kind: type[ProofError] = getattr(errors, str(answer["error"]), EzklFailed)
    return kind(*answer["arguments"])
