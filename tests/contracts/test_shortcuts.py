"""What the arena asks of one move, or of a game's end, without making a mask: against the mask."""

from collections.abc import Sequence
from statistics import median
from typing import Any

import chess
import pytest

from engine.encoding import Position
from engine.policy_map import POLICY_SIZE, legal_mask
from proofs.rules_positions import positions
from tests.contracts.ground import Contract
from tests.contracts.scene import Scene

# Pins on crossing lines, blocked pawns, the only move being of a kind that is looked at last.
NARROW = (
    "8/8/8/1K6/8/r7/1k6/8 w - - 0 1",  # the king alone
    "8/8/8/8/8/6k1/4r3/7K w - - 0 1",  # his last step
    "4r2k/8/8/8/8/3b4/4R3/3bK1r1 w - - 0 1",  # a pinned rook that may go along its line
    "7k/8/8/8/7b/6B1/3rr3/4K3 w - - 0 1",  # a pinned bishop that may take
    "k7/8/8/8/8/p1p5/P1P5/K1b5 w - - 0 1",
    "7k/8/8/8/8/5r2/p6P/K6r w - - 0 1",
    "6bk/8/8/3pP3/8/2b5/8/K6r w - d6 0 2",
    "7k/8/8/8/8/1p6/pP6/K1N5 w - - 0 1",  # a knight's move
    "1r5k/8/8/8/8/p7/N6r/K7 w - - 0 1",
    "k7/2Q5/1K6/8/8/8/8/8 b - - 0 1",
    "R5k1/5ppp/8/8/8/8/8/K7 b - - 0 1",
)


@pytest.fixture(scope="module")
def boards() -> list[chess.Board]:
    return [chess.Board(fen) for fen in NARROW] + positions(1200, seed=77)


@pytest.fixture
def harness(scene: Scene) -> Contract:
    return Contract.deploy(scene.node, "LibraryHarness")


def words(boards: Sequence[chess.Board]) -> list[Any]:
    found = [Position.of(board) for board in boards]
    return [[position.board, position.context] for position in found]


def test_isLegal_saysTheSameOfEachIndexAsTheMask(
    harness: Contract, boards: list[chess.Board]
) -> None:
    for board in boards[:120]:
        found = 0
        for first in range(0, POLICY_SIZE, 500):  # as many as a call has gas for
            last = min(first + 500, POLICY_SIZE) - 1
            answer = harness.call("maskByIndex", *words([board])[0], first, last)
            found |= sum(word << 256 * k for k, word in enumerate(answer))
        assert found == legal_mask(board), board.fen()


def test_hasLegalMove_findsAMoveIfThereIsOne(harness: Contract, boards: list[chess.Board]) -> None:
    found: list[bool] = []
    for start in range(0, len(boards), 200):
        found += [row[0] == 1 for row in harness.call("canMove", words(boards[start:][:200]))]
    assert found == [any(board.legal_moves) for board in boards]
    assert found.count(False) > 20


def test_hasLegalMove_isCheaperThanTheMask(harness: Contract, boards: list[chess.Board]) -> None:
    costs = [row[1] for row in harness.call("canMove", words(boards[:300]))]
    assert median(costs) < 8_000
    assert max(costs) < 12_500
