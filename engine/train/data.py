"""Positions from lively games, with Stockfish's scores of their best moves.

Games begin with random moves.  Then either both sides play what Stockfish likes (drawn by score,
with a random move now and then), or one side does and the other moves at random, so that the net
also learns to use mistakes and to give mate.  With a net given, it has one side of every game or
both, so that it learns from the positions it gets itself into; others then play more loosely.

A shard is a .npz file of games seeded by (seed, shard number) alone:

    board   uint8 (n, 32)    board word, little-endian
    legal   uint8 (n, 233)   legal mask, little-endian
    index   int16 (n, lines) policy indices of the best moves, best first, -1 for none
    score   int16 (n, lines) their scores in centipawns; mate in n is ±(30,000 - n)
"""

import multiprocessing
import os
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import chess
import numpy as np
from numpy.typing import NDArray

from engine.encoding import Position, encode_board
from engine.errors import NoTrainingData
from engine.net import NetSpec
from engine.player import choose
from engine.policy_map import POLICY_SIZE, index_move, legal_mask, move_index
from engine.train.stockfish import Scored, Stockfish, find_stockfish

Progress = Callable[[int, int, str], None]
"""Called with (done, total, what) as a long job goes on."""

MASK_BYTES: Final = (POLICY_SIZE + 7) // 8
LONGEST_GAME: Final = 160

_RANDOM_SHARE: Final = 0.04
_DRAW_SCALE: Final = 30.0  # centipawns per e-fold when a move is drawn by its score
_LOOSE_SCALE: Final = 120.0  # of a net's opponent, so that it is not always lost
_NOISE_SHARE: Final = 0.25  # of the games, in which one side moves at random


@dataclass(frozen=True)
class Shard:
    """Labelled positions; the columns of the module's head."""

    board: NDArray[np.uint8]
    legal: NDArray[np.uint8]
    index: NDArray[np.int16]
    score: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.board)


@dataclass(frozen=True)
class DataOptions:
    """How positions are made and labelled."""

    seed: int = 1
    nodes: int = 600
    lines: int = 6
    shard_positions: int = 2000
    net_file: Path | None = None  # whose games are a part of the data, if any
    stockfish: str | None = None


@dataclass(frozen=True)
class Label:
    """One position and what Stockfish thinks of it."""

    board: int
    legal: int
    best: tuple[tuple[int, int], ...]  # (policy index, score)


Player = Callable[[chess.Board, "list[Scored]"], chess.Move]


def make_data(
    folder: Path,
    *,
    positions: int,
    options: DataOptions = DataOptions(),
    workers: int = 1,
    progress: Progress | None = None,
) -> None:
    """Fill `folder` with shards until it holds at least `positions`; finished shards are kept.

    Raises StockfishMissing.
    """
    find_stockfish(options.stockfish)
    folder.mkdir(parents=True, exist_ok=True)
    count = -(-positions // options.shard_positions)
    missing = [i for i in range(count) if not shard_path(folder, options.seed, i).exists()]
    report = progress or silent
    report(count - len(missing), count, "shards of labelled positions")
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn) as pool:
        job = partial(_make_shard, folder, options)
        for done, _ in enumerate(pool.map(job, missing), start=count - len(missing) + 1):
            report(done, count, "shards of labelled positions")


def silent(done: int, total: int, what: str) -> None:
    pass


def shard_path(folder: Path, seed: int, number: int) -> Path:
    return folder / f"shard-{seed}-{number:05d}.npz"


def load_data(folder: Path) -> Shard:
    """All shards of a folder as one, each board word once."""
    shards = [load_shard(path) for path in sorted(folder.glob("shard-*.npz"))]
    if not shards:
        raise NoTrainingData(str(folder))
    board = np.concatenate([shard.board for shard in shards])
    _, first = np.unique(board, axis=0, return_index=True)
    return Shard(
        board=board[first],
        legal=np.concatenate([shard.legal for shard in shards])[first],
        index=np.concatenate([shard.index for shard in shards])[first],
        score=np.concatenate([shard.score for shard in shards])[first],
    )


def load_shard(path: Path) -> Shard:
    with np.load(path) as columns:
        return Shard(columns["board"], columns["legal"], columns["index"], columns["score"])


def _make_shard(folder: Path, options: DataOptions, number: int) -> None:
    rng = random.Random(f"{options.seed}/{number}")
    net = NetSpec.load(options.net_file) if options.net_file else None
    labels: list[Label] = []
    with Stockfish(nodes=options.nodes, lines=options.lines, path=options.stockfish) as stockfish:
        while len(labels) < options.shard_positions:
            stockfish.new_game()
            labels.extend(play_game(stockfish, rng, net=net))
    path = shard_path(folder, options.seed, number)
    partial_path = path.with_suffix(f".{os.getpid()}.tmp")
    with partial_path.open("wb") as file:
        shard = _shard(labels, options.lines)
        np.savez_compressed(
            file, board=shard.board, legal=shard.legal, index=shard.index, score=shard.score
        )
    partial_path.replace(path)  # a shard is there whole or not at all


def play_game(
    stockfish: Stockfish, rng: random.Random, *, net: NetSpec | None = None
) -> Iterator[Label]:
    """The labelled positions of one game."""
    board = random_opening(rng)
    noise = partial(_at_random, rng)
    first: Player = partial(_by_score, rng, _DRAW_SCALE)
    second = first
    if net is not None:
        first = partial(_by_net, rng, net)
        second = first if rng.random() < 0.5 else partial(_by_score, rng, _LOOSE_SCALE)
    if rng.random() < _NOISE_SHARE:
        second = noise
    white, black = (first, second) if rng.random() < 0.5 else (second, first)
    while any(board.legal_moves) and board.ply() < LONGEST_GAME and not _is_drawn(board):
        player = white if board.turn == chess.WHITE else black
        best: list[Scored] = []
        if player is not noise:
            best = stockfish.best_moves(board)
            yield _label(board, best)
        board.push(player(board, best))


def random_opening(rng: random.Random, *, least: int = 2, most: int = 10) -> chess.Board:
    """A position after some random moves, with a legal move left."""
    while True:
        board = chess.Board()
        for _ in range(rng.randint(least, most)):
            moves = list(board.legal_moves)
            if not moves:
                break
            board.push(rng.choice(moves))
        if any(board.legal_moves):
            return board


def _is_drawn(board: chess.Board) -> bool:
    return board.is_insufficient_material() or board.is_repetition(3) or board.halfmove_clock >= 60


def _by_score(
    rng: random.Random, scale: float, board: chess.Board, best: list[Scored]
) -> chess.Move:
    if rng.random() < _RANDOM_SHARE:
        return _at_random(rng, board, best)
    scores = np.array([scored.score for scored in best], dtype=np.float64)
    weights = np.exp((scores - scores.max()) / scale)
    return rng.choices([scored.move for scored in best], weights.tolist())[0]


def _at_random(rng: random.Random, board: chess.Board, best: list[Scored]) -> chess.Move:  # noqa: ARG001
    return rng.choice(list(board.legal_moves))


def _by_net(rng: random.Random, net: NetSpec, board: chess.Board, best: list[Scored]) -> chess.Move:
    if rng.random() < _RANDOM_SHARE:
        return _at_random(rng, board, best)
    return index_move(board, choose(net, Position.of(board), legal_mask(board)))


def _label(board: chess.Board, best: list[Scored]) -> Label:
    return Label(
        board=encode_board(board),
        legal=legal_mask(board),
        best=tuple((move_index(board, scored.move), scored.score) for scored in best),
    )


def _shard(labels: list[Label], lines: int) -> Shard:
    index = np.full((len(labels), lines), -1, dtype=np.int16)
    score = np.zeros((len(labels), lines), dtype=np.int16)
    for row, label in enumerate(labels):
        for column, (move, value) in enumerate(label.best):
            index[row, column], score[row, column] = move, value
    return Shard(
        board=_bytes([label.board for label in labels], 32),
        legal=_bytes([label.legal for label in labels], MASK_BYTES),
        index=index,
        score=score,
    )


def _bytes(words: list[int], size: int) -> NDArray[np.uint8]:
    data = b"".join(word.to_bytes(size, "little") for word in words)
    return np.frombuffer(data, dtype=np.uint8).reshape(-1, size)
