"""A game as its events tell it to someone who looks on: no socket, no clock, no board of its own.

full ──▶ everything replaced        move, proof, chain ──▶ one ply brought up to date
"""

from dataclasses import dataclass, field

from server import messages as m


class MissedEvent(Exception):
    """A version was left out: what is shown from here on could be wrong."""

    def __init__(self, expected: int, got: int) -> None:
        super().__init__(f"the next event is {expected}, not {got}")
        self.expected = expected
        self.got = got


@dataclass
class View:
    """`moves` are the plies as they stand, `version` is that of the last event."""

    snapshot: m.Snapshot | None = None
    moves: list[m.MoveRecord] = field(default_factory=list)
    opening: m.Opening | None = None
    clocks: m.Clocks | None = None
    end: m.EndData | None = None
    waiting: str | None = None
    spectators: int = 0
    corrections: list[m.CorrectionData] = field(default_factory=list)
    version: int | None = None

    @property
    def history(self) -> bytes:
        """The history hash after the last known move."""
        assert self.snapshot is not None
        text = self.moves[-1].history if self.moves else self.snapshot.game
        return bytes.fromhex(text[2:])

    @property
    def is_open(self) -> bool:
        """Whether the contract holds the game."""
        return self.opening is not None and self.opening.stage == "verified"

    @property
    def first(self) -> int:
        """The number of the first ply: 1 where Black moved first."""
        return int(self.snapshot is not None and " b " in self.snapshot.start_fen)

    @property
    def next(self) -> int:
        """The number of the ply to be played."""
        return self.first + len(self.moves)

    @property
    def fen(self) -> str:
        """The position after the last known move."""
        assert self.snapshot is not None
        return self.moves[-1].fen if self.moves else self.snapshot.start_fen

    def at(self, ply: int) -> m.MoveRecord | None:
        """Ply `ply`, if it is known."""
        return self.moves[ply - self.first] if self.first <= ply < self.next else None

    def has(self, ply: int, index: int) -> bool:
        """Whether the line shown plays `index` at `ply`."""
        move = self.at(ply)
        return move is not None and move.index == index

    def apply(self, event: m.GameEvent) -> None:
        """Take over one event.  Raises MissedEvent, and then nothing changed."""
        is_full = isinstance(event, m.FullEvent)
        if not is_full and self.version is not None and event.v != self.version + 1:
            raise MissedEvent(self.version + 1, event.v)
        self.version = event.v
        match event:
            case m.FullEvent(d=d):
                self._replace(d)
            case m.MoveEvent(d=d):
                self.moves[max(0, d.ply - self.first) :] = [d]
            case m.ProofEvent(d=d):
                self._patch(d)
            case m.ChainEvent(d=d) if d.ply < 0:
                self.opening = m.Opening(stage=d.stage, tx=d.tx, gas=d.gas)
            case m.ChainEvent(d=d):
                self._patch(d)
            case m.ClockEvent(d=d):
                self.clocks = d
            case m.EndEvent(d=d):
                self.end = d
            case m.CorrectionEvent(d=d):
                self.corrections.append(d)
            case m.WaitingEvent(d=d):
                self.waiting = d.reason
            case m.SpectatorsEvent(d=d):
                self.spectators = d.count

    def _replace(self, told: m.Snapshot) -> None:
        self.snapshot, self.moves = told, list(told.moves)
        self.opening, self.clocks = told.open_stage, told.clocks
        self.waiting, self.spectators = told.waiting, told.spectators
        ended = told.result
        self.end = m.EndData(result=ended.result, reason=ended.reason, tx=None) if ended else None

    def _patch(self, data: m.ProofData | m.ChainData) -> None:
        """Bring a ply up to date; what the event does not say stays as it was."""
        old = self.at(data.ply)
        if old is None:
            return
        news = {k: v for k, v in data.model_dump(exclude={"at"}).items() if v is not None}
        # these hold for one stage: what is proven waits no more, what is sent again has no fault
        over = {"queue_position": None, "wait_seconds": None, "reason": None}
        self.moves[data.ply - self.first] = old.model_copy(
            update={**over, **news, "at": {**old.at, data.stage: data.at}}
        )
