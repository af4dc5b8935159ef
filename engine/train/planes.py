"""The input planes of many positions at once, in torch.

`engine.sight` says what the planes mean; here they are drawn by pushing whole boards about, which
the tests compare with it.
"""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Steps = tuple[tuple[int, int], ...]

DIAGONAL: Final[Steps] = ((1, 1), (1, -1), (-1, -1), (-1, 1))
STRAIGHT: Final[Steps] = ((0, 1), (1, 0), (0, -1), (-1, 0))
KNIGHT: Final[Steps] = ((1, 2), (2, 1), (2, -1), (1, -2), (-1, -2), (-2, -1), (-2, 1), (-1, 2))
KING: Final[Steps] = DIAGONAL + STRAIGHT
_UP: Final[Steps] = ((1, 1), (-1, 1))
_DOWN: Final[Steps] = ((1, -1), (-1, -1))
_PAWN, _KNIGHT, _BISHOP, _ROOK, _QUEEN, _KING = range(6)


def input_tensor(
    boards: NDArray[np.uint8], *, sight: bool, device: torch.device | None = None
) -> Tensor:
    """Board words (n, 32), little-endian, to planes (n, 13 or 31, 8, 8), float32."""
    codes = np.stack([boards & 15, boards >> 4], axis=2).reshape(-1, 1, 64)
    planes = np.ones((len(boards), 13, 64), dtype=np.float32)
    planes[:, :12] = codes == np.arange(1, 13)[:, None]
    drawn = torch.from_numpy(planes.reshape(-1, 13, 8, 8)).to(device)
    return torch.cat([drawn, sight_tensor(drawn[:, :12])], dim=1) if sight else drawn


def sight_tensor(pieces: Tensor) -> Tensor:
    """Piece planes (n, 12, 8, 8) to the 18 planes of what sees each square."""
    empty = (pieces.sum(1, keepdim=True) == 0).to(pieces.dtype)
    sliders = [_BISHOP, _QUEEN, _KING, 6 + _BISHOP, 6 + _QUEEN, 6 + _KING]
    diagonal = _slides(pieces[:, sliders], DIAGONAL, empty)
    sliders = [_ROOK, _QUEEN, _KING, 6 + _ROOK, 6 + _QUEEN, 6 + _KING]
    straight = _slides(pieces[:, sliders], STRAIGHT, empty)
    knights = _steps(pieces[:, [_KNIGHT, 6 + _KNIGHT, 6 + _KING]], KNIGHT)
    kings = _steps(pieces[:, [_KING, 6 + _KING]], KING)
    below = _steps(pieces[:, [6 + _PAWN, 6 + _KING]], _DOWN)
    planes = []
    for side in (0, 1):
        pawns = _steps(pieces[:, [_PAWN]], _UP) if side == 0 else below[:, :1]
        queens = diagonal[:, 3 * side + 1] + straight[:, 3 * side + 1]
        planes += [pawns[:, 0], knights[:, side], diagonal[:, 3 * side], straight[:, 3 * side]]
        planes += [queens, kings[:, side]]
    planes += [diagonal[:, 2], straight[:, 2], diagonal[:, 5], straight[:, 5]]
    return torch.stack([*planes, knights[:, 2], below[:, 1]], dim=1)


def _slides(pieces: Tensor, directions: Steps, empty: Tensor) -> Tensor:
    """How many of the pieces reach each square, going on over empty squares."""
    reached = torch.zeros_like(pieces)
    for direction in directions:
        front = pieces
        for _ in range(7):
            front = _pushed(front, direction)
            reached = reached + front
            front = front * empty
    return reached


def _steps(pieces: Tensor, steps: Steps) -> Tensor:
    reached = torch.zeros_like(pieces)
    for step in steps:
        reached = reached + _pushed(pieces, step)
    return reached


def _pushed(boards: Tensor, step: tuple[int, int]) -> Tensor:
    """The boards (.., 8 ranks, 8 files) moved by (files, ranks); what leaves is gone."""
    out = torch.zeros_like(boards)
    files, ranks = step
    (to_file, from_file), (to_rank, from_rank) = _overlap(files), _overlap(ranks)
    out[..., to_rank, to_file] = boards[..., from_rank, from_file]
    return out


def _overlap(step: int) -> tuple[slice, slice]:
    low, high = max(step, 0), 8 + min(step, 0)
    return slice(low, high), slice(low - step, high - step)
