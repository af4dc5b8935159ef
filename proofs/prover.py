"""A pool of provers: proofs made in processes of their own, answered by futures.

`submit` returns at once and nothing here runs on the caller's thread but a few dictionary
operations; one thread of the pool talks to the processes (proofs/prover_process.py).
Callbacks run on that thread, so they must not block.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Final

from proofs.errors import ProofInvalid, ProverDied, ProverFailed
from proofs.prove import ProofJob, ProofResult

__all__ = ["ProofJob", "ProofResult", "ProverPool"]

MAX_FAILURES: Final = 3
"""So many times in a row may every worker end before it is ready; then the pool gives up."""

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Task:
    job: ProofJob
    future: Future[ProofResult]
    on_start: Callable[[], None] | None


@dataclass(eq=False)
class _Worker:
    """One worker's socket; `pid` is None until it said that it is ready."""

    jobs: Connection
    pid: int | None = None
    task: _Task | None = None
    deadline: float = float("inf")


class ProverPool:
    """`workers` processes that prove moves under the keys of one store.

    A worker that ends in the middle of a job fails that job with ProverDied and is replaced; so is
    one that works on a job for more than `job_limit_s` seconds.
    """

    def __init__(
        self, key_store_dir: Path | str, workers: int = 1, *, job_limit_s: float = 300.0
    ) -> None:
        self.ready: Future[None] = Future()
        """Done when the first worker is ready: until then the provers are warming up."""
        self._store = Path(key_store_dir)
        self._count = workers
        self._job_limit_s = job_limit_s
        self._lock = threading.Lock()
        self._queue: deque[_Task] = deque()
        self._workers: list[_Worker] = []
        self._foreman: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._failures = 0
        self._closing = False
        self._thread: threading.Thread | None = None
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_out.setblocking(False)

    def start(self) -> None:
        """Start the processes; returns at once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="prover pool", daemon=True)
            self._thread.start()

    def submit(
        self, job: ProofJob, on_start: Callable[[], None] | None = None
    ) -> Future[ProofResult]:
        """A future of the job's proof; `on_start` is called when a worker begins it.

        The future's errors: ProverDied, ProverFailed, ProofInvalid.  It can be cancelled until a
        worker has begun.
        """
        task = _Task(job, Future(), on_start)
        with self._lock:
            if self._closing or self._given_up:
                task.future.set_exception(ProverDied("the pool is closed"))
            else:
                self._queue.append(task)
        self._wake()
        return task.future

    def position(self, future: Future[ProofResult]) -> int:
        """How many places from being worked on: 0 is begun or done, 1 is next."""
        with self._lock:
            waiting = [t.future for t in self._queue if not t.future.cancelled()]
        return waiting.index(future) + 1 if future in waiting else 0

    def pids(self) -> list[int]:
        """The process ids of the workers that are ready."""
        with self._lock:
            return [w.pid for w in self._workers if w.pid is not None]

    def close(self) -> None:
        """End every process; unfinished futures are cancelled or fail with ProverDied."""
        with self._lock:
            self._closing = True
        self._wake()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        self._fail_all("the pool was closed")

    # Everything below runs on the pool's thread.

    @property
    def _given_up(self) -> bool:
        return self._failures >= MAX_FAILURES * self._count

    def _run(self) -> None:
        try:
            while not self._closing and not self._given_up:
                self._hire()
                self._hand_out()
                self._listen()
        finally:
            self._stop_processes()
        if not self._closing:
            self._fail_all("provers end before they are ready")

    def _hire(self) -> None:
        """Start what is missing of the foreman and the workers."""
        if self._foreman is None:
            ours, theirs = socket.socketpair()
            with theirs:
                fd = theirs.fileno()
                command = [sys.executable, "-m", "proofs.prover_process"]
                self._foreman = subprocess.Popen(
                    [*command, str(fd), str(self._store), str(os.getpid())],
                    pass_fds=[fd],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
                )
            self._control = ours
        while self._control is not None and len(self._workers) < self._count:
            ours, theirs = socket.socketpair()
            with theirs, suppress(OSError):  # a dead foreman is noticed when it is listened to
                socket.send_fds(self._control, [b"w"], [theirs.fileno()])
            with self._lock:
                self._workers.append(_Worker(Connection(ours.detach())))

    def _hand_out(self) -> None:
        for worker in self._workers:
            if worker.pid is not None and worker.task is None:
                task = self._next_task()
                if task is None:
                    return
                worker.task = task
                worker.deadline = time.monotonic() + self._job_limit_s
                with suppress(OSError):  # a dead worker is noticed when it is listened to
                    worker.jobs.send(task.job)

    def _next_task(self) -> _Task | None:
        with self._lock:
            while self._queue:
                task = self._queue.popleft()
                if task.future.set_running_or_notify_cancel():
                    return task
        return None

    def _listen(self) -> None:
        """Wait for a message, a death, a new job or a deadline, and handle what came."""
        sockets = {worker.jobs: worker for worker in self._workers}
        control = [self._control] if self._control is not None else []
        deadline = min((w.deadline for w in self._workers), default=float("inf"))
        timeout = None if deadline == float("inf") else max(0.0, deadline - time.monotonic())
        for found in wait([self._wake_in, *control, *sockets], timeout):
            if found is self._wake_in:
                self._wake_in.recv(4096)
            elif found is self._control:
                self._foreman_ended()
            elif isinstance(found, Connection):
                self._hear(sockets[found])
        for worker in list(self._workers):
            if worker.deadline < time.monotonic() and worker.pid is not None:
                os.kill(worker.pid, signal.SIGKILL)
                self._worker_ended(worker, f"it worked for more than {self._job_limit_s:g} s")

    def _hear(self, worker: _Worker) -> None:
        try:
            kind, *rest = worker.jobs.recv()
        except (EOFError, OSError):
            self._worker_ended(worker, "it was killed or crashed")
            return
        task = worker.task
        if kind == "ready":
            with self._lock:
                worker.pid = rest[0]
            self._failures = 0
            if not self.ready.done():
                self.ready.set_result(None)
        elif kind == "started":
            if task is not None:
                _tell_started(task)
        elif task is not None:
            worker.task, worker.deadline = None, float("inf")
            _settle(task.future, kind, rest[0])

    def _worker_ended(self, worker: _Worker, why: str) -> None:
        with self._lock:
            if worker not in self._workers:
                return
            self._workers.remove(worker)
        worker.jobs.close()
        self._failures += worker.pid is None
        if worker.task is not None:
            worker.task.future.set_exception(ProverDied(why))

    def _foreman_ended(self) -> None:
        """The workers end with their foreman; all are started anew."""
        for worker in list(self._workers):
            self._worker_ended(worker, "it was killed or crashed")
        self._stop_processes()

    def _stop_processes(self) -> None:
        with self._lock:
            workers, self._workers = self._workers, []
        for worker in workers:
            worker.jobs.close()
            if worker.task is not None:
                worker.task.future.set_exception(ProverDied("the pool was closed"))
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._foreman is not None:
            self._foreman.kill()  # its workers are killed with it
            self._foreman.wait()
            self._foreman = None

    def _fail_all(self, why: str) -> None:
        with self._lock:
            tasks, self._queue = list(self._queue), deque()
        for task in tasks:
            if not task.future.cancel():
                task.future.set_exception(ProverDied(why))
        if not self.ready.done():
            self.ready.set_exception(ProverDied(why))

    def _wake(self) -> None:
        with suppress(BlockingIOError, OSError):
            self._wake_out.send(b"!")


def _tell_started(task: _Task) -> None:
    if task.on_start is not None:
        try:
            task.on_start()
        except Exception:
            _log.exception("a start callback failed")


def _settle(future: Future[ProofResult], kind: str, value: object) -> None:
    if isinstance(value, ProofResult):
        future.set_result(value)
    elif kind == "invalid":
        future.set_exception(ProofInvalid(str(value)))
    else:
        future.set_exception(ProverFailed(str(value)))
