"""One net in two forms: the house net, the ONNX file and plain numpy say the same."""

from typing import Any

import chess
import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from engine.encoding import Position
from engine.export import Heads, piece_codes
from engine.export_conv import ConvNet, conv_to_house, conv_to_onnx
from engine.player import choose
from engine.policy_map import legal_mask
from tests.proofs.positions import CORNERS, game_statements

NET = ConvNet.random(5, channels=2)
HOUSE = conv_to_house(NET, "peer")


def positions() -> list[tuple[Position, int]]:
    """Promotions and castling among them."""
    boards = [chess.Board(fen) for fen in CORNERS.values()]
    corners = [(Position.of(board), legal_mask(board)) for board in boards]
    games = [(Position(s.board, s.context), s.mask) for s in game_statements(HOUSE, 60)]
    return corners + games


def test_both_forms_play_alike() -> None:
    moves = set()
    for position, mask in positions():
        ours = choose(HOUSE, position, mask)
        assert ours == Heads(by_piece=False).choose(
            NET.outputs(position.board), position.board, mask
        )
        moves.add(ours)
    assert len(moves) > 10


def test_their_logits_are_the_same() -> None:
    for position, _ in positions():
        outputs = NET.outputs(position.board)
        logits = Heads(by_piece=False).logits(outputs, position.board)
        assert (HOUSE.forward(position.board).logits == logits).all()


def test_the_file_computes_them() -> None:
    evaluator = ReferenceEvaluator(onnx.load_model_from_string(conv_to_onnx(NET)))
    for position, _ in positions()[:20]:
        board = piece_codes(position.board)[None].astype(np.float32)
        found: Any = evaluator.run(None, {"board": board})
        assert found[0][0].astype(np.int64).tolist() == NET.outputs(position.board).tolist()
