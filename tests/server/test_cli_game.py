"""Moves that a player brings by the command line, as they are written."""

from types import SimpleNamespace
from typing import Any

import chess
import pytest

from engine.policy_map import move_index
from server.cli_game import _index
from server.errors import NotYourMove

BOARD = chess.Board()
HERE: Any = SimpleNamespace(game=SimpleNamespace(board=BOARD))


@pytest.mark.parametrize("what", ["e4", "e2e4"])
def test_a_move_is_named_in_either_notation(what: str) -> None:
    assert _index(HERE, what) == move_index(BOARD, chess.Move.from_uci("e2e4"))


@pytest.mark.parametrize("what", ["", "e5", "e2e5", "--", "Z0", "0000", "@@@@", "give up"])
def test_what_moves_nothing_is_refused_in_one_line(what: str) -> None:
    with pytest.raises(NotYourMove, match="is no legal move") as caught:
        _index(HERE, what)
    assert "\n" not in str(caught.value)
