"""A pool of provers: proofs made in processes of their own, answered by futures.

`submit` returns at once and nothing here runs on the caller's thread but a few dictionary
operations; one thread of the pool talks to the processes (proofs/prover_process.py).
Callbacks run on that thread, so they must not block.

A job is done by whoever can: when its worker dies, or takes so much longer than others that it
must be stuck, the job goes to the next worker, before all others.  Only a job that was given out
TRIES times in vain fails.

Keys that `load` was asked for are loaded one after the other beside the work (proofs/foremen.py).
A job under one of them waits until it is there, and holds up no other.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Final

from proofs.errors import NotTheNetsMove, ProofInvalid, ProverDied, ProverFailed, ProversBusy
from proofs.fair_queue import FairQueue
from proofs.foremen import Foremen, HouseNetKey
from proofs.pace import Pace, Patience, finishes
from proofs.prove import ProofJob, ProofResult

__all__ = ["HouseNetKey", "Place", "PoolState", "ProofJob", "ProofResult", "ProverPool"]

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

    `since` is when it got its task, `deadline` until when it has to say something.  One that
    `is_old` was forked before the latest key was loaded: it is dismissed when others are ready.
    """

    jobs: Connection
    deadline: float
    pid: int | None = None
    task: _Task | None = None
    since: float = 0.0
    is_old: bool = False


@dataclass(eq=False)
class _Load:
    """A key to be loaded; `future` is done when workers have it."""

    key: HouseNetKey
    future: Future[None]


class ProverPool:
    """`workers` processes that prove moves under the keys of one store.

    They are ready when `keys` are loaded, by default those of all house nets in the store.
    """

    def __init__(
        self,
        key_store_dir: Path | str,
        workers: int = 1,
        *,
        keys: Sequence[HouseNetKey] | None = None,
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
        self._foremen = Foremen(self._store, keys)
        self._loads: deque[_Load] = deque()
        self._loading: _Load | None = None
        self._loaded: list[HouseNetKey] = []
        self._at_once: dict[str, int] = {}
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

    def load(self, key: HouseNetKey) -> Future[None]:
        """Have a key loaded beside the work; the future's errors: ProverFailed, ProverDied."""
        with self._lock:
            waiting = [*self._loads, *([self._loading] if self._loading is not None else [])]
            load = next((load for load in waiting if load.key == key), None)
            if load is None:
                load = _Load(key, Future())
                if self._closing:
                    load.future.set_exception(ProverDied("the pool is closed"))
                elif key in self._loaded:
                    load.future.set_result(None)
                else:
                    self._loads.append(load)
        self._wake()
        return load.future

    def know(self, key_hash: str, *, size: float, at_once: int | None = None) -> None:
        """Tell how large a key is, such as by its constraints: by that its first proof is guessed.

        `at_once` is to how many workers its jobs are given at once, lest memory run out.
        """
        with self._lock:
            self._pace.size(key_hash, size)
            if at_once is not None:
                self._at_once[key_hash] = at_once

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
        """Where every job stands that is being worked on or waits.

        Jobs whose key is being loaded come last, and nobody knows how long they wait.
        """
        with self._lock:
            now = time.monotonic()
            busy = [worker for worker in self._workers if worker.task is not None]
            idle = sum(w.task is None and w.pid is not None for w in self._workers)
            left = [self._left(worker, now) for worker in busy]
            unfit = self._unfit()
            queued = sorted(self._queue, key=lambda task: task.job.key_hash in unfit)
            takes = [
                None if task.job.key_hash in unfit else self._pace.expected(task.job.key_hash)
                for task in queued
            ]
            begun = {
                worker.task.future: Place(0, seconds)
                for worker, seconds in zip(busy, left, strict=True)
                if worker.task is not None
            }
        free_in = [seconds for seconds in left if seconds is not None]
        free_in += [0.0] * max(0, min(idle, self._count - len(busy)))
        ends = enumerate(finishes(free_in, takes), start=1)
        places = (Place(position, seconds) for position, seconds in ends)
        waiting = {task.future: place for task, place in zip(queued, places, strict=True)}
        return begun | waiting

    def _unfit(self) -> set[str]:
        """The keys that are to be loaded: no worker has them."""
        loads = [*self._loads, *([self._loading] if self._loading is not None else [])]
        return {load.key.key_hash for load in loads}

    def _crowded(self) -> set[str]:
        """The keys under which as many workers prove as may."""
        busy = [worker.task.job.key_hash for worker in self._workers if worker.task is not None]
        return {key for key, most in self._at_once.items() if busy.count(key) >= most}

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
                workers=min(len(ready), self._count),
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
                self._load_next()
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
            if not self._foremen.is_running:
                self._foremen.start()
            self._hire_workers()
        except OSError as error:  # no memory, no more files
            self._set_back(str(error))

    def _hire_workers(self) -> None:
        while sum(not worker.is_old for worker in self._workers) < self._count:
            jobs = self._foremen.fork_worker()
            deadline = time.monotonic() + self._patience.for_start(self._has_keys)
            with self._lock:
                self._workers.append(_Worker(jobs, deadline))

    def _load_next(self) -> None:
        """Begin to load the next key, once the first workers are there."""
        if not (self._has_keys and self._loads) or self._loading is not None:
            return
        with self._lock:
            self._loading = self._loads.popleft()
        try:
            self._foremen.raise_heir(self._loading.key, self._patience.load_s)
        except OSError as error:
            self._cannot_load(str(error))

    def _cannot_load(self, why: str) -> None:
        """Jobs under that key fail by themselves."""
        with self._lock:
            load, self._loading = self._loading, None
        if load is not None:
            _log.warning("the key of %s cannot be loaded: %s", load.key.net, why)
            load.future.set_exception(ProverFailed(why))

    def _hear_heir(self) -> None:
        """A key is loaded: workers that have it take over from those that have not."""
        if (why := self._foremen.hear_heir()) is not None:
            self._cannot_load(why)
            return
        with self._lock:
            load, self._loading = self._loading, None
            for worker in self._workers:
                worker.is_old = True
        if load is not None:
            self._loaded.append(load.key)
            if not load.future.done():
                load.future.set_result(None)

    def _hand_out(self) -> None:
        self._dismiss_old()
        for worker in sorted(self._workers, key=lambda worker: worker.is_old):
            if worker.pid is None or worker.task is not None:
                continue
            if sum(w.task is not None for w in self._workers) >= self._count:
                return
            task = self._assign(worker)
            if task is not None:
                with suppress(OSError):  # a dead worker is noticed when it is listened to
                    worker.jobs.send(task.job)

    def _dismiss_old(self) -> None:
        """Let those go who lack a key, when others can work in their place."""
        if not any(worker.pid is not None and not worker.is_old for worker in self._workers):
            return
        idle = [worker for worker in self._workers if worker.is_old and worker.task is None]
        with self._lock:
            self._workers = [worker for worker in self._workers if worker not in idle]
        for worker in idle:
            worker.jobs.close()

    def _assign(self, worker: _Worker) -> _Task | None:
        """Give a worker the next job that nobody has cancelled and that it has the key for."""
        with self._lock:
            unfit = self._unfit()
            if worker.is_old:
                unfit |= {key.key_hash for key in self._loaded}
            unfit |= self._crowded()
            while True:
                task = self._queue.pop(lambda task: task.job.key_hash not in unfit)
                if task is None:
                    return None
                if task.future.running() or task.future.set_running_or_notify_cancel():
                    break
            key = task.job.key_hash
            median, expected = self._pace.median(key), self._pace.expected(key)
            worker.task, worker.since = task, time.monotonic()
            worker.deadline = worker.since + self._patience.for_job(
                median, task.times_stuck, expected_s=expected
            )
            task.tries += 1
        return task

    def _listen(self) -> None:
        """Wait for a message, a death, a new job or a deadline, and handle what came."""
        sockets = {worker.jobs: worker for worker in self._workers}
        controls, heir = self._foremen.controls, self._foremen.heir
        heirs = [] if heir is None else [heir.control]
        found = wait([self._wake_in, *controls, *heirs, *sockets], self._time_to_wait())
        if self._wake_in in found:
            self._wake_in.recv(4096)
        if any(control in found for control in controls):  # first: workers end with a foreman
            self._foreman_ended("it was killed or crashed")
            return
        if heir is not None and heir.control in found:
            self._hear_heir()
        elif heir is not None and heir.deadline < time.monotonic():
            self._foremen.give_up_heir()
            self._cannot_load(f"it took more than {self._patience.load_s:g} s")
        for one in found:
            if isinstance(one, Connection):
                self._hear(sockets[one])
        for worker in [w for w in self._workers if w.deadline < time.monotonic()]:
            self._end_stuck(worker)

    def _time_to_wait(self) -> float | None:
        times = [worker.deadline for worker in self._workers]
        if self._foremen.heir is not None:
            times.append(self._foremen.heir.deadline)
        if sum(not worker.is_old for worker in self._workers) < self._count:
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
        """All of them; what was loaded beside the work is loaded again."""
        self._foremen.stop()
        self._has_keys = False
        with self._lock:
            again = [_Load(key, Future()) for key in self._loaded]
            self._loaded = []
            if self._loading is not None:
                again.append(self._loading)
                self._loading = None
            self._loads.extendleft(reversed(again))

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
            loads, self._loads = list(self._loads), deque()
        for task in tasks:
            if not task.future.cancel():
                task.future.set_exception(ProverDied(why))
        for load in loads:
            load.future.set_exception(ProverDied(why))
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
