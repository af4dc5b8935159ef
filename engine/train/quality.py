"""How often a finished net agrees with Stockfish."""

from typing import Final

import numpy as np

from engine.net import NetSpec
from engine.policy_map import POLICY_SIZE
from engine.train.data import Shard
from engine.train.model import torch_logits

_AT_ONCE: Final = 500  # positions


def agreement(net: NetSpec, data: Shard) -> float:
    """The share of positions in which the integer net, with the dice at 0, plays Stockfish's first
    move.  As a bot would, it takes the lowest index among the best legal ones."""
    agreed = 0
    for start in range(0, len(data), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        words = [int.from_bytes(board.tobytes(), "little") for board in data.board[rows]]
        legal = np.unpackbits(data.legal[rows], axis=1, bitorder="little", count=POLICY_SIZE)
        logits = np.where(legal, torch_logits(net, words), np.iinfo(np.int64).min)
        agreed += int((logits.argmax(axis=1) == data.index[rows, 0]).sum())
    return agreed / len(data)
