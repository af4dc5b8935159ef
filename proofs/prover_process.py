"""The processes that prove: one foreman, which loads the keys, and the workers that it forks.

Reading a proving key takes seconds, because every point is checked, so it happens once: a worker
forked from the foreman shares the key's memory and starts at once, a replacement too.

    pool ──control socket──▶ foreman     one byte with one socket: fork a worker on that socket
    pool ◀──worker's socket──▶ worker    ("ready", pid) then per job: a ProofJob in,
                                         ("started",) and ("done", ProofResult)
                                         or ("invalid", key hash) or ("wrong", index, best)
                                         or ("failed", line) out

An ONNX bot's move is proven in a child of the worker's (`proofs.ezkl_process`), of which a worker
has one at most: the next bot's takes its place.

Nobody outlives the pool: the foreman is killed with the thread that started it, workers with the
foreman, and their children with them.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from engine.errors import EngineError
from engine.net import house_net, house_nets
from proofs.circuit import compile_circuit
from proofs.errors import KeyNotFound, NotTheNetsMove, ProofError, ProofInvalid
from proofs.keys import KeyStore
from proofs.lifeline import die_with
from proofs.prove import ProofJob, ProofResult, Prover

if TYPE_CHECKING:
    from proofs.ezkl_prover import EzklProver

NICENESS: Final = 5
"""Provers yield to the server: a proof may wait some milliseconds, a socket should not."""

_Provers = dict[tuple[str, str], Prover]


def main(control_fd: int, store_root: Path, parent: int) -> None:
    """The foreman: load the keys of the store's house nets, then fork a worker at each request."""
    die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the pool's to handle
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps the workers
    store = KeyStore(store_root)
    provers = _load(store)
    control = socket.socket(fileno=control_fd)
    while True:
        byte, fds, _, _ = socket.recv_fds(control, 1, 1)
        if not byte:
            return
        foreman = os.getpid()
        if os.fork() == 0:
            _child(control, foreman, Connection(fds[0]), store, provers)
        os.close(fds[0])


def _child(
    control: socket.socket, foreman: int, jobs: Connection, store: KeyStore, provers: _Provers
) -> NoReturn:
    """A forked process must never return into its foreman's code."""
    try:
        die_with(foreman)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # a worker waits for its own child
        os.nice(NICENESS)
        control.close()
        _work(jobs, store, provers)
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(0)


def _load(store: KeyStore) -> _Provers:
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
    main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
