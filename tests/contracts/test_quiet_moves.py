"""Repetitions found by taking quiet moves back: exact over long shuffles, blind past loud moves."""

import random
from collections import Counter
from typing import Any, Final

import chess
import pytest

from engine.game import ONGOING, Reason
from tests.contracts.ground import Contract
from tests.contracts.scene import Live, Scene, raw

# King and rook against the same, all far apart, so that few moves meet and many come back.
SHUFFLING = "r3k3/8/8/8/8/8/8/3K3R w - - 0 1"

MOST_GAS: Final = 165_000
"""What no move costs more than, however many are to be taken back."""


@pytest.fixture
def live(scene: Scene) -> Live:
    return scene.open()


@pytest.fixture
def harness(scene: Scene) -> Contract:
    return Contract.deploy(scene.node, "LibraryHarness")


def agree(live: Live) -> None:
    state = live.state
    position = live.game.position
    assert (state["board"], state["context"]) == (position.board, position.context)


def quiet_count(live: Live) -> int:
    return live.storage(1) >> 248


@pytest.mark.parametrize(
    ("restless", "plies", "reason"),
    [(50, 50, Reason.FIVEFOLD_REPETITION), (150, 150, Reason.SEVENTY_FIVE_MOVES)],
)
def test_repetitions_areCountedOverLongShuffles(
    live: Live, restless: int, plies: int, reason: Reason
) -> None:
    """Random quiet moves, some of them back at once, past one and two words and up to the last.

    After `restless` plies most of them go back, and the game is drawn no earlier than at `plies`.
    """
    live.set_position(SHUFFLING)
    chance, repeated = random.Random(5), 0
    while live.game.outcome() == ONGOING:
        board = live.game.board
        quiet = [m for m in board.legal_moves if not board.is_capture(m)]
        back = [m for m in quiet if board.ply() > 1 and _undoes(board, m)]
        calm = [m for m in quiet if not board.gives_check(m)]
        returns = chance.random() < (0.3 if live.ply < restless else 0.9)
        receipt = live.play(board.san(chance.choice(back if back and returns else calm or quiet)))
        assert receipt.gas < MOST_GAS
        repeated += live.game.repetitions > 0
        assert quiet_count(live) == live.ply
        agree(live)
    assert live.ply >= plies
    assert repeated > 10
    assert live.game.outcome().reason == live.outcome[1] == reason


def _undoes(board: chess.Board, move: chess.Move) -> bool:
    last = board.move_stack[-2]
    return (move.from_square, move.to_square) == (last.to_square, last.from_square)


@pytest.mark.parametrize(
    ("fen", "loud"),
    [
        pytest.param("r3k3/7p/8/8/8/8/7P/4K2R w - - 0 1", "h3", id="a pawn's move"),
        pytest.param("r3k3/8/8/8/8/8/p7/R3K3 w - - 0 1", "Rxa2", id="a capture"),
        pytest.param("4k3/8/8/8/8/8/7n/R3K2R w Q - 0 1", "O-O-O", id="castling"),
        pytest.param("4k3/8/8/8/8/8/8/R3K2R w Q - 0 1", "Ra4", id="a right lost"),
    ],
)
def test_loudMoves_startTheCountAnew(live: Live, fen: str, loud: str) -> None:
    """What was kept before still lies in storage, and counts for nothing."""
    live.set_position(fen)
    for _ in range(2):
        live.play_all(_out_and_back(live))
    assert quiet_count(live) == 8
    kept = live.storage(6)
    live.play(loud)
    assert quiet_count(live) == 0
    assert live.storage(6) == kept != 0
    agree(live)
    for _ in range(2):
        live.play_all(_out_and_back(live))
        agree(live)
    assert quiet_count(live) == 8
    assert live.state["context"] >> 8 & 3 == 2


def _out_and_back(live: Live) -> list[str]:
    """A king's or knight's step each, then back; rooks stay, so that no right to castle is lost."""
    board = live.game.board.copy()
    sans, outward = [], []
    for _ in range(2):
        move = next(m for m in board.legal_moves if _is_step(board, m))
        sans.append(board.san(move))
        outward.append(move)
        board.push(move)
    for move in outward:
        back = chess.Move(move.to_square, move.from_square)
        sans.append(board.san(back))
        board.push(back)
    return sans


def _is_step(board: chess.Board, move: chess.Move) -> bool:
    keeps = board.piece_type_at(move.from_square) in {chess.KING, chess.KNIGHT, chess.ROOK}
    after = board.copy()
    after.push(move)
    rights = after.castling_rights == board.castling_rights
    quiet = not board.is_capture(move) and not board.is_castling(move) and not after.is_check()
    return keeps and rights and quiet and not after.is_attacked_by(after.turn, move.to_square)


def test_repetitions_areThoseOfAPlainCount(harness: Contract) -> None:
    """Random quiet moves of random pieces on the board word itself, up to the last one kept."""
    chance = random.Random(9)
    board = {0: 4, 19: 6, 63: 10, 44: 12}
    seen: Counter[tuple[int, int]] = Counter([(0, _word(board))])
    for count in range(150):
        own = [s for s, code in board.items() if code <= 6]
        origin = chance.choice(own)
        # few targets, so that positions come back by many ways
        targets = [t for t in (origin ^ 1, origin ^ 8) if t not in board]
        if not targets:
            origin, targets = own[0], [s for s in range(64) if s not in board]
        target = chance.choice(targets)
        harness.send("addQuietMove", count, origin, target)
        board[target] = board.pop(origin)
        board = {s ^ 56: code + 6 if code <= 6 else code - 6 for s, code in board.items()}
        key = ((count + 1) % 2, _word(board))
        assert harness.call("repetitions", count + 1, key[1]) == seen[key], count
        seen[key] += 1
    assert max(seen.values()) > 3


def _word(board: dict[int, int]) -> int:
    return sum(code << 4 * square for square, code in board.items())


def test_store_keepsEveryField(harness: Contract) -> None:
    """Each field at its widest alone, so that none reaches into another."""
    widths: dict[str, int] = {
        "context": 20,
        "firstPly": 4,
        "ply": 16,
        "lastMoveAt": 40,
        "whiteClock": 40,
        "blackClock": 40,
        "graceUntil": 40,
        "incrementSeconds": 16,
        "delaySeconds": 16,
    }
    names = [f["name"] for f in harness.artifact.functions["stored"].inputs[0]["components"]]
    zero: dict[str, Any] = dict.fromkeys(names, 0) | dict.fromkeys(
        ("history", "seed", "white", "black"), bytes(32)
    )
    changes: list[dict[str, Any]] = [{name: (1 << width) - 1} for name, width in widths.items()]
    changes += [{"result": 3}, {"reason": 9}, {"board": 2**256 - 1}, {"history": b"\xff" * 32}]
    for change in changes:
        for quiet in (0, 255):
            game = zero | change
            found = harness.call("stored", tuple(game[name] for name in names), quiet)
            told = {k: raw(v) if isinstance(v, str) else v for k, v in found["found"].items()}
            assert (told, found["kept"]) == (game, quiet), change
