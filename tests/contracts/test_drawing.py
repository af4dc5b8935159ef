"""The drawing of an encoded position at the heads of engine/encoding.py and ChessRules.sol.

It is read as it stands there, and held against what Python writes and the contract reads, and the
other way about.
"""

import asyncio
import random
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import Final

import chess
import pytest

from engine import encoding
from engine.encoding import START, Position, decode
from engine.policy_map import move_index
from proofs.rules_chain import Drawn, pack, rules_chain, unpack
from proofs.rules_positions import positions

COUNT: Final = 10_000
SOLIDITY: Final = Path("proofs/contracts/src/ChessRules.sol")

_ROOT: Final = Path(__file__).parents[2]
_PLAYED: Final = 16
"""One position in so many is played on from, by every legal move."""


@dataclass(frozen=True)
class Drawing:
    """What a drawing says."""

    text: str

    @property
    def ranks(self) -> list[tuple[str, int, int]]:
        """The eight digits of each rank, h to a, with its lowest and highest bit, from rank 8."""
        rows = re.findall(r"^ +\d  ((?:\w ){8}) bits +(\d+)\.\.(\d+)", self.text, re.MULTILINE)
        return [(digits.replace(" ", ""), int(low), int(high)) for digits, low, high in rows]

    @property
    def codes(self) -> dict[str, int]:
        """The code of each piece letter, own ones upper case, theirs lower case."""
        own = re.search(r"own +((?:[PNBRQK] \w *)+)", self.text)
        their = re.search(r"their +((?:[PNBRQK] \w *)+)", self.text)
        assert own
        assert their
        pieces = re.findall(r"(\w) (\w)", own[1])
        pieces += [(p.lower(), code) for p, code in re.findall(r"(\w) (\w)", their[1])]
        return {piece: int(code, 16) for piece, code in pieces}

    @property
    def fields(self) -> dict[str, tuple[int, int]]:
        """The lowest bit and the width of each box of the context word, by its words."""
        lines = self.text.splitlines()
        top = next(i for i, line in enumerate(lines) if line.lstrip().startswith("+--"))
        edges = [match.start() for match in re.finditer(r"\+", lines[top])]
        found = {}
        for left, right in pairwise(edges):
            bits = [int(word) for word in lines[top - 1].ljust(right)[left + 1 : right].split()]
            words = (line[left + 1 : right].strip() for line in lines[top + 1 : top + 3])
            found[" ".join(words).strip()] = (bits[-1], bits[0] - bits[-1] + 1)
        return found

    def board_word(self, codes: bytes) -> int:
        """The word of 64 piece codes."""
        assert "bits 4s..4s+3" in self.text
        return sum(code << 4 * square for square, code in enumerate(codes))

    def context_word(self, drawn: Drawn) -> int:
        values = {
            "halfmoves": drawn.halfmoves,
            "earlier": drawn.repetitions,
            "file": drawn.en_passant,
            "own O-O": drawn.rights & 1,
            "own O-O-O": drawn.rights >> 1 & 1,
            "their O-O": drawn.rights >> 2 & 1,
            "their O-O-O": drawn.rights >> 3 & 1,
        }
        return sum(value << self.fields[name][0] for name, value in values.items())

    def field(self, context: int, name: str) -> int:
        low, width = self.fields[name]
        return context >> low & (1 << width) - 1


def _drawing(text: str) -> Drawing:
    found = re.search(r" *board word, 256 bits.*?the rest +rights to castle", text, re.DOTALL)
    assert found
    return Drawing(dedent(found[0]))


@pytest.fixture(scope="module")
def drawing() -> Drawing:
    assert encoding.__doc__
    return _drawing(encoding.__doc__)


@pytest.fixture(scope="module")
def boards() -> list[chess.Board]:
    return positions(COUNT, seed=33)


def test_drawing_isTheSameInBothPlaces(drawing: Drawing) -> None:
    source = (_ROOT / SOLIDITY).read_text(encoding="utf-8")
    assert _drawing(re.sub(r"^// ?", "", source, flags=re.MULTILINE)) == drawing


def test_drawing_isOfTheStart(drawing: Drawing) -> None:
    digits, lows, highs = zip(*drawing.ranks, strict=True)
    assert int("".join(digits), 16) == START.board
    assert lows == tuple(range(224, -1, -32))
    assert highs == tuple(range(255, 0, -32))


def test_drawing_namesEveryBitOnce(drawing: Drawing) -> None:
    bits = [low + i for low, width in drawing.fields.values() for i in range(width)]
    assert sorted(bits) == list(range(encoding.CONTEXT_BITS))
    assert sorted(drawing.codes.values()) == list(range(1, 13))


def test_python_writesWhatIsDrawn(drawing: Drawing, boards: list[chess.Board]) -> None:
    for number, board in enumerate(boards):
        position = Position.of(board, repetitions=number % 5)
        seen = board if board.turn == chess.WHITE else board.mirror()
        pieces = {square: piece.symbol() for square, piece in seen.piece_map().items()}
        codes = bytes(drawing.codes[pieces[s]] if s in pieces else 0 for s in chess.SQUARES)
        assert position.board == drawing.board_word(codes)
        assert drawing.field(position.context, "zero") == 0
        assert drawing.field(position.context, "halfmoves") == min(board.halfmove_clock, 255)
        assert drawing.field(position.context, "earlier") == min(number % 5, 2)
        square = seen.ep_square if seen.has_legal_en_passant() else None
        file = 0 if square is None else chess.square_file(square) + 1
        assert drawing.field(position.context, "file") == file
        for name, right in (
            ("own O-O", seen.has_kingside_castling_rights(chess.WHITE)),
            ("own O-O-O", seen.has_queenside_castling_rights(chess.WHITE)),
            ("their O-O", seen.has_kingside_castling_rights(chess.BLACK)),
            ("their O-O-O", seen.has_queenside_castling_rights(chess.BLACK)),
        ):
            assert drawing.field(position.context, name) == right


def test_contract_readsWhatPythonWrites(drawing: Drawing, boards: list[chess.Board]) -> None:
    """Encoded by Python, seen by the contract's own readers, decoded to the same board."""
    asked = [Position.of(board, repetitions=n % 3) for n, board in enumerate(boards)]
    for board, position, drawn in zip(boards, asked, _read(asked), strict=True):
        again = Position(drawing.board_word(drawn.codes), drawing.context_word(drawn))
        assert again == position, board.fen()
        assert _words(decode(again, board.turn)) == _words(board)


def test_python_readsWhatTheContractWrites(boards: list[chess.Board]) -> None:
    """Positions that the contract made by playing, decoded to python-chess's boards."""
    chosen = random.Random(34).sample(boards, len(boards) // _PLAYED)
    expected = []
    for board in chosen:
        moves = {move_index(board, move): move for move in board.legal_moves}
        expected += [_after(board, moves[index]) for index in sorted(moves)]
    assert len(expected) >= COUNT
    made = _successors([Position.of(board) for board in chosen])
    for board, position in zip(expected, made, strict=True):
        assert _words(decode(position, board.turn)) == _words(board)
        assert position == Position.of(board)


def _words(board: chess.Board) -> tuple[str, int]:
    """What an encoding keeps of a board: no move number, and a clock that stops at 255."""
    return board.epd(en_passant="legal"), min(board.halfmove_clock, 255)


def _after(board: chess.Board, move: chess.Move) -> chess.Board:
    after = board.copy(stack=False)
    after.push(move)
    return after


def _read(asked: list[Position]) -> list[Drawn]:
    async def run() -> list[Drawn]:
        async with rules_chain() as rules:
            return await rules.read(asked)

    return asyncio.run(run())


def _successors(asked: list[Position]) -> list[Position]:
    async def run() -> list[Position]:
        async with rules_chain() as rules:
            return unpack(await rules.successors(pack(asked)))

    return asyncio.run(run())
