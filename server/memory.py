"""Whether a bot's prover fits into this machine's memory.

Measured with groth16py 0.2 on nets of 50,103 and 128,437 constraints, whose proving keys are files
of 50 and 204 MB: circuit and key take 173 and 538 MB, loaded once for all workers; a proof took 163
and 770 MB more while it was made.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from server.errors import NotEnoughMemory

MB: Final = 1_000_000
_SHARED: Final = 2.4  # bytes for each of the key's file
_PROOF: Final = 3.8
_KEY_PER_CONSTRAINT: Final = 400.0
_KEY_PER_CIRCUIT_BYTE: Final = 1.2


def key_bytes(constraints: int, circuit_bytes: int) -> int:
    """About how large a circuit's proving key will be."""
    return int(_KEY_PER_CONSTRAINT * constraints + _KEY_PER_CIRCUIT_BYTE * circuit_bytes)


def free_bytes(meminfo: Path = Path("/proc/meminfo")) -> int | None:
    """What can be used without swapping; None where the system does not say."""
    try:
        lines = meminfo.read_text().splitlines()
        words = next(line.split() for line in lines if line.startswith("MemAvailable:"))
        return int(words[1]) * 1024
    except (OSError, StopIteration, ValueError, IndexError):
        return None


class Memory:
    """What provers may take, and how much of it is spoken for; `limit` None is what is free."""

    def __init__(
        self, limit: int | None = None, *, free: Callable[[], int | None] = free_bytes
    ) -> None:
        self._left = free() if limit is None else limit
        self._claims: dict[str, int] = {}

    def claim(self, name: str, key_size: int, workers: int, *, must: bool = False) -> int:
        """How many proofs of a bot may be made at once, up to `workers`; kept for it by its name.

        Raises NotEnoughMemory where there is no room for one, unless it `must` play.
        """
        if name in self._claims:
            return self._claims[name]
        shared, proof = int(_SHARED * key_size), int(_PROOF * key_size)
        at_once = workers
        if self._left is not None:
            at_once = min(workers, max(0, self._left - shared) // max(1, proof))
            if at_once == 0 and not must:
                raise NotEnoughMemory(name, shared + proof, self._left)
            at_once = max(1, at_once)
            self._left = max(0, self._left - shared - at_once * proof)
        self._claims[name] = at_once
        return at_once
