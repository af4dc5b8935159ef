"""A game that is hosted here, and what one server takes on."""

import asyncio
from dataclasses import dataclass, field

from server.hub import Room
from server.journal import Journal
from server.session import Session


@dataclass(frozen=True)
class Limits:
    """What one server takes on; seconds are seconds."""

    games: int = 500
    games_per_opener: int = 8
    openings_per_second: float = 2.0
    openings_at_once: float = 50.0
    finished_kept: int = 1000
    shortest_base: int = 10
    longest_base: int = 3 * 3600
    longest_increment: int = 180
    longest_expiry: int = 24 * 3600
    proof_tries: int = 5
    proofs_waiting: int = 100
    first_pause: float = 0.5
    longest_pause: float = 30.0
    slow_chain: float = 10.0
    watch_every: float = 2.0
    foreign_games: int = 100


@dataclass
class Hosted:
    """A session with what belongs to it out here."""

    session: Session
    room: Room
    journal: Journal
    waiting: str | None = None
    proofs: dict[int, asyncio.Task[None]] = field(default_factory=dict)
    thoughts: dict[int, asyncio.Task[None]] = field(default_factory=dict)
    spectators_timer: asyncio.TimerHandle | None = None


def is_left(session: Session, now: float) -> bool:
    """Whether a game is over, or nobody is held by it any more."""
    return session.is_over or session.is_flagged(now)
