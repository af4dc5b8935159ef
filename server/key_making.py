"""The making of a key in a process that ends with this one, and with the task that waits."""

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from server.errors import KeyNotMade

IN_THE_BACKGROUND: Final = 10
"""How nice a process is that nobody waits for."""


@dataclass(frozen=True)
class Circuit:
    """A circuit's constraints, and the bytes of its file."""

    constraints: int
    circuit_bytes: int


@dataclass(frozen=True)
class MadeKey:
    key_hash: str
    circuit: Circuit


async def make_key(
    store: Path,
    name: str,
    *,
    niceness: int = 0,
    check: Callable[[Circuit], None] = lambda _: None,
) -> MadeKey:
    """The key of a house net, made now if need be.

    `check` sees the circuit first; what it raises ends the making.  Raises KeyNotMade.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "server.make_key", str(store), name, str(niceness)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C reaches the server first, which ends it below
    )
    try:
        assert process.stdout is not None
        circuit: Circuit | None = None
        async for line in process.stdout:
            said: dict[str, Any] = json.loads(line)
            if "constraints" in said:
                circuit = Circuit(int(said["constraints"]), int(said["circuitBytes"]))
                check(circuit)
            elif circuit is not None:
                return MadeKey(str(said["keyHash"]), circuit)
        raise KeyNotMade(name, await process.wait())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
