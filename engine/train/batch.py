"""Labelled positions as tensors: what a net reads, and what it is told about the moves.

The target of a position is a softmax over Stockfish's scores of its best moves.  What a move gives
away is in points of the game's result: the expected score of the best move less its own, where a
score of c centipawns is expected to bring 1 / (1 + exp(-c / 250)).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.policy_map import POLICY_SIZE
from engine.train.data import Shard
from engine.train.planes import input_tensor
from engine.train.stockfish import MATE_SCORE

TEMPERATURE: Final = 60.0  # centipawns an e-fold of the target
_CLIP: Final = 2000  # centipawns beyond which only mates are better
_EVEN: Final = 250.0  # centipawns that make the expected score 0.73


@dataclass(frozen=True)
class Batch:
    """Positions ready for the net."""

    planes: Tensor  # (n, 13 or 31, 8, 8) float
    legal: Tensor  # (n, 1858) bool
    index: Tensor  # (n, lines) int64, 0 where there is no move
    target: Tensor  # (n, lines), rows sum to 1
    lost: Tensor  # (n, lines), points that a move gives away against the best one


def make_batch(
    data: Shard,
    rows: NDArray[np.int64],
    *,
    sight: bool = True,
    temperature: float = TEMPERATURE,
    device: torch.device | None = None,
) -> Batch:
    """The given rows of the data."""
    legal = np.unpackbits(data.legal[rows], axis=1, bitorder="little", count=POLICY_SIZE)
    index = data.index[rows].astype(np.int64)
    return Batch(
        planes=input_tensor(data.board[rows], sight=sight, device=device),
        legal=torch.from_numpy(legal.astype(bool)).to(device),
        index=torch.from_numpy(np.maximum(index, 0)).to(device),
        target=torch.from_numpy(_targets(index, data.score[rows], temperature)).to(device),
        lost=torch.from_numpy(_lost(index, data.score[rows])).to(device),
    )


def _centipawns(score: NDArray[np.int16]) -> NDArray[np.float64]:
    """Scores with the nearest mates highest, and none beyond 3,000."""
    value = np.clip(score.astype(np.float64), -_CLIP, _CLIP)
    distance = MATE_SCORE - np.abs(score.astype(np.float64))  # moves to mate, if there is one
    mate = np.abs(score) > MATE_SCORE - 1000
    return np.where(mate, np.sign(score) * (3000 - 40 * np.minimum(distance, 20)), value)


def _lost(index: NDArray[np.int64], score: NDArray[np.int16]) -> NDArray[np.float32]:
    points = np.where(index >= 0, 1 / (1 + np.exp(-_centipawns(score) / _EVEN)), 0)
    lost = np.where(index >= 0, points.max(axis=1, keepdims=True) - points, 0)
    return lost.astype(np.float32)


def _targets(
    index: NDArray[np.int64], score: NDArray[np.int16], temperature: float
) -> NDArray[np.float32]:
    value = _centipawns(score)
    weight = np.exp((value - value.max(axis=1, keepdims=True)) / temperature) * (index >= 0)
    weight /= weight.sum(axis=1, keepdims=True)
    target: NDArray[np.float32] = weight.astype(np.float32)
    return target
