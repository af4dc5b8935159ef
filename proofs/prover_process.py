"""The processes that prove: foremen, which load the keys, and the workers that they fork.

Reading a proving key takes seconds to a minute, because every point is checked, so it happens
once: a worker forked from the foreman shares the key's memory and starts at once, a replacement
too.  A further key is loaded by an heir that is forked from the foreman, and takes its place.

    pool ──control socket──▶ foreman     one byte with one socket:
                                         "w" fork a worker on that socket
                                         "h" fork an heir on that socket, which is then told
                                         "NET:KEY HASH" and a line's end
    pool ◀──its control────  heir        "loaded", or why not
    pool ◀──worker's socket──▶ worker    ("ready", pid) then per job: a ProofJob in,
                                         ("started",) and ("done", ProofResult)
                                         or ("invalid", key hash) or ("wrong", index, best)
                                         or ("failed", line) out

A proof of a large net takes some hundred megabytes; the worker gives them back after it.

An ONNX bot's move is proven in a child of the worker's (`proofs.ezkl_process`), of which a worker
has one at most: the next bot's takes its place.

Nobody outlives the pool: the first foreman is killed with the thread that started it, heirs and
workers with the foreman that forked them, and their children with them.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import traceback
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from engine.errors import EngineError
from engine.net import house_net, house_nets
from proofs.circuit import compile_circuit
from proofs.errors import KeyNotFound, NotTheNetsMove, ProofError, ProofInvalid
from proofs.foremen import HEIR, LOADED, HouseNetKey
from proofs.keys import KeyStore
from proofs.lifeline import die_with
from proofs.prove import ProofJob, ProofResult, Prover

if TYPE_CHECKING:
    from proofs.ezkl_prover import EzklProver

NICENESS: Final = 5
"""Provers yield to the server: a proof may wait some milliseconds, a socket should not."""

_Provers = dict[tuple[str, str], Prover]


def main(control_fd: int, store_root: Path, parent: int, keys: Sequence[str]) -> None:
    """The first foreman: load these keys, or "all" of the store, then fork at each request."""
    die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the pool's to handle
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps the children
    store = KeyStore(store_root)
    provers = _all_of(store) if keys == ["all"] else _these(keys, store)
    shop = _Shop(store, provers, os.nice(0) + NICENESS)
    _lead(socket.socket(fileno=control_fd), shop)


@dataclass(frozen=True)
class _Shop:
    """What a foreman hands down to those that it forks."""

    store: KeyStore
    provers: _Provers
    niceness: int


def _lead(control: socket.socket, shop: _Shop) -> None:
    """A foreman at work, until the pool hangs up."""
    while True:
        byte, fds, _, _ = socket.recv_fds(control, 1, 1)
        if not byte:
            return
        foreman = os.getpid()
        if os.fork() == 0:
            control.close()
            _child(byte, fds[0], foreman, shop)
        os.close(fds[0])


def _child(wanted: bytes, fd: int, foreman: int, shop: _Shop) -> NoReturn:
    """A forked process must never return into its foreman's code."""
    try:
        die_with(foreman)
        os.nice(max(0, shop.niceness - os.nice(0)))
        if wanted == HEIR:
            _inherit(socket.socket(fileno=fd), shop)
        else:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # a worker waits for its own child
            _work(Connection(fd), shop.store, shop.provers)
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(0)


def _inherit(control: socket.socket, shop: _Shop) -> None:
    """Load one further key, then lead."""
    line = bytearray()
    while not line.endswith(b"\n"):
        byte = control.recv(1)
        if not byte:
            return
        line += byte
    key = HouseNetKey.of(line.decode().strip())
    try:
        shop.provers[key.net, key.key_hash] = _prover(key, shop.store)
    except (ProofError, EngineError, OSError, MemoryError) as error:
        control.sendall((str(error) or type(error).__name__).encode())
        return
    give_back_memory()
    control.sendall(LOADED.encode())
    _lead(control, shop)


def _prover(key: HouseNetKey, store: KeyStore) -> Prover:
    return Prover(house_net(key.net), store.get(key.key_hash))


def _these(keys: Iterable[str], store: KeyStore) -> _Provers:
    """Provers under these keys; one that cannot be loaded is left to fail at its job."""
    provers: _Provers = {}
    for key in map(HouseNetKey.of, keys):
        try:
            provers[key.net, key.key_hash] = _prover(key, store)
        except (ProofError, EngineError) as error:
            print(f"prover: {error}", file=sys.stderr)
    return provers


def _all_of(store: KeyStore) -> _Provers:
    """A prover for every house net's every key; a damaged one is left to fail at its job."""
    provers: _Provers = {}
    for name in house_nets():
        circuit_hash = compile_circuit(house_net(name)).hash
        try:
            for record in store.of_circuit(circuit_hash):
                provers[name, record.key_hash] = Prover(house_net(name), record)
        except ProofError as error:
            print(f"prover: {error}", file=sys.stderr)
    return provers


def _work(jobs: Connection, store: KeyStore, provers: _Provers) -> None:
    """A worker: prove job after job until the pool hangs up."""
    child = EzklChild()
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        jobs.send(("ready", os.getpid()))
        while True:
            job: ProofJob = jobs.recv()
            jobs.send(("started",))
            jobs.send(_answer(job, store, provers, child))
            give_back_memory()


def give_back_memory() -> None:
    """Return to the system what a proof took; glibc would keep most of it for the next one."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


class EzklChild:
    """The one process that proves ONNX bots' moves for a worker."""

    def __init__(self) -> None:
        self._prover: EzklProver | None = None
        self._folder: Path | None = None

    def prove(self, job: ProofJob, folder: Path) -> ProofResult:
        """Raises NotTheNetsMove, ProofInvalid, KeyNotFound, ProverDied, EzklFailed, OSError."""
        try:
            return self._of(folder, job.key_hash).prove(job.statement)
        except NotTheNetsMove:
            raise
        except (ProofError, OSError):
            self.close()  # whatever it was, the next job gets a fresh one
            raise

    def _of(self, folder: Path, key_hash: str) -> EzklProver:
        from proofs.ezkl_prover import EzklProver  # noqa: PLC0415  few workers need it

        if self._prover is None or self._folder != folder:
            self.close()
            self._prover, self._folder = EzklProver(folder), folder
        if self._prover.manifest.key_hash != key_hash:
            raise KeyNotFound(key_hash, str(folder))
        return self._prover

    def close(self) -> None:
        if self._prover is not None:
            self._prover.close()
        self._prover = self._folder = None


def _answer(
    job: ProofJob, store: KeyStore, provers: _Provers, child: EzklChild
) -> tuple[object, ...]:
    key = (job.net_name, job.key_hash)
    try:
        if job.folder is not None:
            return "done", child.prove(job, job.folder)
        if key not in provers:
            provers[key] = Prover(house_net(job.net_name), store.get(job.key_hash))
        return "done", provers[key].prove(job.statement)
    except ProofInvalid as error:
        return "invalid", error.key_hash
    except NotTheNetsMove as error:
        return "wrong", error.index, error.best
    except (ProofError, EngineError, OSError) as error:
        return "failed", str(error)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
