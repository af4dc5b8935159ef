"""The transactions that the sessions want: sent one by one, again and again if need be."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from proofs.errors import ChainDown, ChainRejected
from server.effects import ChainTruth, Effect, Intent, Landing
from server.errors import StoreFailed
from server.hosted import Hosted, Limits
from server.ply import hex_of
from server.ports import GameChain

Apply = Callable[[Hosted, list[Effect]], None]
_LOG: Final = logging.getLogger(__name__)


class Sending:
    """The way to the chain; `fault` says why it does not answer, if so."""

    def __init__(
        self, chain: GameChain, limits: Limits, apply: Apply, now: Callable[[], float]
    ) -> None:
        self.fault: str | None = None
        self._chain = chain
        self._limits = limits
        self._apply = apply
        self._now = now

    async def send(self, hosted: Hosted, intent: Intent) -> None:
        """Send a session's transaction, again and again while the chain does not answer."""
        session, pause = hosted.session, self._limits.first_pause
        while True:
            try:
                answer = await self._ask_chain(hosted, intent)
                break
            except ChainDown as error:
                fault = error.why
            except StoreFailed as error:  # what is signed has to be kept first
                _LOG.error("%s", error)
                fault = "the arena's store does not work"
            except Exception as error:  # a game must not stop for an answer nobody foresaw
                _LOG.exception("%r failed", intent, extra={"game": hex_of(session.id)})
                fault = f"its answer makes no sense: {type(error).__name__}"
            self.fault = fault
            self._apply(hosted, session.waiting(intent, fault, self._now()))
            await asyncio.sleep(pause)
            pause = min(2 * pause, self._limits.longest_pause)
        self.fault = None
        if isinstance(answer, Landing):
            self._apply(hosted, session.has_landed(intent, answer, self._now()))
        else:
            reason, truth = answer
            self._apply(hosted, session.was_refused(intent, reason, truth, self._now()))

    async def _ask_chain(self, hosted: Hosted, intent: Intent) -> Landing | tuple[str, ChainTruth]:
        """What became of a transaction: its block, or why not and what the chain holds."""
        session = hosted.session

        def sent(tx: str) -> None:
            self._apply(hosted, session.sent(intent, tx, self._now()))

        def slow() -> None:
            reason = f"no answer for {self._limits.slow_chain:g} seconds"
            self._apply(hosted, session.waiting(intent, reason, self._now()))

        loop = asyncio.get_running_loop()
        timer = loop.call_later(self._limits.slow_chain, slow)
        try:
            return await self._chain.send(session.terms, intent, sent)
        except ChainRejected as refused:
            _LOG.warning("%s", refused, extra={"game": hex_of(session.id)})
            return str(refused), await self._chain.truth(session.terms)
        finally:
            timer.cancel()
