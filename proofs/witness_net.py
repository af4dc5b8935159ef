"""The net's part of a witness: planes, layers and the head, as in proofs/circuit_net.py."""

from __future__ import annotations

import numpy as np

from engine.net import NetSpec, Trace
from engine.policy_map import FROM_SQUARE
from engine.sight import OFF_BOARD, RAY_SQUARES
from proofs.layout import LayerLayout, PieceLayout, SightLayout
from proofs.r1cs import Ints
from proofs.wires import Wires, decompose

_PLANES = 12


def assign_net(wires: Wires, net: NetSpec, board: Ints, trace: Trace) -> None:
    """Every wire between the 256 bits of the board word and the logits."""
    shape = wires.layout.shape
    _squares(wires, board.reshape(64, 4))
    if net.sight:
        _sight(wires, shape.sight, trace.planes)
    for k, (layer, pre, act) in enumerate(zip(shape.layers, trace.pre, trace.act, strict=True)):
        _layer(wires, f"layer {k}", layer, pre.ravel()[layer.rows], act.ravel()[layer.rows])
    if len(shape.pieces.index):
        _pieces(wires, shape.pieces, net.head.piece_weights, trace)


def _squares(wires: Wires, nibbles: Ints) -> None:
    b0, b1, b2, b3 = nibbles.T
    top = wires.put("square top", b3 * b2)
    low = wires.put("square low", b1 * b0)
    rows = np.stack([1 - b3 - b2 + top, b2 - top, b3 - top])
    columns = np.stack([b0 - low, b1 - low, low])
    wires.put("piece", rows[:, None] * columns[None])  # (3, 3, 64)


def _sight(wires: Wires, layout: SightLayout, planes: Ints) -> None:
    if len(layout.squares):
        empty = wires.put("empty", 1 - planes[:_PLANES].sum(axis=0))
        seen = np.zeros((_PLANES + 1, len(RAY_SQUARES), OFF_BOARD + 1), dtype=np.int64)
        there = np.pad(planes[:_PLANES], ((1, 0), (0, 1)))  # codes 0..12; 0 stands for none
        through = np.append(empty, 0)
        near = RAY_SQUARES[:, 0]
        for _ in range(7):  # each time the lines see one square further
            beyond = np.take_along_axis(seen, near[None], axis=2)
            seen[..., :OFF_BOARD] = there[:, near] + through[near] * beyond
        wires.put("seen", seen[layout.codes, layout.lines, layout.squares])
    if len(layout.summed):
        wires.put("sight", planes[_PLANES + 1 + layout.summed])


def _layer(wires: Wires, name: str, layer: LayerLayout, pre: Ints, act: Ints) -> None:
    if not layer.gate:
        half = np.left_shift(1, layer.widths - 1)
        wires.put(f"{name} bits", decompose(pre + half, layer.widths))
    wires.put(name, act)


def _pieces(wires: Wires, layout: PieceLayout, weights: Ints, trace: Trace) -> None:
    features = np.concatenate([trace.planes, *trace.act])
    reach = wires.put("reach", (weights @ features).ravel()[layout.reach])
    own = features[layout.piece, FROM_SQUARE[layout.index]]
    wires.put("piece term", np.delete(own * reach[layout.reached], layout.last))
    wires.put("logit", trace.logits[layout.index[layout.last]])
