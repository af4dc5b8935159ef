"""Labelled positions: shards that repeat, resume and read back."""

import random
from pathlib import Path
from unittest.mock import Mock

import chess
import numpy as np
import pytest

from engine.encoding import Position, decode
from engine.errors import NoTrainingData, StockfishMissing, StockfishStopped
from engine.player import legal_indices
from engine.policy_map import index_move, legal_mask
from engine.train.data import (
    DataOptions,
    Shard,
    load_data,
    load_shard,
    make_data,
    play_game,
    random_opening,
    shard_path,
)
from engine.train.stockfish import MATE_SCORE, Stockfish
from tests.engine.conftest import engine_script
from tests.engine.nets import random_net


def _options(stockfish_path: str, **changes: int | Path) -> DataOptions:
    options = {"shard_positions": 30, "lines": 4} | changes
    return DataOptions(stockfish=stockfish_path, **options)  # type: ignore[arg-type]


def _same(first: Shard, second: Shard) -> bool:
    return all(
        np.array_equal(getattr(first, column), getattr(second, column))
        for column in ("board", "legal", "index", "score")
    )


def test_best_moves_are_sorted_and_scored(stockfish_path: str) -> None:
    board = chess.Board("6k1/5ppp/8/8/8/8/8/R3K3 w - - 0 1")
    with Stockfish(nodes=10, lines=50, path=stockfish_path) as stockfish:
        best = stockfish.best_moves(board)
        assert stockfish.best_moves(chess.Board("7k/5Q2/6K1/8/8/8/8/8 b - - 0 1")) == []
    assert best[0].move == chess.Move.from_uci("a1a8")
    assert best[0].score == MATE_SCORE - 1
    assert [scored.score for scored in best] == sorted((s.score for s in best), reverse=True)
    assert len(best) == board.legal_moves.count()


def test_a_missing_stockfish_is_one_clear_line() -> None:
    with pytest.raises(StockfishMissing, match="no Stockfish at /nowhere/stockfish"):
        Stockfish(nodes=1, lines=1, path="/nowhere/stockfish")


def test_a_stockfish_that_ends_is_reported(tmp_path: Path) -> None:
    with pytest.raises(StockfishStopped):
        Stockfish(nodes=1, lines=1, path=engine_script(tmp_path, "exit 3"))


def test_labels_name_legal_moves(stockfish_path: str) -> None:
    with Stockfish(nodes=10, lines=4, path=stockfish_path) as stockfish:
        labels = list(play_game(stockfish, random.Random(5), net=random_net()))
    assert labels
    for label in labels:
        assert 1 <= len(label.best) <= 4
        for index, _ in label.best:
            assert label.legal >> index & 1


def test_a_net_plays_itself_and_others(
    stockfish_path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In each game of a net's data it has one side at least, and in some both."""
    asked = Mock(side_effect=lambda *seen: int(legal_indices(seen[-1])[0]))
    monkeypatch.setattr("engine.train.data.choose", asked)
    monkeypatch.setattr("engine.train.data.LONGEST_GAME", 40)
    shares = []
    with Stockfish(nodes=10, lines=4, path=stockfish_path) as stockfish:
        assert list(play_game(stockfish, random.Random(1)))
        assert not asked.called
        for seed in range(12):
            asked.reset_mock()
            labels = list(play_game(stockfish, random.Random(seed), net=random_net()))
            shares.append(asked.call_count / len(labels))
    assert min(shares) > 0.3
    assert min(shares) < 0.6
    assert max(shares) > 0.8


def test_data_repeats_with_its_seed(stockfish_path: str, tmp_path: Path) -> None:
    for name in ("first", "second"):
        make_data(tmp_path / name, positions=60, options=_options(stockfish_path))
    assert _same(load_data(tmp_path / "first"), load_data(tmp_path / "second"))
    make_data(tmp_path / "other", positions=60, options=_options(stockfish_path, seed=2))
    assert not _same(load_data(tmp_path / "first"), load_data(tmp_path / "other"))


def test_finished_shards_are_kept(stockfish_path: str, tmp_path: Path) -> None:
    options, seen = _options(stockfish_path), list[tuple[int, int]]()
    folder = tmp_path / "data"
    make_data(folder, positions=60, options=options)
    whole = load_data(folder)
    first, second = shard_path(folder, 1, 0), shard_path(folder, 1, 1)
    kept = first.stat().st_mtime_ns
    second.unlink()
    make_data(
        folder,
        positions=60,
        options=options,
        progress=lambda done, total, _: seen.append((done, total)),
    )
    assert seen == [(1, 2), (2, 2)]
    assert first.stat().st_mtime_ns == kept
    assert _same(load_data(folder), whole)
    assert [path for path in folder.iterdir() if path.suffix != ".npz"] == []


def test_columns_read_back_as_positions(stockfish_path: str, tmp_path: Path) -> None:
    make_data(tmp_path / "data", positions=1, options=_options(stockfish_path))
    shard = load_shard(shard_path(tmp_path / "data", 1, 0))
    assert len(shard) >= 30
    for row in range(len(shard)):
        word = int.from_bytes(shard.board[row].tobytes(), "little")
        board = decode(Position(word, 0), chess.WHITE)
        mask = int.from_bytes(shard.legal[row].tobytes(), "little")
        # Castling and en passant are in the context word, which the columns leave out.
        assert mask & legal_mask(board) == legal_mask(board)
        for index in shard.index[row][shard.index[row] >= 0].tolist():
            assert mask >> index & 1
            if legal_mask(board) >> index & 1:
                assert board.is_legal(index_move(board, index))


def test_each_position_is_kept_once(stockfish_path: str, tmp_path: Path) -> None:
    make_data(tmp_path / "data", positions=90, options=_options(stockfish_path))
    boards = load_data(tmp_path / "data").board
    assert len(np.unique(boards, axis=0)) == len(boards)


def test_a_folder_without_data_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(NoTrainingData, match="no labelled positions in"):
        load_data(tmp_path)


def test_random_openings_leave_a_move() -> None:
    rng = random.Random(0)
    for _ in range(50):
        board = random_opening(rng, least=2, most=10)
        assert 2 <= board.ply() <= 10
        assert any(board.legal_moves)
