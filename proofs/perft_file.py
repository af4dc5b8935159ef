"""Files of published perft counts.

    FEN ;D1 count ;D2 count ...     lines of legal moves of depth 1, 2, ...; any depths will do
    # ...                           a comment, on a line of its own

A FEN may leave out its two counters.  Positions need not be such that play could have reached them:
a king a side and no pawn on the first or last rank will do.  Castling rights and en-passant squares
with no king, rook or pawn behind them count for nothing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import chess

from engine.encoding import Position
from proofs.errors import NotAPerftFile

_COUNT: Final = re.compile(r"[Dd]([1-9]\d?)\s+(\d{1,19})", re.ASCII)
_NO_MATTER: Final = (
    chess.STATUS_TOO_MANY_WHITE_PAWNS
    | chess.STATUS_TOO_MANY_BLACK_PAWNS
    | chess.STATUS_TOO_MANY_WHITE_PIECES
    | chess.STATUS_TOO_MANY_BLACK_PIECES
    | chess.STATUS_TOO_MANY_CHECKERS
    | chess.STATUS_IMPOSSIBLE_CHECK
    | chess.STATUS_BAD_CASTLING_RIGHTS
    | chess.STATUS_OPPOSITE_CHECK
)
"""What may be wrong with a position here: no game reaches it, but its moves can be counted."""

_FIELDS: Final = range(4, 7)


@dataclass(frozen=True)
class PerftCase:
    """One line of a file."""

    line: int
    fen: str
    position: Position
    counts: tuple[tuple[int, int], ...]
    """Depths and their counts, by depth."""

    def up_to(self, most: int) -> tuple[tuple[int, int], ...]:
        """The counts that are at most `most`."""
        return tuple((depth, count) for depth, count in self.counts if count <= most)


def read_perft(path: Path) -> list[PerftCase]:
    """The positions of a file, in its order.  Raises NotAPerftFile, OSError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise NotAPerftFile(str(path), None, "not a text") from None
    cases = list(_cases(str(path), text))
    if not cases:
        raise NotAPerftFile(str(path), None, "no position in it")
    return cases


def _cases(path: str, text: str) -> Iterator[PerftCase]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            yield _case(number, line)
        except ValueError as error:
            raise NotAPerftFile(path, number, str(error)) from None


def _case(number: int, line: str) -> PerftCase:
    fen, *terms = (part.strip() for part in line.split(";"))
    board = _board(fen)
    counts: dict[int, int] = {}
    for term in filter(None, terms):
        match = _COUNT.fullmatch(term)
        if match is None:
            raise ValueError(f"{term[:40]!r} is not a count such as 'D3 8902'")
        depth = int(match[1])
        if depth in counts:
            raise ValueError(f"two counts of depth {depth}")
        counts[depth] = int(match[2])
    if not counts:
        raise ValueError("no counts after the position")
    return PerftCase(number, fen, Position.of(board), tuple(sorted(counts.items())))


def _board(fen: str) -> chess.Board:
    """The board of a FEN.  Raises ValueError."""
    if len(fen.split()) not in _FIELDS:
        raise ValueError(f"{fen[:90]!r} is not a FEN of four to six fields")
    board = chess.Board(fen)
    if board.clean_castling_rights() != chess.Board(fen, chess960=True).clean_castling_rights():
        raise ValueError("castling as in Chess960, not played here")
    if board.status() & chess.STATUS_INVALID_EP_SQUARE:
        board.ep_square = None
    wrong = board.status() & ~_NO_MATTER
    if wrong:
        words = (wrong.name or "impossible").lower().replace("|", ", ").replace("_", " ")
        raise ValueError(f"no position to play on: {words}")
    return board
