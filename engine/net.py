"""Integer nets: one definition that numpy, the circuit and torch follow bit for bit.

The input planes are 13 x 64: plane p < 12 is 1 on the squares whose nibble of the board word is
p + 1, plane 12 is 1 on all 64.  A net with sight has the 18 planes of `engine.sight` after them.
Outside the board every feature is 0, so a layer can tell the edge.
A layer reads *all* features below it (`engine.net_file` draws the order):

    features F_0 = planes, F_{k+1} = F_k followed by the outputs of layer k
    layer k   x[o][s] = bias[o] + sum over i, t of weights[o][i][t] * F_k[i][s shifted by tap t]
              y[o][s] = max(x[o][s], 0) >> shift
    with a gate, g[o][s] likewise from the gate's weights and bias, and
              y[o][s] = x[o][s] * g[o][s]
    head      logit_i = bias[i] + sum over c of from_weights[type i][c] * F[c][from square of i]
                                + sum over c of to_weights[type i][c] * F[c][to square of i]
                                + sum over c of piece_weights[p][c] * F[c][to square of i]
                                + (noise + repeat_noise * earlier) * dice_noise_i

`Layer.taps` steps are (files, ranks): square s shifted by (f, r) is s + f + 8 r if that stays on
the board.  The type of an index, its from-square and its to-square come from `engine.policy_map`;
p is the mover's own piece on the from-square (P N B R Q K), and its term is there only if that
piece is among the index's `MOVERS`.  `engine.noise` says what the statement's
dice do; `earlier`, 0 to 2, is how often the position was there before, from the context word: so a
net with repeat noise goes round in circles less.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from pathlib import Path

import numpy as np

from engine.blocks import Blocks, Floats, cut, product
from engine.bounds import PIECE_PLANES, Bounds, static_bounds
from engine.errors import InvalidNet, InvalidPosition
from engine.net_file import (
    INPUT_PLANES,
    MAX_FILE_BYTES,
    PIECES,
    Gate,
    Head,
    IntArray,
    Layer,
    NetParts,
    input_plane_count,
    is_name,
)
from engine.net_file import dump as dump_net
from engine.net_file import parse as parse_net
from engine.noise import dice_noise
from engine.policy_map import FROM_SQUARE, MOVE_TYPES, MOVERS, TO_SQUARE, TYPE
from engine.sight import OFF_BOARD, sight_planes, step_squares


@dataclass(frozen=True, eq=False)
class Trace:
    """Every value of one forward pass, all int64."""

    planes: IntArray  # (13 or 31, 64)
    pre: list[IntArray]  # per layer (outputs, 64), the sums x
    gate: list[IntArray | None]  # per layer (outputs, 64), the sums g; None without a gate
    act: list[IntArray]  # per layer (outputs, 64)
    logits: IntArray  # (1858,), the noise included


@dataclass(frozen=True, eq=False)
class NetSpec:
    """A net of integers; see the module's head for what it computes."""

    name: str
    layers: tuple[Layer, ...]
    head: Head
    sight: bool = False
    noise: int = 0
    repeat_noise: int = 0

    @classmethod
    def load(cls, path: Path | str) -> "NetSpec":
        """Read a net file.  Raises InvalidNet; OSError if the file cannot be read."""
        with Path(path).open("rb") as file:
            return cls.from_bytes(file.read(MAX_FILE_BYTES + 1))

    @classmethod
    def from_bytes(cls, data: bytes) -> "NetSpec":
        """Read a net from its canonical JSON.  Raises InvalidNet."""
        parts = parse_net(data)
        net = cls(
            parts.name, parts.layers, parts.head, parts.sight, parts.noise, parts.repeat_noise
        )
        net.bounds()  # raises InvalidNet for a net whose values could grow too large
        return net

    def to_bytes(self) -> bytes:
        """The canonical JSON of this net."""
        return dump_net(self._parts)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the net's file, hexadecimal."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @property
    def input_planes(self) -> int:
        """13, or 31 with sight."""
        return input_plane_count(sight=self.sight)

    def forward(self, board_word: int, dice: int = 0, *, earlier: int = 0) -> Trace:
        """The exact integer pass over a board that was there `earlier` times before.

        Raises InvalidPosition for a word that holds a nibble > 12, InvalidNet for a net that
        `bounds` refuses, and InvalidDice beyond 128 bits if the net has noise.
        """
        planes = input_planes(board_word)
        if self.sight:
            planes = np.concatenate([planes, sight_planes(planes)])
        features = planes.astype(np.float64)
        pre: list[IntArray] = []
        gate: list[IntArray | None] = []
        act: list[IntArray] = []
        for layer in self._compiled:
            x, g, y = layer.values(features)
            features = np.concatenate([features, y])
            pre.append(x.astype(np.int64))
            gate.append(None if g is None else g.astype(np.int64))
            act.append(y.astype(np.int64))
        logits = self._logits(features)
        if amplitude := self.noise + self.repeat_noise * earlier:
            logits += amplitude * dice_noise(dice)
        return Trace(planes, pre, gate, act, logits)

    def bounds(self) -> Bounds:
        """Sound static bounds of every value.  Raises InvalidNet if one could reach MAX_VALUE."""
        return self._bounds

    @cached_property
    def _parts(self) -> NetParts:
        return NetParts(
            self.name, self.layers, self.head, self.sight, self.noise, self.repeat_noise
        )

    @cached_property
    def _bounds(self) -> Bounds:
        return static_bounds(self._parts)

    @cached_property
    def _compiled(self) -> list["_FastLayer"]:
        self.bounds()  # float64 is exact within them
        return [_FastLayer.of(layer) for layer in self.layers]

    @cached_property
    def _head_rows(self) -> Blocks:
        """(152, features): the 73 from-rows, the 73 to-rows, the 6 pieces' rows."""
        head = self.head
        return cut(np.concatenate([head.from_weights, head.to_weights, head.piece_weights]))

    def _logits(self, features: Floats) -> IntArray:
        """(1858,) without the noise, from features (features, 64)."""
        rows = 2 * MOVE_TYPES + PIECES
        scores = product(self._head_rows, features, rows=rows).astype(np.int64)
        logits: IntArray = self.head.bias + scores[TYPE, FROM_SQUARE]
        logits += scores[MOVE_TYPES + TYPE, TO_SQUARE]
        own = features[:PIECES, FROM_SQUARE].T.astype(np.int64) * MOVERS  # (1858, 6)
        logits += (own * scores[2 * MOVE_TYPES :, TO_SQUARE].T).sum(axis=1)
        return logits


@dataclass(frozen=True, eq=False)
class _FastLayer:
    """A layer as float64 matrices: exact within the net's bounds, in whatever order they add."""

    outputs: int
    seen: IntArray  # (taps * 64,)
    rows: Blocks  # (outputs or 2 outputs, inputs * taps): the gate's rows after the others
    bias: Floats  # (outputs or 2 outputs, 1)
    shift: int | None  # None with a gate

    @classmethod
    def of(cls, layer: Layer) -> "_FastLayer":
        parts: list[Layer | Gate] = [layer] if layer.gate is None else [layer, layer.gate]
        weights = np.concatenate([part.weights for part in parts])
        return cls(
            outputs=len(layer.bias),
            seen=tap_squares(layer.taps).ravel(),
            rows=cut(weights.reshape(len(weights), -1)),
            bias=np.concatenate([part.bias for part in parts]).astype(np.float64)[:, None],
            shift=layer.shift if layer.gate is None else None,
        )

    def values(self, features: Floats) -> tuple[Floats, Floats | None, Floats]:
        """The sums x, the sums g and the outputs y (outputs, 64) over features (inputs, 64)."""
        padded = np.zeros((len(features), OFF_BOARD + 1))
        padded[:, :OFF_BOARD] = features
        seen = padded.take(self.seen, axis=1).reshape(-1, 64)  # (inputs * taps, 64)
        sums = product(self.rows, seen, rows=len(self.bias)) + self.bias
        x, g = sums[: self.outputs], sums[self.outputs :]
        if self.shift is not None:
            return x, None, np.floor(np.maximum(x, 0) / 2**self.shift)
        return x, g, x * g


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
    return step_squares(tuple(taps))
