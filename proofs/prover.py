"""A pool of provers: proofs made in processes of their own, answered by futures.

`submit` returns at once and nothing here runs on the caller's thread but a few dictionary
operations; one thread of the pool talks to the processes (proofs/prover_process.py).
Callbacks run on that thread, so they must not block.

A job is done by whoever can: when its worker dies, or takes so much longer than others that it
must be stuck, the job goes to the next worker, before all others.  Only a job that was given out
TRIES times in vain fails.
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
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Final

from proofs.errors import NotTheNetsMove, ProofInvalid, ProverDied, ProverFailed, ProversBusy
from proofs.fair_queue import FairQueue
from proofs.pace import Pace, Patience, finishes
from proofs.prove import ProofJob, ProofResult

__all__ = ["Place", "PoolState", "ProofJob", "ProofResult", "ProverPool"]

TRIES: Final = 5
"""To so many workers is a job given: one that ends them all must not do so for ever."""
QUEUE_LIMIT: Final = 1000
"""Jobs that may wait for a worker; more are refused."""
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 60.0
"""Pauses between processes that end before they are ready."""

_log = logging.getLogger(__name__)
Callback = Callable[[], None]


@dataclass(frozen=True)
class Place:
    """Where a job stands: 0 is being worked on, 1 is next.

    `wait_seconds` is how long it will probably take from now until it is done; None while no
    worker is ready, and before anything is known of such jobs.
    """

    position: int
    wait_seconds: float | None


@dataclass(frozen=True)
class PoolState:
    """How the pool is; `restarts` counts the workers that ended by themselves or were stuck."""

    ready: bool
    workers: int
    busy: int
    queued: int
    restarts: int
    median_seconds: float | None
    fault: str | None
    """Why there are no workers, if they do not start."""


@dataclass(eq=False)
class _Task:
    job: ProofJob
    group: Hashable
    future: Future[ProofResult]
    on_start: Callback | None
    on_again: Callback | None
    tries: int = 0
    times_stuck: int = 0


@dataclass(eq=False)
class _Worker:
    """One worker's socket; `pid` is None until it said that it is ready.

    `since` is when it got its task, `deadline` until when it has to say something.
    """

    jobs: Connection
    deadline: float
    pid: int | None = None
    task: _Task | None = None
    since: float = 0.0


class ProverPool:
    """`workers` processes that prove moves under the keys of one store."""

    def __init__(
        self,
        key_store_dir: Path | str,
        workers: int = 1,
        *,
        patience: Patience | None = None,
        queue_limit: int = QUEUE_LIMIT,
    ) -> None:
        self.ready: Future[None] = Future()
        """Done when the first worker is ready: until then the provers are warming up."""
        self._store = Path(key_store_dir)
        self._count = workers
        self._patience = patience or Patience()
        self._queue_limit = queue_limit
        self._lock = threading.Lock()
        self._queue: FairQueue[_Task] = FairQueue()
        self._workers: list[_Worker] = []
        self._pace = Pace()
        self._restarts = 0
        self._foreman: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._has_keys = False
        self._setbacks = 0
        self._rest_until = 0.0
        self._fault: str | None = None
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
        self,
        job: ProofJob,
        on_start: Callback | None = None,
        *,
        group: Hashable = None,
        on_again: Callback | None = None,
    ) -> Future[ProofResult]:
        """A future of the job's proof; groups take turns, such as games do.

        `on_start` is called when a worker begins it, `on_again` when that worker was lost and the
        job waits for another one.  The future's errors: ProversBusy, ProverDied, ProverFailed,
        ProofInvalid, NotTheNetsMove.  It can be cancelled until a worker has begun.
        """
        task = _Task(job, group, Future(), on_start, on_again)
        refusal = self._take(task)
        if refusal is not None:
            task.future.set_exception(refusal)
        else:
            task.future.add_done_callback(lambda future: self._withdraw(task, future))
        self._wake()
        return task.future

    def _take(self, task: _Task) -> ProversBusy | ProverDied | None:
        with self._lock:
            if self._closing:
                return ProverDied("the pool is closed")
            if len(self._queue) >= self._queue_limit:
                return ProversBusy(len(self._queue))
            self._queue.add(task.group, task)
        return None

    def _withdraw(self, task: _Task, future: Future[ProofResult]) -> None:
        if future.cancelled():
            with self._lock:
                self._queue.remove(task.group, task)

    def places(self) -> dict[Future[ProofResult], Place]:
        """Where every job stands that is being worked on or waits."""
        with self._lock:
            now = time.monotonic()
            ready = [worker for worker in self._workers if worker.pid is not None]
            left = [self._left(worker, now) for worker in ready]
            queued = list(self._queue)
            takes = [self._pace.expected(task.job.key_hash) for task in queued]
            begun = {
                worker.task.future: Place(0, seconds)
                for worker, seconds in zip(ready, left, strict=True)
                if worker.task is not None
            }
        free_in = [seconds for seconds in left if seconds is not None]
        ends = enumerate(finishes(free_in, takes), start=1)
        places = (Place(position, seconds) for position, seconds in ends)
        waiting = {task.future: place for task, place in zip(queued, places, strict=True)}
        return begun | waiting

    def _left(self, worker: _Worker, now: float) -> float | None:
        """The seconds until a worker is probably free; None if nothing is known of its job."""
        if worker.task is None:
            return 0.0
        takes = self._pace.expected(worker.task.job.key_hash)
        return None if takes is None else max(0.0, worker.since + takes - now)

    def state(self) -> PoolState:
        """How the pool is, for those who watch over it."""
        with self._lock:
            ready = [worker for worker in self._workers if worker.pid is not None]
            return PoolState(
                ready=bool(ready),
                workers=len(ready),
                busy=sum(worker.task is not None for worker in ready),
                queued=len(self._queue),
                restarts=self._restarts,
                median_seconds=self._pace.median(),
                fault=self._fault,
            )

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

    def _run(self) -> None:
        try:
            while not self._closing:
                self._hire()
                self._hand_out()
                self._listen()
        finally:
            self._stop_processes()
            with self._lock:
                self._closing = True
            for worker in self._dismissed():
                if worker.task is not None:
                    worker.task.future.set_exception(ProverDied("the pool was closed"))
            self._fail_all("the pool was closed")

    def _hire(self) -> None:
        """Start what is missing of the foreman and the workers."""
        if time.monotonic() < self._rest_until:
            return
        try:
            if self._foreman is None:
                self._hire_foreman()
            self._hire_workers()
        except OSError as error:  # no memory, no more files
            self._set_back(str(error))

    def _hire_workers(self) -> None:
        while self._control is not None and len(self._workers) < self._count:
            ours, theirs = socket.socketpair()
            with theirs, suppress(OSError):  # a dead foreman is noticed when it is listened to
                socket.send_fds(self._control, [b"w"], [theirs.fileno()])
            deadline = time.monotonic() + self._patience.for_start(self._has_keys)
            with self._lock:
                self._workers.append(_Worker(Connection(ours.detach()), deadline))

    def _hire_foreman(self) -> None:
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

    def _hand_out(self) -> None:
        for worker in self._workers:
            if worker.pid is not None and worker.task is None:
                task = self._assign(worker)
                if task is None:
                    return
                with suppress(OSError):  # a dead worker is noticed when it is listened to
                    worker.jobs.send(task.job)

    def _assign(self, worker: _Worker) -> _Task | None:
        """Give a worker the next job that nobody has cancelled."""
        with self._lock:
            while (task := self._queue.pop()) is not None:
                if task.future.running() or task.future.set_running_or_notify_cancel():
                    break
            else:
                return None
            median = self._pace.median(task.job.key_hash)
            worker.task, worker.since = task, time.monotonic()
            worker.deadline = worker.since + self._patience.for_job(median, task.times_stuck)
            task.tries += 1
        return task

    def _listen(self) -> None:
        """Wait for a message, a death, a new job or a deadline, and handle what came."""
        sockets = {worker.jobs: worker for worker in self._workers}
        control = [self._control] if self._control is not None else []
        found = wait([self._wake_in, *control, *sockets], self._time_to_wait())
        if self._wake_in in found:
            self._wake_in.recv(4096)
        if self._control in found:  # first: workers end with it, and no job is to blame
            self._foreman_ended("it was killed or crashed")
            return
        for one in found:
            if isinstance(one, Connection):
                self._hear(sockets[one])
        for worker in [w for w in self._workers if w.deadline < time.monotonic()]:
            self._end_stuck(worker)

    def _time_to_wait(self) -> float | None:
        times = [worker.deadline for worker in self._workers]
        if len(self._workers) < self._count:
            times.append(self._rest_until)
        nearest = min(times, default=float("inf"))
        return None if nearest == float("inf") else max(0.0, nearest - time.monotonic())

    def _hear(self, worker: _Worker) -> None:
        try:
            kind, *rest = worker.jobs.recv()
        except (EOFError, OSError):
            self._worker_ended(worker, "it was killed or crashed")
            return
        task = worker.task
        if kind == "ready":
            self._worker_ready(worker, rest[0])
        elif kind == "started":
            if task is not None:
                _tell(task.on_start)
        elif task is not None:
            with self._lock:
                worker.task, worker.deadline = None, float("inf")
                if kind == "done":
                    self._pace.note(task.job.key_hash, time.monotonic() - worker.since)
            _settle(task.future, kind, *rest)

    def _worker_ready(self, worker: _Worker, pid: int) -> None:
        with self._lock:
            worker.pid, worker.deadline = pid, float("inf")
            self._fault = None
        self._has_keys, self._setbacks = True, 0
        if not self.ready.done():
            self.ready.set_result(None)

    # --- losses ---------------------------------------------------------------------------------

    def _end_stuck(self, worker: _Worker) -> None:
        if worker.pid is None:  # nobody but the foreman knows it, and who makes none is stuck too
            self._foreman_ended("no worker was ready in time")
            return
        with suppress(ProcessLookupError):
            os.kill(worker.pid, signal.SIGKILL)
        seconds = worker.deadline - worker.since
        if worker.task is not None:
            worker.task.times_stuck += 1
        self._worker_ended(worker, f"it worked for more than {seconds:g} s")

    def _worker_ended(self, worker: _Worker, why: str) -> None:
        with self._lock:
            if worker not in self._workers:
                return
            self._workers.remove(worker)
            self._restarts += 1
        worker.jobs.close()
        if worker.pid is None:
            self._set_back(why)
        if worker.task is not None:
            _log.warning("prover %s: %s; its job is given to another", worker.pid, why)
            self._give_again(worker.task, why)

    def _foreman_ended(self, why: str) -> None:
        """The workers end with their foreman; all are started anew, and no job is to blame."""
        _log.warning("the provers' foreman: %s; all provers are started anew", why)
        self._stop_processes()
        dismissed = self._dismissed()
        if all(worker.pid is None for worker in dismissed):
            self._set_back(why)
        for worker in dismissed:
            if worker.task is not None:
                worker.task.tries -= 1
                self._give_again(worker.task, why)

    def _give_again(self, task: _Task, why: str) -> None:
        if task.tries >= TRIES:
            task.future.set_exception(ProverDied(f"{why}, and so did {TRIES - 1} before it"))
            return
        with self._lock:
            self._queue.put_back(task)
        _tell(task.on_again)

    def _set_back(self, why: str) -> None:
        """Processes end before they are ready: start the next only after a pause."""
        self._setbacks += 1
        pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(self._setbacks - 1, 20))
        self._rest_until = time.monotonic() + pause
        fault = f"provers end before they are ready: {why}"
        with self._lock:
            self._fault = fault
        _log.warning("%s; the next start in %g s", fault, pause)

    def _stop_processes(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._foreman is not None:
            self._foreman.kill()  # its workers are killed with it
            self._foreman.wait()
            self._foreman = None
        self._has_keys = False

    def _dismissed(self) -> list[_Worker]:
        """All workers, who are none any more."""
        with self._lock:
            workers, self._workers = self._workers, []
            self._restarts += 0 if self._closing else len(workers)
        for worker in workers:
            worker.jobs.close()
        return workers

    def _fail_all(self, why: str) -> None:
        with self._lock:
            tasks, self._queue = list(self._queue), FairQueue()
        for task in tasks:
            if not task.future.cancel():
                task.future.set_exception(ProverDied(why))
        if not self.ready.done():
            self.ready.set_exception(ProverDied(why))

    def _wake(self) -> None:
        with suppress(BlockingIOError, OSError):
            self._wake_out.send(b"!")


def _tell(callback: Callback | None) -> None:
    if callback is not None:
        try:
            callback()
        except Exception:
            _log.exception("a prover's callback failed")


def _settle(future: Future[ProofResult], kind: str, *values: Any) -> None:
    match kind, values:
        case "done", [result]:
            future.set_result(result)
        case "invalid", [key_hash]:
            future.set_exception(ProofInvalid(key_hash))
        case "wrong", [index, best]:
            future.set_exception(NotTheNetsMove(index, best))
        case _:
            future.set_exception(ProverFailed(" ".join(map(str, values))))
