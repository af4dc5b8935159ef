"""One small net in two forms: a house net, whose circuit is ours, and an ONNX file for the arena.

Planes of the twelve pieces, a 3x3 convolution with a rectifier, and for each square the logit of
leaving it and of reaching it.  House nets can do more, as their logits may depend on the kind of
move; an arena net's outputs are public and have to be few.
"""

from dataclasses import dataclass

import numpy as np

from engine.export import PIECE_CODES, PROMOTIONS, SQUARES, Graph, piece_codes
from engine.net import NetSpec
from engine.net_file import INPUT_PLANES, PIECES, Head, IntArray, Layer
from engine.policy_map import MOVE_TYPES, MOVES

_SIDE = 3
_TAPS = tuple((file, rank) for rank in (-1, 0, 1) for file in (-1, 0, 1))


@dataclass(frozen=True, eq=False)
class ConvNet:
    """All arrays are int64; c channels."""

    kernel: IntArray  # (c, 12, 3, 3): rank step and file step last, both from -1
    bias: IntArray  # (c,)
    heads: IntArray  # (12 + c, 2): to the logits of leaving and of reaching a square
    promotions: IntArray  # (3,): to queen, rook, bishop

    @classmethod
    def random(cls, seed: int, *, channels: int) -> "ConvNet":
        """A net without a plan."""
        rng = np.random.default_rng(seed)

        def whole(*shape: int) -> IntArray:
            return rng.integers(-9, 10, size=shape, dtype=np.int64)

        return cls(
            kernel=whole(channels, PIECE_CODES, _SIDE, _SIDE),
            bias=whole(channels),
            heads=whole(PIECE_CODES + channels, 2),
            promotions=whole(len(PROMOTIONS)),
        )

    def outputs(self, board_word: int) -> IntArray:
        """The exact outputs (131,) for a board, as its ONNX file computes them."""
        onehot = piece_codes(board_word)[:, None] == np.arange(1, PIECE_CODES + 1)
        planes = np.pad(onehot.T.reshape(-1, 8, 8).astype(np.int64), ((0, 0), (1, 1), (1, 1)))
        sums = np.repeat(self.bias[:, None, None], 64, axis=1).reshape(-1, 8, 8)
        for step, (file, rank) in enumerate(_TAPS):
            seen = planes[:, 1 + rank : 9 + rank, 1 + file : 9 + file]
            weights = self.kernel.reshape(*self.kernel.shape[:2], -1)[:, :, step]
            sums = sums + np.einsum("oi,irf->orf", weights, seen)
        acts = np.maximum(sums, 0).reshape(-1, SQUARES)
        scores = np.concatenate([onehot, acts.T], axis=1) @ self.heads
        found: IntArray = np.concatenate([scores.T.reshape(-1), self.promotions])
        return found


def conv_to_onnx(net: ConvNet) -> bytes:
    """The net as an ONNX file that keeps the arena's contract.  Needs the package `onnx`."""
    channels, graph = len(net.bias), Graph()
    column = graph.add("Reshape", "board", graph.shape(SQUARES, 1))
    codes = graph.constant(np.arange(1, PIECE_CODES + 1).reshape(1, -1))
    onehot = graph.add("Cast", graph.add("Equal", column, codes), to=1)  # 1: float32
    planes = graph.add("Transpose", onehot, perm=[1, 0])
    planes = graph.add("Reshape", planes, graph.shape(1, PIECE_CODES, 8, 8))
    kernel, bias = graph.constant(net.kernel, "kernel"), graph.constant(net.bias, "bias")
    sides, ones = [_SIDE, _SIDE], [1, 1, 1, 1]
    sums = graph.add(
        *("Conv", planes, kernel, bias), kernel_shape=sides, strides=ones[:2], pads=ones
    )
    acts = graph.add("Relu", sums)
    acts = graph.add("Reshape", acts, graph.shape(channels, SQUARES))
    features = graph.add("Concat", onehot, graph.add("Transpose", acts, perm=[1, 0]), axis=1)
    scores = graph.add("MatMul", features, graph.constant(net.heads, "heads"))
    scores = graph.add("Transpose", scores, perm=[1, 0])
    scores = graph.add("Reshape", scores, graph.shape(1, 2 * SQUARES))
    promotions = graph.constant(net.promotions.reshape(1, -1), "promotions")
    graph.add("Concat", scores, promotions, axis=1, name="logits")
    return graph.arena_model(outputs=2 * SQUARES + len(PROMOTIONS))


def conv_to_house(net: ConvNet, name: str) -> NetSpec:
    """The net as a house net: every kind of move has the same weights."""
    channels = len(net.bias)
    weights = np.zeros((channels, INPUT_PLANES, len(_TAPS)), dtype=np.int64)
    weights[:, :PIECE_CODES] = net.kernel.reshape(channels, PIECE_CODES, -1)
    # The plane of ones, between the pieces and the channels, is not read.
    rows = np.insert(net.heads, PIECE_CODES, 0, axis=0).T
    promotion = {piece: int(net.promotions[k]) for k, piece in enumerate(PROMOTIONS)}
    bias = [promotion.get(move.promotion, 0) if move.promotion else 0 for move in MOVES]
    head = Head(
        from_weights=np.repeat(rows[:1], MOVE_TYPES, axis=0),
        to_weights=np.repeat(rows[1:], MOVE_TYPES, axis=0),
        piece_weights=np.zeros((PIECES, rows.shape[1]), dtype=np.int64),
        bias=np.array(bias, dtype=np.int64),
    )
    spec = NetSpec(name, (Layer(_TAPS, weights, net.bias, shift=0),), head)
    return NetSpec.from_bytes(spec.to_bytes())  # raises InvalidNet for values too large
