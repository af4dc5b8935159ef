"""What does not hold any more of what was shown of a game."""

from server import messages as m
from server.effects import Effect, Emit, Resync


class Fix:
    """Collects what turns out to be so; the lowest ply that is concerned is the one to tell."""

    def __init__(self) -> None:
        self._found: tuple[int, m.Cause, str] | None = None

    def note(self, ply: int, cause: m.Cause, message: str) -> None:
        """What was shown from `ply` on does not hold."""
        if self._found is None or ply < self._found[0]:
            self._found = ply, cause, message

    def __bool__(self) -> bool:
        return self._found is not None

    def effects(self, now: float) -> list[Effect]:
        """The correction and the whole game after it; nothing if all holds."""
        if self._found is None:
            return []
        ply, cause, message = self._found
        data = m.CorrectionData(ply=ply, cause=cause, message=message, at=now)
        return [Emit(m.CorrectionEvent(d=data)), Resync()]
