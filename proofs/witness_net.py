"""The net's part of a witness: planes, layers and the head, as in proofs/circuit_net.py."""

from __future__ import annotations

import numpy as np

from engine.net import NetSpec, Trace
from engine.policy_map import FROM_SQUARE
from engine.sight import OFF_BOARD, RAY_SQUARES
from engine.wiring import LayerWiring, PieceWiring, SightWiring
from proofs.r1cs import Ints
from proofs.wires import Wires, decompose

_PLANES = 12


def assign_net(wires: Wires, net: NetSpec, board: Ints, trace: Trace) -> None:
    """Every wire between the 256 bits of the board word and the logits."""
    wiring = wires.layout.wiring
    _squares(wires, board.reshape(64, 4))
    if net.sight:
        _sight(wires, wiring.sight, trace.planes)
    for k, (layer, pre, act) in enumerate(zip(wiring.layers, trace.pre, trace.act, strict=True)):
        _layer(wires, f"layer {k}", layer, pre.ravel()[layer.rows], act.ravel()[layer.rows])
    if len(wiring.pieces.index):
        _pieces(wires, wiring.pieces, net.head.piece_weights, trace)


def _squares(wires: Wires, nibbles: Ints) -> None:
    b0, b1, b2, b3 = nibbles.T
    top = wires.put("square top", b3 * b2)
    low = wires.put("square low", b1 * b0)
    rows = np.stack([1 - b3 - b2 + top, b2 - top, b3 - top])
    columns = np.stack([b0 - low, b1 - low, low])
    wires.put("piece", rows[:, None] * columns[None])  # (3, 3, 64)


def _sight(wires: Wires, wiring: SightWiring, planes: Ints) -> None:
    if len(wiring.squares):
        empty = wires.put("empty", 1 - planes[:_PLANES].sum(axis=0))
        seen = np.zeros((_PLANES + 1, len(RAY_SQUARES), OFF_BOARD + 1), dtype=np.int64)
        there = np.pad(planes[:_PLANES], ((1, 0), (0, 1)))  # codes 0..12; 0 stands for none
        through = np.append(empty, 0)
        near = RAY_SQUARES[:, 0]
        for _ in range(7):  # each time the lines see one square further
            beyond = np.take_along_axis(seen, near[None], axis=2)
            seen[..., :OFF_BOARD] = there[:, near] + through[near] * beyond
        wires.put("seen", seen[wiring.codes, wiring.lines, wiring.squares])
    if len(wiring.summed):
        wires.put("sight", planes[_PLANES + 1 + wiring.summed])


def _layer(wires: Wires, name: str, layer: LayerWiring, pre: Ints, act: Ints) -> None:
    if not layer.gate:
        half = np.left_shift(1, layer.widths - 1)
        wires.put(f"{name} bits", decompose(pre + half, layer.widths))
    wires.put(name, act)


def _pieces(wires: Wires, wiring: PieceWiring, weights: Ints, trace: Trace) -> None:
    features = np.concatenate([trace.planes, *trace.act])
    reach = wires.put("reach", (weights @ features).ravel()[wiring.reach])
    pairs = [[int(reach[k]) for k in pair] for pair in wiring.pairs]
    wires.put_large("reach pair", [first * second for first, second in pairs])
    pieces, squares = wiring.reach // 64, FROM_SQUARE[wiring.index]
    terms = features[pieces[wiring.first], squares] * reach[wiring.first]
    others = np.flatnonzero(wiring.second >= 0)
    place = wiring.second[others]
    terms[others] += features[pieces[place], squares[others]] * reach[place]
    wires.put("piece term", np.delete(terms, wiring.last))
    wires.put("logit", trace.logits[wiring.index[wiring.last]])
