"""Integer nets: one definition that numpy, the circuit and torch follow bit for bit.

The input planes are 13 x 64: plane p < 12 is 1 on the squares whose nibble of the board word is
p + 1, plane 12 is 1 on all 64.  Outside the board every feature is 0, so a layer can tell the edge.
A layer reads *all* features below it (`engine.net_file` draws the order):

    features F_0 = planes, F_{k+1} = F_k followed by the outputs of layer k
    layer k   x[o][s] = bias[o] + sum over i, t of weights[o][i][t] * F_k[i][s shifted by tap t]
              y[o][s] = max(x[o][s], 0) >> shift
    head      logit_i = bias[i] + sum over c of from_weights[type i][c] * F[c][from square of i]
                                + sum over c of to_weights[type i][c] * F[c][to square of i]

`Layer.taps` steps are (files, ranks): square s shifted by (f, r) is s + f + 8 r if that stays on
the board.  The type of an index, its from-square and its to-square come from `engine.policy_map`.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np

from engine.errors import InvalidNet, InvalidPosition
from engine.net_file import INPUT_PLANES, MAX_FILE_BYTES, Head, IntArray, Layer, NetParts, is_name
from engine.net_file import dump as dump_net
from engine.net_file import parse as parse_net
from engine.policy_map import MOVE_TYPE, MOVE_TYPES, MOVES

FROM_SQUARE: Final[IntArray] = np.array([move.from_square for move in MOVES], dtype=np.int64)
TO_SQUARE: Final[IntArray] = np.array([move.to_square for move in MOVES], dtype=np.int64)
TYPE: Final[IntArray] = np.array(MOVE_TYPE, dtype=np.int64)
OFF_BOARD: Final = 64
"""The square that a tap beyond the edge reads; every feature is 0 there."""

PIECE_PLANES: Final = 12
MAX_VALUE: Final = 2**24
"""No pre-activation or logit may reach this; int64 sums cannot overflow below it, and
float32 ones stay exact."""


@dataclass(frozen=True, eq=False)
class Trace:
    """Every value of one forward pass, all int64."""

    planes: IntArray  # (13, 64)
    pre: list[IntArray]  # per layer (outputs, 64), before the rectifier
    act: list[IntArray]  # per layer (outputs, 64)
    logits: IntArray  # (1858,)


@dataclass(frozen=True, eq=False)
class Bounds:
    """What no board word with nibbles 0..12 can exceed, both ends included."""

    pre_lo: list[IntArray]  # per layer (outputs, 64)
    pre_hi: list[IntArray]
    act_hi: list[IntArray]  # activations lie in 0..act_hi
    logit_lo: IntArray  # (1858,)
    logit_hi: IntArray

    @property
    def logit_span(self) -> int:
        """The most by which any two logits, legal or not, can differ."""
        return int(self.logit_hi.max() - self.logit_lo.min())


@dataclass(frozen=True, eq=False)
class NetSpec:
    """A net of small integers; see the module's head for what it computes."""

    name: str
    layers: tuple[Layer, ...]
    head: Head

    @classmethod
    def load(cls, path: Path | str) -> "NetSpec":
        """Read a net file.  Raises InvalidNet; OSError if the file cannot be read."""
        with Path(path).open("rb") as file:
            return cls.from_bytes(file.read(MAX_FILE_BYTES + 1))

    @classmethod
    def from_bytes(cls, data: bytes) -> "NetSpec":
        """Read a net from its canonical JSON.  Raises InvalidNet."""
        parts = parse_net(data)
        net = cls(parts.name, parts.layers, parts.head)
        net.bounds()  # raises InvalidNet for a net whose values could grow too large
        return net

    def to_bytes(self) -> bytes:
        """The canonical JSON of this net."""
        return dump_net(NetParts(self.name, self.layers, self.head))

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the net's file, hexadecimal."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def forward(self, board_word: int) -> Trace:
        """The exact integer pass.  Raises InvalidPosition for a word that holds a nibble > 12."""
        planes = input_planes(board_word)
        features = planes
        pre: list[IntArray] = []
        act: list[IntArray] = []
        for layer, matrix in zip(self.layers, self.matrices, strict=True):
            x = _product(features, matrix) + layer.bias[:, None]
            y = np.maximum(x, 0) >> layer.shift
            pre.append(x)
            act.append(y)
            features = np.concatenate([features, y])
        return Trace(planes, pre, act, self._logits(features))

    def bounds(self) -> Bounds:
        """Sound static bounds of every value.  Raises InvalidNet if one could reach MAX_VALUE."""
        return self._bounds

    @cached_property
    def matrices(self) -> list[IntArray]:
        """Per layer its linear part without the bias, (inputs * 64, outputs, 64)."""
        return [_matrix(layer) for layer in self.layers]

    @cached_property
    def _head_rows(self) -> IntArray:
        """(146, features): the 73 from-rows over the 73 to-rows."""
        return np.concatenate([self.head.from_weights, self.head.to_weights])

    def _logits(self, features: IntArray) -> IntArray:
        scores = self._head_rows @ features  # (146, 64)
        chosen = scores[TYPE, FROM_SQUARE] + scores[MOVE_TYPES + TYPE, TO_SQUARE]
        logits: IntArray = chosen + self.head.bias
        return logits

    @cached_property
    def _bounds(self) -> Bounds:
        hi = np.pad(np.ones((INPUT_PLANES, 64), dtype=np.int64), ((0, 0), (0, 1)))
        pre_lo, pre_hi, act_hi = [], [], []
        for k, layer in enumerate(self.layers):
            x_lo, x_hi = _layer_bounds(layer, hi)
            _refuse_large(x_lo, x_hi, f"layer {k}")
            y_hi = np.maximum(x_hi, 0) >> layer.shift
            hi = np.concatenate([hi, np.pad(y_hi, ((0, 0), (0, 1)))])
            pre_lo.append(x_lo)
            pre_hi.append(x_hi)
            act_hi.append(y_hi)
        logit_lo, logit_hi = _head_bounds(self.head, hi[:, :64])
        _refuse_large(logit_lo, logit_hi, "the head")
        return Bounds(pre_lo, pre_hi, act_hi, logit_lo, logit_hi)


@cache
def house_net(name: str) -> NetSpec:
    """A net shipped with the package, such as "pawn".  Raises InvalidNet if there is none."""
    file = resources.files("engine") / "nets" / f"{name}.json"
    if not is_name(name) or not file.is_file():
        raise InvalidNet(f"there is no house net called {name!r}")
    net = NetSpec.from_bytes(file.read_bytes())
    if net.name != name:
        raise InvalidNet(f"the file of house net {name!r} names itself {net.name!r}")
    return net


def house_nets() -> tuple[str, ...]:
    """The names of the nets shipped with the package, sorted."""
    files = (resources.files("engine") / "nets").iterdir()
    return tuple(sorted(f.name.removesuffix(".json") for f in files if f.name.endswith(".json")))


def input_planes(board_word: int) -> IntArray:
    """The 13 x 64 planes of a board word.  Raises InvalidPosition for a nibble > 12."""
    if not 0 <= board_word < 1 << 256:
        raise InvalidPosition("the board word has more than 256 bits")
    pairs = np.frombuffer(board_word.to_bytes(32, "little"), dtype=np.uint8)
    codes = np.stack([pairs & 15, pairs >> 4], axis=1).reshape(64)
    if codes.max() > PIECE_PLANES:
        raise InvalidPosition(f"piece code {codes.max()} on the board")
    planes = np.ones((INPUT_PLANES, 64), dtype=np.int64)
    planes[:PIECE_PLANES] = codes == np.arange(1, PIECE_PLANES + 1)[:, None]
    return planes


def tap_squares(taps: Sequence[tuple[int, int]]) -> IntArray:
    """(taps, 64): the square that each tap reads from each square, OFF_BOARD beyond the edge."""
    files, ranks = np.arange(64) % 8, np.arange(64) // 8
    steps = np.array(taps, dtype=np.int64).reshape(-1, 2)
    to_files = files + steps[:, :1]
    to_ranks = ranks + steps[:, 1:]
    on_board = (to_files >= 0) & (to_files < 8) & (to_ranks >= 0) & (to_ranks < 8)
    squares: IntArray = np.where(on_board, to_files + 8 * to_ranks, OFF_BOARD)
    return squares


def _matrix(layer: Layer) -> IntArray:
    """A layer's taps and weights as one matrix from every input feature to every sum."""
    outputs, inputs, _ = layer.weights.shape
    matrix = np.zeros((inputs, OFF_BOARD + 1, outputs, 64), dtype=np.int64)
    for t, seen in enumerate(tap_squares(layer.taps)):
        matrix[:, seen, :, np.arange(64)] += layer.weights[:, :, t].T
    return np.ascontiguousarray(matrix[:, :OFF_BOARD]).reshape(inputs * 64, outputs, 64)


def _product(features: IntArray, matrix: IntArray) -> IntArray:
    """Features (inputs, 64) times a matrix of `_matrix`, (outputs, 64).

    Most features are 0, so adding up the rows of the others beats a dense product; and integer
    sums need no BLAS, whose threads cost more than they bring at this size.
    """
    values = features.reshape(-1)
    present = np.flatnonzero(values)
    total: IntArray = np.einsum("i,ijk->jk", values[present], matrix[present])
    return total


def _layer_bounds(layer: Layer, hi: IntArray) -> tuple[IntArray, IntArray]:
    """Bounds (outputs, 64) of a layer's sums, its inputs (inputs, 65) lying in 0..hi."""
    x_lo = np.repeat(layer.bias[:, None], 64, axis=1)
    x_hi = x_lo.copy()
    for t, seen in enumerate(tap_squares(layer.taps)):
        term_lo, term_hi = _term_bounds(layer.weights[:, :, t], hi[:, seen])
        x_lo += term_lo
        x_hi += term_hi
    return x_lo, x_hi


def _head_bounds(head: Head, hi: IntArray) -> tuple[IntArray, IntArray]:
    """Bounds (1858,) of the logits; a move's two squares differ, so their bounds just add."""
    from_lo, from_hi = _term_bounds(head.from_weights, hi)
    to_lo, to_hi = _term_bounds(head.to_weights, hi)
    return (
        head.bias + from_lo[TYPE, FROM_SQUARE] + to_lo[TYPE, TO_SQUARE],
        head.bias + from_hi[TYPE, FROM_SQUARE] + to_hi[TYPE, TO_SQUARE],
    )


def _term_bounds(weights: IntArray, hi: IntArray) -> tuple[IntArray, IntArray]:
    """Bounds (outputs, n) of weights (outputs, inputs) times features (inputs, n) in 0..hi.

    A square holds one piece or none, so the piece planes give their largest (smallest) weight
    or 0, not the sum of all.  The plane of ones is exact.  Off the board hi is 0, and all is 0.
    """
    on_board = hi[PIECE_PLANES]
    pieces, above = weights[:, :PIECE_PLANES], weights[:, INPUT_PLANES:]
    ones = weights[:, PIECE_PLANES, None] * on_board
    smallest = np.minimum(pieces.min(axis=1), 0)[:, None] * on_board
    largest = np.maximum(pieces.max(axis=1), 0)[:, None] * on_board
    high = hi[INPUT_PLANES:]
    return (
        ones + smallest + np.minimum(above, 0) @ high,
        ones + largest + np.maximum(above, 0) @ high,
    )


def _refuse_large(lo: IntArray, hi: IntArray, where: str) -> None:
    if max(-int(lo.min()), int(hi.max())) >= MAX_VALUE:
        raise InvalidNet(f"values of {where} could reach 2^24")
