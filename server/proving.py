"""The proofs that the sessions wish for: asked of the prover, and asked again when it dies."""

import asyncio
import logging
import statistics
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final

from server.effects import Effect, Prove
from server.hosted import Hosted, Limits
from server.ports import Proven, Prover
from server.tasks import Tasks

Apply = Callable[[Hosted, list[Effect]], None]
_LOG: Final = logging.getLogger(__name__)
_PROOFS_REMEMBERED: Final = 50


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
        self._waiting: dict[tuple[bytes, int], tuple[Hosted, Future[Any]]] = {}
        self._seconds: dict[bytes, deque[float]] = {}

    def seconds(self, version: bytes) -> float | None:
        """The median of the latest proofs of a bot, None before the first."""
        seen = self._seconds.get(version)
        return statistics.median(seen) if seen else None

    def begin(self, hosted: Hosted, wish: Prove) -> None:
        task = self._tasks.spawn(self._prove(hosted, wish))
        hosted.proofs[wish.job] = task
        task.add_done_callback(lambda _: hosted.proofs.pop(wish.job, None))

    @staticmethod
    def drop(hosted: Hosted, job: int) -> None:
        """A proof is wanted no more."""
        if (task := hosted.proofs.pop(job, None)) is not None:
            task.cancel()

    async def _prove(self, hosted: Hosted, wish: Prove) -> None:
        """Try until there is a proof, or the prover fails too often."""
        session, pause = hosted.session, self._limits.first_pause
        for attempt in range(1, self._limits.proof_tries + 1):
            try:
                result = await self._prove_once(hosted, wish)
            except Exception as error:  # whatever a prover died of, the next may not
                _LOG.warning("proof of ply %d, try %d: %s", wish.ply, attempt, error)
                if attempt == self._limits.proof_tries:
                    self._apply(hosted, session.unprovable(wish.job, str(error), self._now()))
                    return
                self._apply(hosted, session.queued(wish.job, None, None, self._now()))
                await asyncio.sleep(pause)
                pause = min(2 * pause, self._limits.longest_pause)
                continue
            seen = self._seconds.setdefault(wish.version, deque(maxlen=_PROOFS_REMEMBERED))
            seen.append(result.wall_s)
            hosted.proofs.pop(wish.job, None)
            effects = session.proved(
                wish.job, result.proof, wall=result.wall_s, cpu=result.cpu_s, now=self._now()
            )
            self._apply(hosted, effects)
            return

    async def _prove_once(self, hosted: Hosted, wish: Prove) -> Proven:
        loop, key = asyncio.get_running_loop(), (hosted.session.id, wish.job)

        def begun() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._proof_begun, hosted, wish)

        future = self._prover.submit(wish.version, wish.statement, begun)
        self._waiting[key] = hosted, future
        self._show_positions()
        try:
            proven: Proven = await asyncio.wrap_future(future)
            return proven
        finally:
            self._waiting.pop(key, None)
            self._show_positions()

    def _proof_begun(self, hosted: Hosted, wish: Prove) -> None:
        if self._waiting.pop((hosted.session.id, wish.job), None) is not None:
            self._apply(hosted, hosted.session.proving(wish.job, self._now()))
            self._show_positions()

    def _show_positions(self) -> None:
        """Tell every waiting job's place in the prover's queue."""
        for (_, job), (hosted, future) in list(self._waiting.items()):
            position = self._prover.position(future)
            if position is not None:
                self._apply(hosted, hosted.session.queued(job, position, None, self._now()))
