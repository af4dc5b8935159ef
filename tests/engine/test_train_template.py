"""The template: torch, numpy and the exported file are one net, and training makes it better."""

from pathlib import Path

import chess
import numpy as np
import onnx
import pytest
import torch

from engine.encoding import Position, encode_board
from engine.export import Heads, piece_codes, to_onnx
from engine.policy_map import legal_mask, move_index
from engine.train.data import Label, _shard
from engine.train.template import (
    MoveLogits,
    TemplateNet,
    TemplateOptions,
    TemplateShape,
    main,
    train_template,
)

SHAPES = [TemplateShape(embed=3, hidden=8), TemplateShape(embed=2, hidden=5, by_piece=True)]
FENS = [
    chess.STARTING_FEN,
    "r3k2r/P2p1ppp/2n2n2/1pPP4/4P3/2N2N2/5PPP/R3K2R b KQkq - 0 15",
    "8/P6k/8/8/8/8/8/K7 w - - 0 1",
]


def net_of(shape: TemplateShape) -> TemplateNet:
    torch.manual_seed(4)
    net = TemplateNet(shape)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    return net


def codes_of(fen: str) -> torch.Tensor:
    codes = piece_codes(encode_board(chess.Board(fen)))
    return torch.from_numpy(codes).float()[None]


@pytest.mark.parametrize("shape", SHAPES, ids=["plain", "by piece"])
@pytest.mark.parametrize("fen", FENS)
def test_torch_and_numpy_agree_to_the_last_digit(shape: TemplateShape, fen: str) -> None:
    net = net_of(shape)
    word = encode_board(chess.Board(fen))
    with torch.no_grad():
        outputs = net(codes_of(fen))
        logits = MoveLogits(shape.heads)(outputs, codes_of(fen))[0]
    exact = net.to_weights().outputs(word)
    assert outputs[0].tolist() == exact.tolist()
    mask = legal_mask(chess.Board(fen))
    legal = [i for i in range(1858) if mask >> i & 1]
    expected = shape.heads.logits(exact, word)
    assert logits[legal].tolist() == expected[legal].tolist()


@pytest.mark.parametrize("shape", SHAPES, ids=["plain", "by piece"])
def test_the_file_holds_the_same_net(shape: TemplateShape) -> None:
    weights = net_of(shape).to_weights()
    assert to_onnx(weights) == to_onnx(weights)
    model = onnx.load_model_from_string(to_onnx(weights))
    stored = [onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer]
    for array in vars(weights).values():
        assert any(np.array_equal(found.reshape(-1), array.reshape(-1)) for found in stored)
    outputs = model.graph.output[0].type.tensor_type.shape.dim[1].dim_value
    assert Heads.of(outputs) == shape.heads


def test_training_learns_what_it_is_shown() -> None:
    """Positions after every first move; the teacher always answers the same."""
    labels = []
    for move in list(chess.Board().legal_moves) * 8:
        board = chess.Board()
        board.push(move)
        reply = move_index(board, chess.Move.from_uci("g8f6"))
        labels.append(Label(encode_board(board), legal_mask(board), ((reply, 100),)))
    options = TemplateOptions(epochs=6, batch=16, rate=0.02, holdout=10)
    shape = TemplateShape(embed=2, hidden=4)
    net = train_template(_shard(labels, 1), shape, options)
    board = chess.Board("rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b KQkq - 0 1")
    position = Position.of(board)
    outputs = net.to_weights().outputs(position.board)
    chosen = shape.heads.choose(outputs, position.board, legal_mask(board))
    assert chosen == move_index(board, chess.Move.from_uci("g8f6"))


def test_the_command_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--folder", str(tmp_path), "--out", str(tmp_path / "net.onnx")]) == 1
    assert "no labelled positions" in capsys.readouterr().err
    assert not (tmp_path / "net.onnx").exists()
