"""Who meets on the ladder: a bot, and opponents whose strength it is measured by.

An entrant is a value that can be sent to another process; opened there it is a seat, which plays
one game after another.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, Protocol

from engine.errors import EngineError
from engine.export_rungs import greedy_mover
from engine.game import Game
from engine.net import NetSpec, house_net
from engine.player import Mover, net_mover, random_mover
from engine.policy_map import move_index
from engine.train.stockfish import Stockfish, stockfish_name

NODES: Final = 500
"""Stockfish's for a move; a rung's rating means something at this number only."""
ANCHOR_ELO: Final = 1350
"""The lowest UCI_Elo; the whole scale hangs on it."""
_LIMITED: Final = (ANCHOR_ELO, 1500, 1700)


class Seat(Protocol):
    def begin(self, seed: str) -> None:
        """A new game; chance, where there is any, is drawn from `seed`."""

    def move(self, game: Game) -> int:
        """The policy index to be played."""


class Entrant(Protocol):
    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def identity(self) -> str:
        """What its games are kept under: another version is another identity."""

    def open(self) -> AbstractContextManager[Seat]: ...


class MoverSeat:
    """A seat for a player that sees the position alone."""

    def __init__(self, make: Callable[[str], Mover]) -> None:
        self._make = make
        self._mover: Mover | None = None

    def begin(self, seed: str) -> None:
        self._mover = self._make(seed)

    def move(self, game: Game) -> int:
        assert self._mover is not None
        return self._mover(game.position, game.mask)


@dataclass(frozen=True)
class RandomRung:
    name: str = "random"
    identity: str = "random"

    @contextmanager
    def open(self) -> Iterator[Seat]:
        yield MoverSeat(random_mover)


@dataclass(frozen=True)
class GreedyRung:
    """Wins as much material at once as it can."""

    name: str = "greedy"
    identity: str = "greedy"

    @contextmanager
    def open(self) -> Iterator[Seat]:
        yield MoverSeat(greedy_mover)


@dataclass(frozen=True)
class HouseNet:
    """A net that comes with the package.  Raises InvalidNet if there is none of that name."""

    name: str

    @property
    def identity(self) -> str:
        return f"{self.name} {house_net(self.name).hash}"

    def mover(self, seed: str | None = None) -> Mover:
        """Its dice are drawn from `seed`, or from chance if None."""
        return net_mover(house_net(self.name), seed)

    @contextmanager
    def open(self) -> Iterator[Seat]:
        yield MoverSeat(self.mover)


@dataclass(frozen=True)
class NetFile:
    """A net from its file, wherever that lies.  Raises InvalidNet, OSError when opened."""

    path: str

    @property
    def name(self) -> str:
        return _net_in(self.path).name

    @property
    def identity(self) -> str:
        net = _net_in(self.path)
        return f"{net.name} {net.hash}"

    def mover(self, seed: str | None = None) -> Mover:
        """Its dice are drawn from `seed`, or from chance if None."""
        return net_mover(_net_in(self.path), seed)

    @contextmanager
    def open(self) -> Iterator[Seat]:
        net = _net_in(self.path)
        yield MoverSeat(lambda seed: net_mover(net, seed))


def _net_in(path: str) -> NetSpec:
    found = Path(path).stat()
    return _read(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=8)
def _read(path: str, _changed: int, _size: int) -> NetSpec:
    """Once for each state of a file: reading it for every game would take as long as the game."""
    return NetSpec.load(path)


@dataclass(frozen=True)
class StockfishRung:
    """Stockfish made weaker by its own options, at a fixed number of nodes."""

    name: str
    options: tuple[tuple[str, str], ...]
    version: str
    path: str | None = None

    @property
    def identity(self) -> str:
        set_to = ", ".join(f"{name} {value}" for name, value in self.options)
        return f"{self.version}, {set_to}, {NODES} nodes"

    @contextmanager
    def open(self) -> Iterator[Seat]:
        with Stockfish(nodes=NODES, path=self.path, options=dict(self.options)) as stockfish:
            yield _StockfishSeat(stockfish)


class _StockfishSeat:
    """Stockfish draws its mistakes by the clock: its games do not repeat."""

    def __init__(self, stockfish: Stockfish) -> None:
        self._stockfish = stockfish

    def begin(self, seed: str) -> None:  # noqa: ARG002
        self._stockfish.new_game()

    def move(self, game: Game) -> int:
        return move_index(game.board, self._stockfish.play(game.board))


@dataclass(frozen=True)
class Rungs:
    """The opponents, weakest first; the one with a given rating; who is missing, and why."""

    entrants: tuple[Entrant, ...]
    anchor: str | None
    left_out: tuple[tuple[str, str], ...] = ()


def rungs(stockfish: str | None = None) -> Rungs:
    """The opponents that can be had here; `stockfish` is its path if it is not found by itself."""
    simple: tuple[Entrant, ...] = (RandomRung(), GreedyRung())
    wanted = [("stockfish skill 0", (("Skill Level", "0"),))] + [
        (f"stockfish {elo}", (("UCI_LimitStrength", "true"), ("UCI_Elo", str(elo))))
        for elo in _LIMITED
    ]
    try:
        version = stockfish_name(stockfish)
    except EngineError as error:
        return Rungs(simple, None, tuple((name, str(error)) for name, _ in wanted))
    limited = tuple(StockfishRung(name, options, version, stockfish) for name, options in wanted)
    return Rungs((*simple, *limited), limited[1].identity)
