"""The processes that hold the proving keys, as the pool of provers starts and asks them.

    pool ── first foreman ── heir ── heir ..      each was forked from the one before it
                                      └─ workers  are forked from the last

A foreman is asked for a worker, or for an heir: a fork of itself that loads one further key while
the foreman goes on.  Once it has it, the heir takes the foreman's place.  So each key is loaded
once, in nobody's way, and all keys are shared by all workers that are forked later.  The first
foreman's end is the end of all (proofs/prover_process.py).
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

WORKER: Final = b"w"
HEIR: Final = b"h"
LOADED: Final = "loaded"
_ANSWER_BYTES: Final = 4096


@dataclass(frozen=True)
class HouseNetKey:
    """A house net by its name and one of its keys by its hash."""

    net: str
    key_hash: str

    def __str__(self) -> str:
        return f"{self.net}:{self.key_hash}"

    @classmethod
    def of(cls, text: str) -> HouseNetKey:
        net, _, key_hash = text.partition(":")
        return cls(net, key_hash)


@dataclass(eq=False)
class Heir:
    """A foreman to be; `deadline` is when it counts as stuck."""

    control: socket.socket
    key: HouseNetKey
    deadline: float


class Foremen:
    """The foremen of one pool; `first` are the keys that the first loads, None all of the store.

    Everything is called on the pool's thread: the processes end with it.
    """

    def __init__(self, store: Path, first: Sequence[HouseNetKey] | None) -> None:
        self.first = first
        self.heir: Heir | None = None
        self._store = store
        self._process: subprocess.Popen[bytes] | None = None
        self._controls: list[socket.socket] = []

    @property
    def is_running(self) -> bool:
        return self._process is not None

    @property
    def controls(self) -> list[socket.socket]:
        """The sockets of all foremen: whichever ends, they all have to."""
        return list(self._controls)

    def start(self) -> None:
        """Raises OSError: no memory, no more files."""
        ours, theirs = socket.socketpair()
        with theirs:
            fd = theirs.fileno()
            keys = ["all"] if self.first is None else list(map(str, self.first))
            command = [sys.executable, "-m", "proofs.prover_process"]
            self._process = subprocess.Popen(
                [*command, str(fd), str(self._store), str(os.getpid()), *keys],
                pass_fds=[fd],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
            )
        self._controls = [ours]

    def fork_worker(self) -> Connection:
        """A worker's socket; it is heard on it when the worker is ready.  Raises OSError."""
        ours, theirs = socket.socketpair()
        with theirs, suppress(OSError):  # a dead foreman is noticed when it is listened to
            socket.send_fds(self._controls[-1], [WORKER], [theirs.fileno()])
        return Connection(ours.detach())

    def raise_heir(self, key: HouseNetKey, seconds: float) -> None:
        """Have one further key loaded, in so many seconds.  Raises OSError."""
        ours, theirs = socket.socketpair()
        with theirs, suppress(OSError):
            socket.send_fds(self._controls[-1], [HEIR], [theirs.fileno()])
            ours.sendall(f"{key}\n".encode())
        self.heir = Heir(ours, key, time.monotonic() + seconds)

    def hear_heir(self) -> str | None:
        """What the heir says now: None that it took its place, else why it never will."""
        heir, self.heir = self.heir, None
        assert heir is not None
        said = ""
        with suppress(OSError):
            said = heir.control.recv(_ANSWER_BYTES).decode(errors="replace")
        if said == LOADED:
            self._controls.append(heir.control)
            return None
        heir.control.close()
        return said or "the process that loaded it was killed or crashed"

    def give_up_heir(self) -> None:
        """It takes too long: it ends when it next listens, or with all others."""
        if self.heir is not None:
            self.heir.control.close()
            self.heir = None

    def stop(self) -> None:
        """End all of them, and with them the workers."""
        self.give_up_heir()
        for control in self._controls:
            control.close()
        self._controls = []
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
