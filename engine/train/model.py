"""The torch twin of `engine.net`: trained with its rounding in place, exported bit for bit.

Parameters are floats in integer units.  The forward pass rounds weights and floors shifts with
straight-through gradients, so that all values are the integers the exported net computes; float32
holds them exactly, because they stay below 2^24.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, embedding_bag

from engine.net import (
    FROM_SQUARE,
    OFF_BOARD,
    PIECE_PLANES,
    TO_SQUARE,
    TYPE,
    NetSpec,
    input_planes,
    tap_squares,
)
from engine.net_file import INPUT_PLANES, Head, IntArray, Layer
from engine.policy_map import MOVE_TYPES, POLICY_SIZE

Taps = tuple[tuple[int, int], ...]

LEAK: Final = 0.1
"""The slope of the rectifier's gradient below 0."""

DIRECTIONS: Final = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))
HERE: Final[Taps] = ((0, 0),)
RAYS: Final[Taps] = tuple((f * d, r * d) for f, r in DIRECTIONS for d in range(1, 8))
KNIGHT: Final[Taps] = ((1, 2), (2, 1), (2, -1), (1, -2), (-1, -2), (-2, -1), (-2, 1), (-1, 2))
KING: Final[Taps] = DIRECTIONS


@dataclass(frozen=True)
class LayerShape:
    """One layer to be: its width, what it sees, and how large its values may become."""

    outputs: int
    taps: Taps
    shift: int
    limit: int  # |weight| at most
    cap: int  # |pre-activation| at most, by the static bounds


@dataclass(frozen=True)
class NetShape:
    """The shape of a net before it has weights."""

    layers: tuple[LayerShape, ...] = field(
        default=(
            LayerShape(16, HERE + RAYS + KNIGHT, shift=2, limit=31, cap=127),
            LayerShape(22, HERE + KING + KNIGHT, shift=4, limit=31, cap=1023),
        )
    )
    head_limit: int = 127
    logit_span: int = 8191


@dataclass(frozen=True)
class TorchBounds:
    """Static bounds as tensors with gradients; the same sums as `NetSpec.bounds`."""

    pre: list[Tensor]  # per layer (outputs,), the largest magnitude over all squares
    logit_span: Tensor  # ()


class PolicyNet(nn.Module):
    """Planes (n, 13, 8, 8) to integer logits (n, 1858)."""

    def __init__(self, shape: NetShape) -> None:
        super().__init__()
        self.shape = shape
        self.rounding = True
        self.layers = nn.ModuleList()
        features = INPUT_PLANES
        for layer in shape.layers:
            self.layers.append(TapLayer(layer, inputs=features))
            features += layer.outputs
        self.from_weights = nn.Parameter(torch.zeros(MOVE_TYPES, features))
        self.to_weights = nn.Parameter(torch.zeros(MOVE_TYPES, features))
        self.bias = nn.Parameter(torch.zeros(POLICY_SIZE))
        self.from_index: Tensor
        self.to_index: Tensor
        rows = torch.from_numpy(TYPE)
        from_index = torch.from_numpy(FROM_SQUARE) * 2 * MOVE_TYPES + rows
        to_index = torch.from_numpy(TO_SQUARE) * 2 * MOVE_TYPES + MOVE_TYPES + rows
        self.register_buffer("from_index", from_index, persistent=False)
        self.register_buffer("to_index", to_index, persistent=False)

    def forward(self, planes: Tensor) -> Tensor:
        features = planes
        for layer in self.layers:
            features = torch.cat([features, layer(features, self.rounding)], dim=1)
        return self._logits(features.flatten(2))

    def head_weights(self) -> Tensor:
        """(146, features): the from-rows over the to-rows."""
        return self._rounded(torch.cat([self.from_weights, self.to_weights]))

    def bounds(self) -> TorchBounds:
        """Differentiable static bounds of the net as it is now."""
        hi = torch.ones(INPUT_PLANES, 64)
        pre: list[Tensor] = []
        for layer in self.layers:
            assert isinstance(layer, TapLayer)
            low, high = layer.bounds(hi, self.rounding)
            pre.append(torch.maximum(-low, high).amax(dim=1))
            hi = torch.cat([hi, layer.activation(high, self.rounding)])
        return TorchBounds(pre, self._logit_span(hi))

    @torch.no_grad()
    def clamp(self) -> None:
        """Bring every parameter back into its allowed range."""
        for layer in self.layers:
            assert isinstance(layer, TapLayer)
            layer.weights.clamp_(-layer.shape.limit, layer.shape.limit)
        for rows in (self.from_weights, self.to_weights):
            rows.clamp_(-self.shape.head_limit, self.shape.head_limit)

    def to_spec(self, name: str) -> NetSpec:
        """The integer net that computes what this one computes."""
        layers = []
        for layer in self.layers:
            assert isinstance(layer, TapLayer)
            shape = layer.shape
            layers.append(
                Layer(shape.taps, _integers(layer.weights), _integers(layer.bias), shape.shift)
            )
        head = Head(_integers(self.from_weights), _integers(self.to_weights), _integers(self.bias))
        return NetSpec(name, tuple(layers), head)

    @classmethod
    def from_spec(cls, spec: NetSpec) -> "PolicyNet":
        """The torch twin of an integer net."""
        shapes = tuple(
            LayerShape(len(layer.bias), layer.taps, layer.shift, limit=0, cap=0)
            for layer in spec.layers
        )
        net = cls(NetShape(layers=shapes))
        with torch.no_grad():
            for twin, layer in zip(net.layers, spec.layers, strict=True):
                assert isinstance(twin, TapLayer)
                twin.weights.copy_(torch.from_numpy(layer.weights.copy()))
                twin.bias.copy_(torch.from_numpy(layer.bias.copy()))
            net.from_weights.copy_(torch.from_numpy(spec.head.from_weights.copy()))
            net.to_weights.copy_(torch.from_numpy(spec.head.to_weights.copy()))
            net.bias.copy_(torch.from_numpy(spec.head.bias.copy()))
        return net

    def _logits(self, features: Tensor) -> Tensor:
        scores = (features.transpose(1, 2) @ self.head_weights().T).flatten(1)  # (n, 64 * 146)
        chosen = scores.index_select(1, self.from_index) + scores.index_select(1, self.to_index)
        return chosen + self._rounded(self.bias)

    def _logit_span(self, hi: Tensor) -> Tensor:
        rows = self.head_weights()
        pieces, ones, above = rows[:, :PIECE_PLANES], rows[:, PIECE_PLANES], rows[:, INPUT_PLANES:]
        acts = hi[INPUT_PLANES:]
        high = (ones + pieces.amax(1).clamp(min=0))[:, None] + above.clamp(min=0) @ acts
        low = (ones + pieces.amin(1).clamp(max=0))[:, None] + above.clamp(max=0) @ acts
        bias = self._rounded(self.bias)

        def total(scores: Tensor) -> Tensor:
            flat = scores.T.flatten()
            return flat[self.from_index] + flat[self.to_index] + bias

        return total(high).max() - total(low).min()

    def _rounded(self, weights: Tensor) -> Tensor:
        return round_through(weights) if self.rounding else weights


class TapLayer(nn.Module):
    """Features (n, inputs, 8, 8) to activations (n, outputs, 8, 8)."""

    def __init__(self, shape: LayerShape, *, inputs: int) -> None:
        super().__init__()
        self.shape = shape
        self.weights = nn.Parameter(torch.zeros(shape.outputs, inputs, len(shape.taps)))
        self.bias = nn.Parameter(torch.zeros(shape.outputs))
        steps = torch.tensor(shape.taps)
        self.radius = int(steps.abs().max())
        side = 2 * self.radius + 1
        self.cells: Tensor  # (taps,): where each tap lies in a square kernel
        cells = (steps[:, 1] + self.radius) * side + steps[:, 0] + self.radius
        self.register_buffer("cells", cells, persistent=False)
        self.on_board: Tensor  # (taps, 64): 1 where the tap stays on the board
        on_board = torch.from_numpy(tap_squares(shape.taps) != OFF_BOARD).float()
        self.register_buffer("on_board", on_board, persistent=False)

    def forward(self, features: Tensor, rounding: bool) -> Tensor:
        weights, bias = self._rounded(rounding)
        if features.shape[1] == INPUT_PLANES:
            return self.activation(self._of_pieces(features, weights, bias), rounding)
        return self.activation(self._convolve(features, weights, bias), rounding)

    def activation(self, x: Tensor, rounding: bool) -> Tensor:
        """max(x, 0) >> shift, rounded down or not; below 0 a little gradient keeps units alive."""
        leak = LEAK * x.clamp(max=0)
        y = (x.clamp(min=0) + leak - leak.detach()) / 2**self.shape.shift
        return floor_through(y) if rounding else y

    def bounds(self, hi: Tensor, rounding: bool) -> tuple[Tensor, Tensor]:
        """The least and the greatest sums, (outputs, 64), for inputs (inputs, 64) in 0..hi."""
        weights, bias = self._rounded(rounding)
        pieces, above = weights[:, :PIECE_PLANES], weights[:, INPUT_PLANES:]
        fixed = bias[:, None] + weights[:, PIECE_PLANES] @ self.on_board
        low = fixed + pieces.amin(1).clamp(max=0) @ self.on_board
        high = fixed + pieces.amax(1).clamp(min=0) @ self.on_board
        if above.shape[1] == 0:
            return low, high
        acts = hi[None, INPUT_PLANES:].reshape(1, -1, 8, 8)
        zero = torch.zeros_like(bias)
        low = low + self._convolve(acts, above.clamp(max=0), zero).reshape(-1, 64)
        high = high + self._convolve(acts, above.clamp(min=0), zero).reshape(-1, 64)
        return low, high

    def _convolve(self, features: Tensor, weights: Tensor, bias: Tensor) -> Tensor:
        side = 2 * self.radius + 1
        kernel = weights.new_zeros(*weights.shape[:2], side * side)
        kernel = kernel.index_copy(2, self.cells, weights).reshape(*kernel.shape[:2], side, side)
        return conv2d(features, kernel, bias, padding=self.radius)

    def _of_pieces(self, planes: Tensor, weights: Tensor, bias: Tensor) -> Tensor:
        """The sums over the input planes: a row of one matrix for each piece on the board."""
        spread = _spread(self.shape.taps).to(weights.dtype)
        rows = (weights[:, :PIECE_PLANES].flatten(0, 1) @ spread).reshape(-1, PIECE_PLANES, 64, 64)
        rows = rows.permute(1, 2, 0, 3).reshape(PIECE_PLANES * 64, -1)
        present = planes[:, :PIECE_PLANES].flatten(1) != 0
        counts = present.sum(1)
        found = embedding_bag(present.nonzero()[:, 1], rows, counts.cumsum(0) - counts, mode="sum")
        fixed = bias[:, None] + weights[:, PIECE_PLANES] @ self.on_board
        return (found + fixed.flatten()).reshape(len(planes), -1, 8, 8)

    def _rounded(self, rounding: bool) -> tuple[Tensor, Tensor]:
        if not rounding:
            return self.weights, self.bias
        return round_through(self.weights), round_through(self.bias)


def round_through(x: Tensor) -> Tensor:
    """x rounded, with the gradient of x."""
    return x + (x.round() - x).detach()


def floor_through(x: Tensor) -> Tensor:
    """x rounded down, with the gradient of x."""
    return x + (x.floor() - x).detach()


def torch_logits(spec: NetSpec, boards: Sequence[int]) -> IntArray:
    """The logits (n, 1858) that torch computes for board words; exact for every valid net."""
    planes = np.stack([input_planes(word) for word in boards]).reshape(-1, INPUT_PLANES, 8, 8)
    with torch.no_grad():
        logits = PolicyNet.from_spec(spec).double()(torch.from_numpy(planes).double())
    exact: IntArray = logits.to(torch.int64).numpy()
    return exact


@cache
def _spread(taps: Taps) -> Tensor:
    """(taps, 64 * 64): 1 where the tap joins an input square to an output square."""
    spread = np.zeros((len(taps), OFF_BOARD + 1, 64), dtype=np.float32)
    for t, seen in enumerate(tap_squares(taps)):
        spread[t, seen, np.arange(64)] = 1
    return torch.from_numpy(spread[:, :OFF_BOARD].reshape(len(taps), -1).copy())


def _integers(parameter: Tensor) -> IntArray:
    values: IntArray = parameter.detach().round().to(torch.int64).numpy()
    return values
