"""A house net as an ONNX file, for programs that read nets: exact, with standard operators alone.

    input    double [n, 13 or 31, 8, 8]   the planes of `engine.net` and `engine.sight`, as the
                                          mover sees the board: planes, ranks, files; a1 is [0, 0]
    output   double [n, 1858]             the logits of `engine.policy_map`'s moves, whole numbers

Every value is an integer below 2^53 by the net's static bounds, so that doubles hold all of them
and their sums are exact in whatever order they are added.  A layer's taps are one Gather and one
MatMul instead of a Conv: onnxruntime has no Conv of doubles for a CPU.

The dice's noise is not in the file: dice belong to a proof and not to a net.  The logits are those
of `NetSpec.forward` for a net without noise of either kind.
"""

import os
from pathlib import Path
from typing import Final

import numpy as np

from engine.export import SQUARES, Graph
from engine.net import NetSpec, tap_squares
from engine.net_file import PIECES, Head, IntArray, Layer
from engine.policy_map import FROM_SQUARE, MOVE_TYPES, MOVERS, POLICY_SIZE, TO_SQUARE, TYPE

PRODUCER: Final = "checkproof/house-net/2"

_SIDE: Final = 8
_BATCH: Final = "n"


def house_to_onnx(net: NetSpec) -> bytes:
    """The net as an ONNX file.  Raises InvalidNet for a net that `bounds` refuses, OnnxMissing."""
    net.bounds()  # doubles are exact within them
    graph = Graph(numbers=np.float64)
    planes = graph.add("Reshape", "planes", graph.shape(0, net.input_planes, SQUARES))
    features, count = planes, net.input_planes
    for layer in net.layers:
        outputs = _layer(graph, layer, features, inputs=count)
        features = graph.add("Concat", features, outputs, axis=1)
        count += len(layer.bias)
    _head(graph, net.head, planes, features)
    return graph.model(
        ("planes", [_BATCH, net.input_planes, _SIDE, _SIDE]),
        ("logits", [_BATCH, POLICY_SIZE]),
        producer=PRODUCER,
    )


def write_onnx(net: NetSpec, path: Path) -> None:
    """Write the net's ONNX file whole or not at all.  Raises as `house_to_onnx`; OSError."""
    data = house_to_onnx(net)
    partial = path.with_name(path.name + ".tmp")
    partial.write_bytes(data)
    os.replace(partial, path)


def _layer(graph: Graph, layer: Layer, features: str, *, inputs: int) -> str:
    """(n, outputs, 64) over features (n, inputs, 64)."""
    taps = len(layer.taps)
    padded = graph.add("Pad", features, graph.shape(0, 0, 0, 0, 0, 1))  # the square OFF_BOARD
    seen = graph.add("Gather", padded, graph.whole(tap_squares(layer.taps)), axis=2)
    seen = graph.add("Reshape", seen, graph.shape(0, inputs * taps, SQUARES))
    x = _sums(graph, seen, layer.weights, layer.bias)
    if layer.gate is not None:
        return graph.add("Mul", x, _sums(graph, seen, layer.gate.weights, layer.gate.bias))
    scale = graph.constant(np.array(2.0**-layer.shift))  # a power of two: exact
    return graph.add("Floor", graph.add("Mul", graph.add("Relu", x), scale))


def _sums(graph: Graph, seen: str, weights: IntArray, bias: IntArray) -> str:
    rows = graph.constant(weights.reshape(len(weights), -1))
    return graph.add("Add", graph.add("MatMul", rows, seen), graph.constant(bias[:, None]))


def _head(graph: Graph, head: Head, planes: str, features: str) -> None:
    logits = graph.add(
        "Add",
        _of_type(graph, head.from_weights, features, FROM_SQUARE),
        _of_type(graph, head.to_weights, features, TO_SQUARE),
    )
    if head.piece_weights.any():
        logits = graph.add("Add", logits, _of_pieces(graph, head, planes, features))
    graph.add("Add", logits, graph.constant(head.bias), name="logits")


def _of_type(graph: Graph, rows: IntArray, features: str, squares: IntArray) -> str:
    """(n, 1858): what the rows (73, features) say of each move's type on one of its squares."""
    scores = graph.add("MatMul", graph.constant(rows), features)  # (n, 73, 64)
    flat = graph.add("Reshape", scores, graph.shape(0, MOVE_TYPES * SQUARES))
    return graph.add("Gather", flat, graph.whole(TYPE * SQUARES + squares), axis=1)


def _of_pieces(graph: Graph, head: Head, planes: str, features: str) -> str:
    """(n, 1858): what the own piece on the from-square, if it moves so, says of the to-square."""
    own = graph.add("Gather", planes, graph.whole(np.arange(PIECES)), axis=1)
    own = graph.add("Gather", own, graph.whole(FROM_SQUARE), axis=2)  # (n, 6, 1858)
    able = graph.add("Mul", own, graph.constant(MOVERS.T))
    reach = graph.add("MatMul", graph.constant(head.piece_weights), features)
    reach = graph.add("Gather", reach, graph.whole(TO_SQUARE), axis=2)
    return graph.add("ReduceSum", graph.add("Mul", able, reach), graph.shape(1), keepdims=0)
