"""The moves of ONNX bots, chosen from the circuit's own witness by children that run ezkl.

A choice takes some hundredths of a second once its child runs, and half a second to start one.  All
are asked by one thread, one after another; whoever waits for a choice waits in the event loop.
"""

import asyncio
import os
import signal
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

from engine.encoding import Position
from proofs.errors import EzklFailed, ProverDied
from proofs.ezkl_prover import EzklProver

CHILDREN: Final = 4
"""So many bots have a child of their own; each takes about 70 MB."""


class Choosers:
    """Children by the folders of their bots; those asked least lately make room."""

    def __init__(self, limit: int = CHILDREN) -> None:
        self._limit = limit
        self._thread = ThreadPoolExecutor(1, "ezkl choices")  # a child ends with its thread
        self._lock = threading.Lock()
        self._children: OrderedDict[Path, EzklProver] = OrderedDict()
        self._is_closing = False

    async def choose(self, folder: Path, position: Position, mask: int) -> int:
        """What the bot of a folder plays.

        Raises ProverDied, EzklFailed, OSError if its child fails twice; NoLegalMove.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._choose, folder, position, mask)

    def pids(self) -> list[int]:
        """The children's process ids."""
        with self._lock:
            return [child.pid for child in self._children.values()]

    def close(self) -> None:
        """End all children.  May wait for one that is just being started."""
        self._is_closing = True
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)  # so that nothing is waited for
        self._thread.shutdown(wait=True, cancel_futures=True)
        for folder in list(self._children):
            self._drop(folder)

    def _choose(self, folder: Path, position: Position, mask: int) -> int:
        try:
            return self._child(folder).choose(position.board, position.context, mask)
        except (ProverDied, EzklFailed):
            self._drop(folder)
            if self._is_closing:
                raise
        try:
            return self._child(folder).choose(position.board, position.context, mask)
        except (ProverDied, EzklFailed):
            self._drop(folder)
            raise

    def _child(self, folder: Path) -> EzklProver:
        child = self._children.get(folder)
        if child is None:
            while len(self._children) >= self._limit:
                self._drop(next(iter(self._children)))
            child = EzklProver(folder)
            with self._lock:
                self._children[folder] = child
        with self._lock:
            self._children.move_to_end(folder)
        return child

    def _drop(self, folder: Path) -> None:
        with self._lock:
            child = self._children.pop(folder, None)
        if child is not None:
            child.close()
