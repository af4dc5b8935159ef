"""The contract's rules against python-chess, bit for bit.

CHECKPROOF_FUZZ=20000     compare on that many positions instead of 1,500
"""

import os
import random
from collections.abc import Iterator
from dataclasses import replace
from statistics import median
from typing import Final

import chess
import pytest
from typer.testing import CliRunner

from engine.encoding import START, Position
from engine.policy_map import MOVES, POLICY_SIZE, legal_mask
from proofs.bench_rules import bench_rules
from proofs.rules_chain import Report
from proofs.rules_positions import positions
from server.cli import app
from tests.command import run
from tests.contracts.rules import Rules, rules_node

FUZZ: Final = int(os.environ.get("CHECKPROOF_FUZZ", "1500"))

_BATCH: Final = 250
_PROMOTED: Final = {None: 0, chess.BISHOP: 3, chess.ROOK: 4, chess.QUEEN: 5}
_MOST_MOVES: Final = "R6R/3Q4/1Q4Q1/4Q3/2Q4Q/Q4Q2/pp1Q4/kBNN1KB1 w - - 0 1"


@pytest.fixture(scope="module")
def rules() -> Iterator[Rules]:
    with rules_node() as node:
        yield node


@pytest.fixture(scope="module")
def boards() -> list[chess.Board]:
    return positions(1000, seed=21)


@pytest.fixture(scope="module")
def reports(rules: Rules, boards: list[chess.Board]) -> list[Report]:
    asked = [Position.of(board) for board in boards]
    batches = (asked[i : i + _BATCH] for i in range(0, len(asked), _BATCH))
    return [report for batch in batches for report in rules.reports(batch)]


def test_rules_arePythonChess() -> None:
    told: list[str] = []
    report = bench_rules(FUZZ, seed=20, progress=told.append)
    assert report["mismatches"] == 0, told
    assert report["positions"] == FUZZ
    assert report["moves"] > 10 * FUZZ
    assert len(report["kinds"]) == 12
    assert min(report["kinds"].values()) >= 3, report["kinds"]


def test_read_isThePolicyMap(rules: Rules) -> None:
    expected = [(m.from_square, m.to_square, _PROMOTED[m.promotion]) for m in MOVES]
    assert rules.moves() == expected


def test_legalMask_knowsEveryPawnMove(rules: Rules) -> None:
    """A pawn on each of its 48 squares, nothing ahead, something to take on both sides."""
    lone = [_lone_pawn(square) for square in range(chess.A2, chess.A8)]
    for board, report in zip(lone, rules.reports([Position.of(b) for b in lone]), strict=True):
        assert report.mask == legal_mask(board), board.fen()


def _lone_pawn(square: chess.Square) -> chess.Board:
    board = chess.Board(None)
    for target in chess.SquareSet(chess.BB_PAWN_ATTACKS[chess.WHITE][square]):
        board.set_piece_at(target, chess.Piece(chess.KNIGHT, chess.BLACK))
    board.set_piece_at(square, chess.Piece(chess.PAWN, chess.WHITE))
    on_the_left = chess.square_file(square) < 4
    board.set_piece_at(chess.H1 if on_the_left else chess.A1, chess.Piece(chess.KING, chess.WHITE))
    board.set_piece_at(chess.H8 if on_the_left else chess.A8, chess.Piece(chess.KING, chess.BLACK))
    assert board.is_valid()
    return board


def test_legalMask_knowsEveryPin(rules: Rules) -> None:
    """A queen between her king and a slider, on every three squares of a line."""
    pins = [
        board
        for king, slider in _pairs_on_lines()
        for pinned in chess.SquareSet(chess.between(king, slider))
        if (board := _alone({king: "K", pinned: "Q", slider: _slider_between(king, slider)}))
    ]
    assert len(pins) > 2_400
    _compare(rules, pins)


def test_legalMask_knowsEveryCheck(rules: Rules) -> None:
    """A slider that sees the king from every square, and a knight who may answer it or not."""
    chance = random.Random(1)
    checks = []
    for king, slider in _pairs_on_lines():
        knight = chance.choice([s for s in chess.SQUARES if s not in (king, slider)])
        board = _alone({knight: "N", king: "K", slider: _slider_between(king, slider)})
        checks += [board] if board else []
    assert len(checks) > 1_400
    _compare(rules, checks)


def _pairs_on_lines() -> list[tuple[chess.Square, chess.Square]]:
    pairs = [(a, b) for a in chess.SQUARES for b in chess.SQUARES if chess.ray(a, b)]
    assert len(pairs) == 64 * 14 + 560
    return pairs


def _slider_between(king: chess.Square, slider: chess.Square) -> str:
    is_straight = king % 8 == slider % 8 or king // 8 == slider // 8
    return "r" if is_straight else "b"


def _alone(pieces: dict[chess.Square, str]) -> chess.Board | None:
    """These pieces and their king where nothing attacks him, White to move."""
    board = chess.Board(None)
    for square, symbol in pieces.items():
        board.set_piece_at(square, chess.Piece.from_symbol(symbol))
    for square in chess.SQUARES:
        if not board.piece_at(square) and not board.attackers(chess.WHITE, square):
            board.set_piece_at(square, chess.Piece(chess.KING, chess.BLACK))
            return board
    return None


def _compare(rules: Rules, boards: list[chess.Board]) -> None:
    for first in range(0, len(boards), _BATCH):
        batch = boards[first : first + _BATCH]
        found = rules.reports([Position.of(board) for board in batch])
        for board, report in zip(batch, found, strict=True):
            assert report.mask == legal_mask(board), board.fen()
            assert report.can_move == any(board.legal_moves), board.fen()
            assert report.in_check == board.is_check(), board.fen()


def test_isLegal_succeedsIfInMask(rules: Rules) -> None:
    promotion = Position.of(chess.Board("4k3/7P/8/8/8/8/8/4K3 w - - 0 1"))
    last = POLICY_SIZE - 3  # h7h8q, the first of the last three
    assert [rules.is_legal(promotion, index) for index in range(last, last + 3)] == [True] * 3
    assert not rules.is_legal(promotion, last - 1)


@pytest.mark.parametrize("index", [POLICY_SIZE, 2047, 2048, 2**255, 2**256 - 1])
def test_isLegal_failsIfNoPolicyIndex(rules: Rules, index: int) -> None:
    assert not rules.is_legal(START, index)


def test_legalMask_staysCheap(rules: Rules, reports: list[Report]) -> None:
    most = rules.reports([Position.of(chess.Board(_MOST_MOVES))])[0]
    assert most.mask.bit_count() == 218
    assert most.gas < 60_000
    assert max(report.gas for report in reports) < 40_000
    assert median(report.gas for report in reports) < 15_000


def test_legalMask_findsNoCastleWithoutRook(rules: Rules) -> None:
    """Rights without the rook, which no game reaches, must not conjure one up."""
    board = chess.Board("4k3/8/8/8/8/8/8/R3K3 w Q - 0 1")
    position = replace(Position.of(board), context=0b11)
    assert rules.reports([position])[0].mask == legal_mask(board)


def test_command_succeedsIfTheyAgree() -> None:
    done = run("bench", "rules", "--positions", "40", "--seed", "5", "--json")
    assert done.code == 0, done.err
    assert list(done.json) == [
        *("positions", "seed", "moves", "mismatches", "positions_per_s", "kinds")
    ]
    assert (done.json["positions"], done.json["seed"], done.json["mismatches"]) == (40, 5, 0)


def test_command_failsIfTheyDiffer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proofs.bench_rules.bench_rules", lambda *_, **__: {"mismatches": 1})
    assert CliRunner().invoke(app, ["bench", "rules"]).exit_code == 3
