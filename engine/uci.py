"""A bot as a UCI engine, for any chess program: lines in, lines out, no input or output here.

    uci                              id .., uciok, before the net is loaded
    isready                          readyok, after it
    position startpos|fen F moves ..
    go [searchmoves ..] ..           info .., bestmove: the net looks once, whatever time it has
    go infinite|ponder               the same, but bestmove waits for stop or ponderhit
    quit

Everything else is passed over, as the protocol wants it.  What cannot be played from is told in an
`info string`, and the last position stays.  Source: "Description of the universal chess interface",
April 2006.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import chess

from engine.encoding import Position
from engine.player import Mover
from engine.policy_map import index_move, legal_mask, move_index

_WAITS: Final = {"infinite", "ponder"}
_LIMITS: Final = {
    "wtime", "btime", "winc", "binc", "movestogo", "depth", "nodes", "mate", "movetime",
}  # fmt: skip
_WORDS_OF_GO: Final = _WAITS | _LIMITS


class UciEngine:
    """One conversation; `load` is called once, when the net is first needed."""

    def __init__(self, name: str, load: Callable[[], Mover]) -> None:
        self._name = name
        self._load = load
        self._mover: Mover | None = None
        self._line = Line(chess.Board())
        self._held: str | None = None

    def talk(self, lines: Iterable[str]) -> Iterator[str]:
        """The answers to `lines`, each as soon as it is known; ends at `quit`.

        Raises what `load` and its mover raise.
        """
        for line in lines:
            words = line.split()
            if words[:1] == ["quit"]:
                return
            yield from self._answers(words)

    def _answers(self, words: list[str]) -> Iterator[str]:
        match words:
            case ["uci"]:
                yield f"id name checkproof {self._name}"
                yield "id author the checkproof authors"
                yield "uciok"
            case ["isready"]:
                self._ready()
                yield "readyok"
            case ["position", *rest]:
                yield from self._place(rest)
            case ["go", *rest]:
                yield from self._go(rest)
            case ["stop"] | ["ponderhit"] if self._held is not None:
                held, self._held = self._held, None
                yield held

    def _place(self, words: list[str]) -> Iterator[str]:
        try:
            self._line = Line.of(words)
        except ValueError as error:
            yield f"info string not a position: {error}"

    def _go(self, words: list[str]) -> Iterator[str]:
        mask = self._line.mask(_searched(words))
        best = "(none)"  # what Stockfish says where the game is over
        if mask:
            index = self._ready()(self._line.position, mask)
            best = index_move(self._line.board, index).uci()
            yield f"info depth 1 nodes 1 pv {best}"
        if _WAITS & set(words):
            self._held = f"bestmove {best}"
        else:
            yield f"bestmove {best}"

    def _ready(self) -> Mover:
        if self._mover is None:
            self._mover = self._load()
        return self._mover


class Line:
    """A position and the moves that led there."""

    def __init__(self, board: chess.Board) -> None:
        self.board = board
        self._seen: Counter[tuple[chess.Color, int, int]] = Counter()

    @classmethod
    def of(cls, words: list[str]) -> "Line":
        """Read `startpos|fen F [moves ..]`.  Raises ValueError."""
        at = words.index("moves") if "moves" in words else len(words)
        match words[:at]:
            case ["startpos"]:
                line = cls(chess.Board())
            case ["fen", *fields]:
                line = cls(chess.Board(" ".join(fields)))
            case _:
                raise ValueError(f"{' '.join(words[:at])[:80]!r} is neither startpos nor a FEN")
        if not line.board.is_valid():
            raise ValueError(f"no play is possible at {line.board.fen()}")
        for move in words[at + 1 :]:
            line.play(move)
        return line

    def play(self, uci: str) -> None:
        """Raises ValueError for a move that is not legal."""
        move = self.board.parse_uci(uci)
        self._seen[self._key()] += 1
        self.board.push(move)

    @property
    def position(self) -> Position:
        """The position as its mover sees it, with its repetitions."""
        return Position.of(self.board, repetitions=self._seen[self._key()])

    def mask(self, searched: list[str]) -> int:
        """The legal moves as policy indices' bits; of those that are searched, if any is."""
        legal = {move.uci(): move for move in self.board.legal_moves}
        wanted = [legal[name] for name in searched if name in legal]
        if not wanted:
            return legal_mask(self.board)
        mask = 0
        for move in wanted:
            mask |= 1 << move_index(self.board, move)
        return mask

    def _key(self) -> tuple[chess.Color, int, int]:
        return (self.board.turn, *Position.of(self.board).key)


def _searched(words: list[str]) -> list[str]:
    """The moves after `searchmoves`, up to the next word of `go`."""
    if "searchmoves" not in words:
        return []
    moves = []
    for word in words[words.index("searchmoves") + 1 :]:
        if word in _WORDS_OF_GO:
            break
        moves.append(word)
    return moves
