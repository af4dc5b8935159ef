"""What the moves of each bot cost on chain."""

import statistics
from collections import deque
from typing import Final

from server import messages as m
from server.hosted import Hosted

REMEMBERED: Final = 50


class GasSeen:
    """The gas of each bot version's latest moves."""

    def __init__(self) -> None:
        self._seen: dict[bytes, deque[int]] = {}

    def saw(self, hosted: Hosted, event: m.GameEvent) -> None:
        """An observer of the arena."""
        match event:
            case m.ChainEvent(d=m.ChainData(stage="verified", ply=ply, gas=int(gas))) if ply >= 0:
                opening, found = hosted.session.terms.open, hosted.session.line.at(ply)
                if found is not None and found.by == "bot":
                    version = opening.black if ply % 2 else opening.white
                    self._seen.setdefault(version, deque(maxlen=REMEMBERED)).append(gas)
            case _:
                pass

    def median(self, version: bytes) -> int | None:
        """Of the latest moves, None before the first."""
        seen = self._seen.get(version)
        return round(statistics.median(seen)) if seen else None

    def dearest(self) -> int | None:
        """What a move of the dearest bot costs, None before the first of any."""
        medians = [median for version in self._seen if (median := self.median(version)) is not None]
        return max(medians, default=None)
