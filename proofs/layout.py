"""Which values of a net get wires, how many bits each run of bits has, and where wires lie.

Decided by the net alone: by its static bounds, and by which weights are 0.  proofs/circuit.py
makes constraints by this, proofs/witness.py fills in values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.bounds import Bounds
from engine.move_groups import groups
from engine.net import NetSpec
from engine.net_file import INPUT_PLANES, Layer
from engine.policy_map import MOVERS, POLICY_SIZE, TO_SQUARE
from engine.sight import KNIGHT_SQUARES, OFF_BOARD, RAY_SQUARES, SIGHT_PLANES
from proofs.r1cs import Ints

BLOCK: Final = 32
"""Moves in a block: the circuit picks a block by index >> 5, then an entry by index & 31."""
BLOCKS: Final = -(-POLICY_SIZE // BLOCK)

EVERY_LINE: Final = tuple(range(8))
_STRAIGHT: Final = (0, 2, 4, 6)
_DIAGONAL: Final = (1, 3, 5, 7)
_UP: Final = (1, 7)
_DOWN: Final = (3, 5)
KNIGHT, NEAR, LINE = "a knight's step away", "a neighbour", "the first piece on a line"
_KING: Final = 6
_THEIRS: Final = 6

SIGHT: Final = (
    *(
        plane
        for side, pawns in ((0, _DOWN), (_THEIRS, _UP))
        for plane in (
            (NEAR, side + 1, pawns),
            (KNIGHT, side + 2, EVERY_LINE),
            (LINE, side + 3, _DIAGONAL),
            (LINE, side + 4, _STRAIGHT),
            (LINE, side + 5, EVERY_LINE),
            (NEAR, side + _KING, EVERY_LINE),
        )
    ),
    (LINE, _KING, _DIAGONAL),
    (LINE, _KING, _STRAIGHT),
    (LINE, _THEIRS + _KING, _DIAGONAL),
    (LINE, _THEIRS + _KING, _STRAIGHT),
    (KNIGHT, _THEIRS + _KING, EVERY_LINE),
    (NEAR, _THEIRS + _KING, _UP),
)
"""What each plane of `engine.sight` counts: pieces of which code, found where, in which of the
eight directions (lines, or knight's steps)."""


@dataclass(frozen=True, eq=False)
class SightLayout:
    """The sight planes that a weight reads, and the wires that they need."""

    read: Ints  # planes 0..17
    summed: Ints  # those of them that get a wire a square
    codes: Ints  # (n,) per "seen" wire the code of the piece,
    lines: Ints  # (n,) the direction
    squares: Ints  # (n,) and the square that is seen from there


@dataclass(frozen=True, eq=False)
class LayerLayout:
    """A layer's rows (output * 64 + square) that can be other than 0, so that have wires."""

    rows: Ints
    widths: Ints  # bits of each row's sum; none in a gate layer
    shift: int
    gate: bool


@dataclass(frozen=True, eq=False)
class PieceLayout:
    """The head's products of an own piece and its row of weights at the to-square."""

    reach: Ints  # piece * 64 + square: where that sum is needed
    index: Ints  # (n,) per product, sorted by this index,
    piece: Ints  # (n,) the piece 0..5,
    reached: Ints  # (n,) and its sum's place in `reach`
    last: Ints  # products that are the last of their index: these force its logit


@dataclass(frozen=True, eq=False)
class Shape:
    """Everything that follows from the net before any wire is numbered."""

    sight: SightLayout
    layers: tuple[LayerLayout, ...]
    pieces: PieceLayout
    compare_widths: Ints  # by group of engine/move_groups.py
    block_compare_widths: Ints  # (32,)


@dataclass(frozen=True, eq=False)
class Layout:
    """A circuit's shape, and where the wires of each name lie."""

    shape: Shape
    blocks: dict[str, slice]
    n_wires: int


def shape_of(net: NetSpec) -> Shape:
    """The shape of a net's circuit."""
    bounds = net.bounds()
    layers = tuple(_layer(layer, bounds, k) for k, layer in enumerate(net.layers))
    return Shape(_sight(net), layers, _pieces(net), *_compare_widths(bounds))


def _sight(net: NetSpec) -> SightLayout:
    read = _planes_read(net) if net.sight else np.zeros(0, dtype=np.int64)
    summed = [p for p in read.tolist() if SIGHT[p][0] != NEAR or len(SIGHT[p][2]) > 2]
    seen = {(code, line) for p in read for kind, code, lines in [SIGHT[p]] if kind == LINE
            for line in lines}  # fmt: skip
    wires = [
        (code, line, square)
        for code, line in sorted(seen)
        for square in np.flatnonzero(RAY_SQUARES[line, 1] != OFF_BOARD)
    ]
    codes, lines, squares = np.array(wires, dtype=np.int64).reshape(-1, 3).T
    return SightLayout(read, np.array(summed, dtype=np.int64), codes, lines, squares)


def _planes_read(net: NetSpec) -> Ints:
    """The sight planes that some weight other than 0 reads."""
    head = net.head
    weights = [w.T for w in (head.from_weights, head.to_weights, head.piece_weights)]
    for layer in net.layers:
        parts = [layer.weights] if layer.gate is None else [layer.weights, layer.gate.weights]
        weights += [w.swapaxes(0, 1).reshape(w.shape[1], -1) for w in parts]
    planes = slice(INPUT_PLANES, INPUT_PLANES + SIGHT_PLANES)
    read = np.any([w[planes].any(axis=1) for w in weights], axis=0)
    return np.flatnonzero(read)


def _layer(layer: Layer, bounds: Bounds, k: int) -> LayerLayout:
    if layer.gate is not None:
        rows = np.flatnonzero((bounds.act_lo[k] != 0) | (bounds.act_hi[k] != 0))
        return LayerLayout(rows, np.zeros(0, dtype=np.int64), 0, gate=True)
    lo, hi = bounds.pre_lo[k].ravel(), bounds.pre_hi[k].ravel()
    rows = np.flatnonzero(hi >> layer.shift > 0)  # elsewhere max(x, 0) >> shift is always 0
    # -2^(w-1) <= lo and hi < 2^(w-1)
    magnitude = np.maximum(bit_length(np.maximum(-lo - 1, 0)), bit_length(hi))
    return LayerLayout(rows, 1 + magnitude[rows], layer.shift, gate=False)


def _pieces(net: NetSpec) -> PieceLayout:
    index, piece = np.nonzero(MOVERS & net.head.piece_weights.any(axis=1))
    reach, reached = np.unique(64 * piece + TO_SQUARE[index], return_inverse=True)
    last = np.flatnonzero(np.diff(index, append=POLICY_SIZE))
    return PieceLayout(reach, index, piece, reached.ravel(), last)


def _compare_widths(bounds: Bounds) -> tuple[Ints, Ints]:
    """Bits of best - logit for each group, and for each entry of whichever block is chosen."""
    below = bounds.logit_hi.max() - bounds.logit_lo  # the most that logit_i can lie below best
    by_group = np.array([below[members].max() for members in groups()], dtype=np.int64)
    padded = np.zeros(BLOCKS * BLOCK, dtype=np.int64)
    padded[:POLICY_SIZE] = below
    by_entry = padded.reshape(BLOCKS, BLOCK).max(axis=0)
    return np.maximum(bit_length(by_group), 1), np.maximum(bit_length(by_entry), 1)


def bit_length(values: Ints) -> Ints:
    """Bits of each value, negative ones read as 0."""
    return np.array([max(int(v), 0).bit_length() for v in values], dtype=np.int64)


def sight_squares(kind: str) -> Ints:
    """(8, 64): the squares where a plane of that kind looks for pieces, OFF_BOARD for none."""
    return KNIGHT_SQUARES if kind == KNIGHT else RAY_SQUARES[:, 0]
