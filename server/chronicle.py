"""Tells the log and the metrics what happens in the games: one line an event, with its ids."""

import logging
from typing import Final

from server import log
from server import messages as m
from server.gas_seen import GasSeen
from server.hosted import Hosted
from server.metrics import Metrics
from server.ply import hex_of

_LOG: Final = log.logger(__name__)


class Chronicle:
    """An observer of the arena.  `moves` is the level of what happens many times a game."""

    def __init__(
        self, metrics: Metrics, *, gas: GasSeen | None = None, moves: int = logging.DEBUG
    ) -> None:
        self._metrics = metrics
        self._gas = gas or GasSeen()
        self._moves = moves

    def saw(self, hosted: Hosted, event: m.GameEvent) -> None:
        """Never raises: what is told of a game must not disturb it."""
        try:
            self._metrics.saw(hosted, event)
            self._gas.saw(hosted, event)
            self._tell(hex_of(hosted.session.id), event)
        except Exception:
            _LOG.exception("an event could not be told")

    def _tell(self, game: str, event: m.GameEvent) -> None:
        match event:
            case m.MoveEvent(d=d):
                _LOG.log(self._moves, f"{d.by} plays {d.san}", game=game, ply=d.ply)
            case m.ProofEvent(d=d):
                self._tell_of_proof(game, d)
            case m.ChainEvent(d=d):
                self._tell_of_chain(game, d)
            case m.EndEvent(d=d):
                _LOG.info(f"game over: {d.result}, {d.reason}", game=game, tx=d.tx)
            case m.CorrectionEvent(d=d):
                _LOG.warning(f"corrected: {d.message}", game=game, ply=d.ply, cause=d.cause)
            case m.WaitingEvent(d=d) if d.reason is not None:
                _LOG.warning(d.reason, game=game)
            case m.WaitingEvent():
                _LOG.info("it goes on", game=game)

    def _tell_of_proof(self, game: str, d: m.ProofData) -> None:
        if d.stage == "proved":
            took = None if d.prove_seconds is None else round(d.prove_seconds, 2)
            _LOG.log(self._moves, "proved", game=game, ply=d.ply, seconds=took)
        else:
            _LOG.debug(d.stage, game=game, ply=d.ply, position=d.queue_position)

    def _tell_of_chain(self, game: str, d: m.ChainData) -> None:
        about = {"game": game, "tx": d.tx, "gas": d.gas}
        if d.stage == "rejected":
            _LOG.warning(f"rejected: {d.reason}", ply=d.ply, **about)
        elif d.ply < 0 and d.stage == "verified":
            _LOG.info("a game begins", **about)
        elif d.stage == "verified":
            _LOG.log(self._moves, "verified", ply=d.ply, **about)
        else:
            _LOG.debug("submitted", ply=d.ply, reason=d.reason, **about)
