"""The proofs that the sessions wish for: asked of the prover, and asked again when it fails."""

import asyncio
import logging
import statistics
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final

from proofs.errors import NotTheNetsMove, ProversBusy
from proofs.prover import PoolState
from server.effects import Effect, Prove
from server.hosted import Hosted, Limits
from server.ply import hex_of
from server.ports import Proven, Prover
from server.tasks import Tasks

Apply = Callable[[Hosted, list[Effect]], None]
Key = tuple[bytes, int]
PLACES_AFTER: Final = 0.25
"""So many seconds after the queue moved all are told their places: once for many moves of it."""
PLACES_PER_SECOND: Final = 100
"""No more are told than so many, or the longest queues would be the most to write and send."""
PLACES_AT_ONCE: Final = 20
"""So many are told before the event loop may do something else."""
_LOG: Final = logging.getLogger(__name__)
_PROOFS_REMEMBERED: Final = 50


@dataclass
class _Job:
    """A proof that the prover has to make, from when it was asked until it is there."""

    hosted: Hosted
    wish: Prove
    future: Future[Any]
    hold_up: str | None
    """Why nothing was proven when its game was last told."""
    is_begun: bool = False


class Proving:
    """All proofs under way; `apply` carries out what the sessions say to them."""

    def __init__(
        self,
        prover: Prover,
        limits: Limits,
        tasks: Tasks,
        apply: Apply,
        now: Callable[[], float],
    ) -> None:
        self._prover = prover
        self._limits = limits
        self._tasks = tasks
        self._apply = apply
        self._now = now
        self._jobs: dict[Key, _Job] = {}
        self._seconds: dict[bytes, deque[float]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._closing = False

    def seconds(self, version: bytes) -> float | None:
        """The median of the latest proofs of a bot, None before the first."""
        seen = self._seconds.get(version)
        return statistics.median(seen) if seen else None

    def state(self) -> PoolState:
        """How the provers are."""
        return self._prover.state()

    @property
    def hold_up(self) -> str | None:
        """Why nothing is proven now, if so, in words for players."""
        state = self._prover.state()
        if state.ready:
            return None
        return "the provers are warming up" if state.fault is None else state.fault

    def begin(self, hosted: Hosted, wish: Prove) -> None:
        if self._closing:
            return  # it is derived again at the next start
        task = self._tasks.spawn(self._prove(hosted, wish))
        hosted.proofs[wish.job] = task
        task.add_done_callback(lambda _: hosted.proofs.pop(wish.job, None))

    def begin_no_more(self) -> None:
        """Finish what the provers work on, and drop what waits for them."""
        self._closing = True
        for job in [job for job in self._jobs.values() if not job.is_begun]:
            self.drop(job.hosted, job.wish.job)

    @staticmethod
    def drop(hosted: Hosted, job: int) -> None:
        """A proof is wanted no more."""
        if (task := hosted.proofs.pop(job, None)) is not None:
            task.cancel()

    async def _prove(self, hosted: Hosted, wish: Prove) -> None:
        """Try until there is a proof, or the prover fails too often."""
        session, failures, pause = hosted.session, 0, self._limits.first_pause
        about = {"game": hex_of(session.id), "ply": wish.ply}
        while True:
            try:
                result = await self._prove_once(hosted, wish)
                break
            except ProversBusy as error:  # no fault of this job: it only has to wait
                _LOG.warning("a proof has to wait: %s", error, extra=about)
            except Exception as error:  # whatever a prover died of, the next may not
                failures += 1
                _LOG.warning("a proof failed: %s", error, extra=about)
                if failures == self._limits.proof_tries:
                    is_wrong = isinstance(error, NotTheNetsMove)
                    effects = session.unprovable(
                        wish.job, str(error), self._now(), is_wrong=is_wrong
                    )
                    self._apply(hosted, effects)
                    return
            self._apply(hosted, session.queued(wish.job, None, None, self._now()))
            await asyncio.sleep(pause)
            pause = min(2 * pause, self._limits.longest_pause)
        seen = self._seconds.setdefault(wish.version, deque(maxlen=_PROOFS_REMEMBERED))
        seen.append(result.wall_s)
        hosted.proofs.pop(wish.job, None)
        effects = session.proved(
            wish.job, result.proof, wall=result.wall_s, cpu=result.cpu_s, now=self._now()
        )
        self._apply(hosted, effects)

    async def _prove_once(self, hosted: Hosted, wish: Prove) -> Proven:
        key = hosted.session.id, wish.job
        future = self._prover.submit(
            wish.version,
            wish.statement,
            group=hosted.session.id,
            on_start=self._on_loop(self._begun, key),
            on_again=self._on_loop(self._again, key),
        )
        self._jobs[key] = _Job(hosted, wish, future, self.hold_up)
        self._tell_places(deque([key]))
        self._queue_moved()
        try:
            proven: Proven = await asyncio.wrap_future(future)
            return proven
        finally:
            self._jobs.pop(key, None)
            self._queue_moved()

    @staticmethod
    def _on_loop(call: Callable[[Key], None], key: Key) -> Callable[[], None]:
        """A callback for any thread, that calls on this one."""
        loop = asyncio.get_running_loop()

        def soon() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(call, key)

        return soon

    def _begun(self, key: Key) -> None:
        if (job := self._jobs.get(key)) is not None:
            job.is_begun = True
            place = self._prover.places().get(job.future)
            wait = None if place is None else place.wait_seconds
            self._apply(job.hosted, job.hosted.session.proving(job.wish.job, self._now(), wait))
            self._queue_moved()

    def _again(self, key: Key) -> None:
        if (job := self._jobs.get(key)) is not None:
            job.is_begun = False
            self._tell_places(deque([key]))
            self._queue_moved()

    # --- places in the queue --------------------------------------------------------------------

    def _queue_moved(self) -> None:
        """Tell all their places soon."""
        if self._timer is None and self._jobs:
            after = max(PLACES_AFTER, len(self._jobs) / PLACES_PER_SECOND)
            self._timer = asyncio.get_running_loop().call_later(after, self._tell_all)

    def _tell_all(self) -> None:
        self._timer = None
        hold_up = self.hold_up
        for job in [job for job in self._jobs.values() if job.hold_up != hold_up]:
            job.hold_up = hold_up
            self._apply(job.hosted, [])  # whatever is applied, it says what the game waits for
        self._tell_places(deque(self._jobs))
        if hold_up is not None:  # nothing else tells when that is over
            self._queue_moved()

    def _tell_places(self, keys: deque[Key]) -> None:
        """Tell these jobs their places, some now and the rest soon."""
        places = self._prover.places()
        for _ in range(min(len(keys), PLACES_AT_ONCE)):
            job = self._jobs.get(keys.popleft())
            place = places.get(job.future) if job is not None else None
            if job is None or job.is_begun or place is None or place.position == 0:
                continue  # begun just now: its own word is on its way
            session = job.hosted.session
            effects = session.queued(job.wish.job, place.position, place.wait_seconds, self._now())
            if effects:
                self._apply(job.hosted, effects)
        if keys:
            asyncio.get_running_loop().call_soon(self._tell_places, keys)
