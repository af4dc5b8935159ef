"""A bounded list of a game's latest events, so that a reconnect gets the gap or a fresh start.

An idea of lichess' lila-ws: versions count up without gaps; who knows version v is sent what came
after it, or a full snapshot when that is no longer all here.
"""

from collections import deque
from itertools import islice


class History:
    """The last `size` serialised events.

    Versions begin at `start`.  A game whose events are not kept over a restart begins higher than
    it ever was before (the time in milliseconds does), so that no version means two things.
    """

    def __init__(self, *, start: int, size: int) -> None:
        self._events: deque[str] = deque(maxlen=size)
        self._version = start

    @property
    def version(self) -> int:
        """The version of the latest event."""
        return self._version

    def add(self, wire: str) -> None:
        """Keep the next event: its version is one more than `version`."""
        self._version += 1
        self._events.append(wire)

    def since(self, version: int) -> list[str] | None:
        """The events after `version`, oldest first; None when some are not known here."""
        missed = self._version - version
        if not 0 <= missed <= len(self._events):
            return None
        return list(islice(self._events, len(self._events) - missed, None))
