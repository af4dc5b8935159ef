"""The torch twin of `engine.net`: trained with its rounding in place, exported bit for bit.

Parameters are in natural units.  Every feature has a scale, 2 to the power of its `exponent`, by
which the exported net's integer is larger than the value here:

    planes      2^0
    a layer's sums     2^X, X = the largest exponent below it + `fine`
    relu               2^(X - shift), rounded down
    gate               2^(2 X)
    logits             2^X of the head

A weight on a feature of exponent e is rounded to a multiple of 2^(e - X), so that every product is
a whole number at scale 2^X.  All values are such fractions, which float64 holds exactly while the
integers stay below 2^48 (`engine.net.MAX_VALUE`): in float64 this twin *is* the integer net.  In
float32, where training runs, the last bits of large sums may differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from engine.net import NetSpec
from engine.net_file import MAX_BIAS, MAX_WEIGHT, Gate, Head, IntArray, Layer
from engine.noise import dice_noise
from engine.policy_map import FROM_SQUARE, MOVE_TYPES, MOVERS, POLICY_SIZE, TO_SQUARE, TYPE
from engine.train.planes import KING as KING_STEPS
from engine.train.planes import input_tensor, sight_tensor

Taps = tuple[tuple[int, int], ...]

LEAK: Final = 0.1
"""The slope of the rectifier's gradient below 0."""

HERE: Final[Taps] = ((0, 0),)
KING: Final[Taps] = KING_STEPS
PIECES: Final = 12
PLANES: Final = 13
SIGHT_PLANES: Final = 18
_NOISE_REACH: Final = 16  # |noise| is at most this many amplitudes


@dataclass(frozen=True)
class LayerShape:
    """One layer to be: what it does, its width, what it sees, and how finely it is rounded."""

    kind: Literal["relu", "gate"]
    outputs: int
    taps: Taps = HERE + KING
    fine: int = 3
    shift: int = 0  # of a relu
    bits: int = 62  # of its sums, by the static bounds: training holds them below


@dataclass(frozen=True)
class NetShape:
    """The shape of a net before it has weights."""

    sight: bool = True
    layers: tuple[LayerShape, ...] = field(
        default=(
            LayerShape("gate", 64, fine=3),
            LayerShape("relu", 16, fine=3, shift=6, bits=17),
        )
    )
    head_fine: int = 3
    logit_bits: int = 24  # of the widest difference, by the static bounds
    noise: int = 0  # in units of the integer logits
    repeat_noise: int = 0  # what each earlier occurrence of the position adds to it

    @property
    def inputs(self) -> int:
        return PLANES + (SIGHT_PLANES if self.sight else 0)


@dataclass(frozen=True)
class TorchBounds:
    """Static bounds as tensors with gradients, in integer units."""

    pre: list[Tensor]  # per layer (outputs,): the largest magnitude of a sum over all squares
    logit_span: Tensor  # ()


class PolicyNet(nn.Module):
    """Planes (n, 13 or 31, 8, 8) to logits (n, 1858), without the dice."""

    def __init__(self, shape: NetShape) -> None:
        super().__init__()
        self.shape = shape
        self.rounding = True
        self.layers = nn.ModuleList()
        exponents = [0] * shape.inputs
        for layer in shape.layers:
            made = TapLayer(layer, exponents)
            self.layers.append(made)
            exponents = exponents + [made.exponent] * layer.outputs
        self.exponent = max(exponents) + shape.head_fine
        features = len(exponents)
        self.from_weights = nn.Parameter(torch.zeros(MOVE_TYPES, features))
        self.to_weights = nn.Parameter(torch.zeros(MOVE_TYPES, features))
        self.piece_weights = nn.Parameter(torch.zeros(6, features))
        self.bias = nn.Parameter(torch.zeros(POLICY_SIZE))
        self.steps: Tensor  # (features,): what a head's weight is a multiple of
        self._keep("steps", _steps(exponents, self.exponent))
        rows = torch.from_numpy(TYPE)
        origin, goal = torch.from_numpy(FROM_SQUARE), torch.from_numpy(TO_SQUARE)
        self.from_index: Tensor
        self.to_index: Tensor
        self.move_index: Tensor
        self.movers: Tensor
        self._keep("from_index", origin * 2 * MOVE_TYPES + rows)
        self._keep("to_index", goal * 2 * MOVE_TYPES + MOVE_TYPES + rows)
        self._keep("move_index", origin * 64 + goal)
        self.goal: Tensor
        self._keep("goal", goal)
        self._keep("movers", torch.from_numpy(np.asarray(MOVERS)))

    def _keep(self, name: str, value: Tensor) -> None:
        self.register_buffer(name, value, persistent=False)

    def forward(self, planes: Tensor, *, every: bool = False) -> Tensor:
        """The logits; of moves that the piece there cannot make only if `every` (it is slower).

        Legal moves are always among the others: what a net plays is the same.
        """
        features = planes
        for layer in self.layers:
            features = torch.cat([features, layer(features, self.rounding)], dim=1)
        return self._logits(planes[:, :6].flatten(2), features.flatten(2), every=every)

    def bounds(self) -> TorchBounds:
        """Differentiable static bounds of the net as it is now; those of `NetSpec` are tighter."""
        high = _plane_bounds(sight=self.shape.sight).to(self.bias)
        low = torch.zeros_like(high)
        pre: list[Tensor] = []
        for layer in self.layers:
            assert isinstance(layer, TapLayer)
            sums, low_out, high_out = layer.bounds(low, high, self.rounding)
            pre.append(sums * 2.0**layer.fine_exponent)
            low, high = torch.cat([low, low_out]), torch.cat([high, high_out])
        return TorchBounds(pre, self._logit_span(low, high) * 2.0**self.exponent)

    @torch.no_grad()
    def clamp(self) -> None:
        """Bring every parameter back into what a net file may hold."""
        for layer in self.layers:
            assert isinstance(layer, TapLayer)
            layer.clamp()
        for rows in (self.from_weights, self.to_weights, self.piece_weights):
            torch.minimum(rows, MAX_WEIGHT * self.steps, out=rows)
            torch.maximum(rows, -MAX_WEIGHT * self.steps, out=rows)

    def to_spec(self, name: str) -> NetSpec:
        """The integer net that computes what this one computes."""
        layers = []
        for layer in self.layers:
            assert isinstance(layer, TapLayer)
            layers.append(layer.exported())
        head = Head(
            _integers(self.from_weights, self.steps),
            _integers(self.to_weights, self.steps),
            _integers(self.piece_weights, self.steps),
            _integers(self.bias, torch.tensor(2.0**-self.exponent)),
        )
        return NetSpec(
            name, tuple(layers), head, self.shape.sight, self.shape.noise, self.shape.repeat_noise
        )

    @classmethod
    def from_spec(cls, spec: NetSpec) -> "PolicyNet":
        """The torch twin of an integer net, in float64."""
        shapes = tuple(
            LayerShape(
                "gate" if layer.gate else "relu",
                outputs=len(layer.bias),
                taps=layer.taps,
                fine=0,
                shift=layer.shift,
            )
            for layer in spec.layers
        )
        net = cls(
            NetShape(
                spec.sight, shapes, head_fine=0, noise=spec.noise, repeat_noise=spec.repeat_noise
            )
        ).double()
        with torch.no_grad():
            for twin, layer in zip(net.layers, spec.layers, strict=True):
                assert isinstance(twin, TapLayer)
                twin.load(layer)
            net.from_weights.copy_(torch.from_numpy(spec.head.from_weights.copy()) * net.steps)
            net.to_weights.copy_(torch.from_numpy(spec.head.to_weights.copy()) * net.steps)
            net.piece_weights.copy_(torch.from_numpy(spec.head.piece_weights.copy()) * net.steps)
            net.bias.copy_(torch.from_numpy(spec.head.bias.copy()) * 2.0**-net.exponent)
        return net

    def _rows(self) -> tuple[Tensor, Tensor, Tensor]:
        """From-rows over to-rows (146, features), piece rows (6, features), bias (1858,)."""
        lines = torch.cat([self.from_weights, self.to_weights])
        if not self.rounding:
            return lines, self.piece_weights, self.bias
        return (
            round_to(lines, self.steps),
            round_to(self.piece_weights, self.steps),
            round_to(self.bias, torch.tensor(2.0**-self.exponent, dtype=self.bias.dtype)),
        )

    def _logits(self, own: Tensor, features: Tensor, *, every: bool) -> Tensor:
        lines, pieces, bias = self._rows()
        scores = (features.transpose(1, 2) @ lines.T).flatten(1)  # (n, 64 * 146)
        chosen = scores.index_select(1, self.from_index) + scores.index_select(1, self.to_index)
        goals = pieces @ features  # (n, 6, 64)
        if every:
            kinds = [own[:, p, :, None] * goals[:, p, None] for p in range(6)]
            moved = [k.flatten(1).index_select(1, self.move_index) for k in kinds]
            by_piece = sum(m * self.movers[:, p] for p, m in enumerate(moved))
        else:
            joint = (own.transpose(1, 2) @ goals).flatten(1)  # (n, 64 * 64)
            by_piece = joint.index_select(1, self.move_index)
        total: Tensor = chosen + by_piece + bias
        return total

    def _logit_span(self, low: Tensor, high: Tensor) -> Tensor:
        lines, pieces, bias = self._rows()
        line_low, line_high = _sum_bounds(lines, low, high)
        goal_low, goal_high = _sum_bounds(pieces, low, high)
        goal_low, goal_high = goal_low.amin(0).clamp(max=0), goal_high.amax(0).clamp(min=0)

        def total(scores: Tensor, goals: Tensor) -> Tensor:
            flat, goal = scores.T.flatten(), goals[self.goal]
            return flat[self.from_index] + flat[self.to_index] + goal + bias

        loudest = self.shape.noise + 3 * self.shape.repeat_noise
        noise = 2 * _NOISE_REACH * loudest * 2.0**-self.exponent
        span: Tensor = total(line_high, goal_high).max() - total(line_low, goal_low).min()
        return span + noise


class TapLayer(nn.Module):
    """Features (n, inputs, 8, 8) to activations (n, outputs, 8, 8)."""

    def __init__(self, shape: LayerShape, exponents: Sequence[int]) -> None:
        super().__init__()
        self.shape = shape
        self.gated = shape.kind == "gate"
        self.fine_exponent = max(exponents) + shape.fine
        doubled = 2 * self.fine_exponent
        self.exponent = doubled if self.gated else self.fine_exponent - shape.shift
        rows = shape.outputs * (2 if self.gated else 1)
        self.weights = nn.Parameter(torch.zeros(rows, len(exponents), len(shape.taps)))
        self.bias = nn.Parameter(torch.zeros(rows))
        self.radius = int(np.abs(shape.taps).max())
        side = 2 * self.radius + 1
        steps = torch.tensor(shape.taps)
        self.cells: Tensor  # (taps,): where each tap lies in a square kernel
        cells = (steps[:, 1] + self.radius) * side + steps[:, 0] + self.radius
        self.register_buffer("cells", cells, persistent=False)
        self.steps: Tensor  # (inputs, 1): what a weight is a multiple of
        fine = _steps(exponents, self.fine_exponent)[:, None]
        self.register_buffer("steps", fine, persistent=False)

    def forward(self, features: Tensor, rounding: bool) -> Tensor:
        weights, bias = self._rounded(rounding)
        return self.activation(self._convolve(features, weights, bias), rounding)

    def activation(self, x: Tensor, rounding: bool) -> Tensor:
        """x * g of the two halves; or max(x, 0) rounded down, with a little gradient below 0."""
        if self.gated:
            half = self.shape.outputs
            return x[:, :half] * x[:, half:]
        leak = LEAK * x.clamp(max=0)
        y = _through(x.clamp(min=0) + leak, x.clamp(min=0))
        return floor_to(y, 2.0**-self.exponent) if rounding else y

    def bounds(self, low: Tensor, high: Tensor, rounding: bool) -> tuple[Tensor, Tensor, Tensor]:
        """For features (inputs, 64) in low..high: magnitudes of the sums, (outputs,), of a gate
        both factors'; and the activations' bounds, (outputs, 64)."""
        weights, bias = self._rounded(rounding)
        mean, reach = (high + low) / 2, (high - low) / 2
        middle = self._convolve(mean.reshape(1, -1, 8, 8), weights, bias).reshape(-1, 64)
        zero = torch.zeros_like(bias)
        spread = self._convolve(reach.reshape(1, -1, 8, 8), weights.abs(), zero).reshape(-1, 64)
        x_low, x_high = middle - spread, middle + spread
        sums = torch.maximum(-x_low, x_high).amax(1)
        if not self.gated:
            return sums, torch.zeros_like(x_low), x_high.clamp(min=0)
        (a_low, b_low), (a_high, b_high) = x_low.chunk(2), x_high.chunk(2)
        corners = torch.stack([a_low * b_low, a_low * b_high, a_high * b_low, a_high * b_high])
        return sums, corners.amin(0), corners.amax(0)

    @torch.no_grad()
    def clamp(self) -> None:
        torch.minimum(self.weights, MAX_WEIGHT * self.steps, out=self.weights)
        torch.maximum(self.weights, -MAX_WEIGHT * self.steps, out=self.weights)
        most = MAX_BIAS * 2.0**-self.fine_exponent
        self.bias.clamp_(-most, most)

    def exported(self) -> Layer:
        weights = _integers(self.weights, self.steps)
        bias = _integers(self.bias, torch.tensor(2.0**-self.fine_exponent))
        if not self.gated:
            return Layer(self.shape.taps, weights, bias, self.shape.shift)
        n = self.shape.outputs
        return Layer(self.shape.taps, weights[:n], bias[:n], 0, Gate(weights[n:], bias[n:]))

    def load(self, layer: Layer) -> None:
        weights, bias = layer.weights, layer.bias
        if layer.gate:
            weights = np.concatenate([weights, layer.gate.weights])
            bias = np.concatenate([bias, layer.gate.bias])
        self.weights.copy_(torch.from_numpy(weights.copy()) * self.steps)
        self.bias.copy_(torch.from_numpy(bias.copy()) * 2.0**-self.fine_exponent)

    def _convolve(self, features: Tensor, weights: Tensor, bias: Tensor) -> Tensor:
        side = 2 * self.radius + 1
        kernel = weights.new_zeros(*weights.shape[:2], side * side)
        kernel = kernel.index_copy(2, self.cells, weights).reshape(*kernel.shape[:2], side, side)
        return conv2d(features, kernel, bias, padding=self.radius)

    def _rounded(self, rounding: bool) -> tuple[Tensor, Tensor]:
        if not rounding:
            return self.weights, self.bias
        step = torch.tensor(2.0**-self.fine_exponent, dtype=self.bias.dtype)
        return round_to(self.weights, self.steps), round_to(self.bias, step)


def round_to(x: Tensor, step: Tensor) -> Tensor:
    """x rounded to multiples of `step`, with the gradient of x."""
    return _through(x, (x / step).round() * step)


def round_through(x: Tensor) -> Tensor:
    """x rounded to whole numbers, with the gradient of x."""
    return _through(x, x.round())


def floor_to(x: Tensor, step: float) -> Tensor:
    """x rounded down to a multiple of `step`, with the gradient of x."""
    return _through(x, (x / step).floor() * step)


def _through(x: Tensor, value: Tensor) -> Tensor:
    """Exactly `value`, which x + (value - x) would miss by a last bit."""
    return _Through.apply(x, value)  # type: ignore[no-any-return, no-untyped-call]


class _Through(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, value: Tensor) -> Tensor:  # noqa: ARG004
        return value

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:  # noqa: ARG004
        return gradients[0], None


def torch_logits(
    spec: NetSpec,
    boards: Sequence[int],
    dice: Sequence[int] | None = None,
    earlier: Sequence[int] | None = None,
) -> IntArray:
    """The logits (n, 1858) that torch computes for board words; exact for every valid net."""
    words = np.frombuffer(b"".join(word.to_bytes(32, "little") for word in boards), np.uint8)
    planes = input_tensor(words.reshape(-1, 32), sight=spec.sight).double()
    net = PolicyNet.from_spec(spec)
    with torch.no_grad():
        scaled = net(planes, every=True) * 2.0**net.exponent
    exact: IntArray = scaled.to(torch.int64).numpy()
    rolled = dice if dice is not None else [0] * len(boards)
    noise: IntArray = np.stack([dice_noise(number) for number in rolled])
    before = np.array([0] * len(boards) if earlier is None else earlier, dtype=np.int64)
    amplitude: IntArray = spec.noise + spec.repeat_noise * before
    return exact + amplitude[:, None] * noise


def _steps(exponents: Sequence[int], fine: int) -> Tensor:
    return torch.tensor([2.0 ** (exponent - fine) for exponent in exponents])


def _sum_bounds(rows: Tensor, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """Bounds (m, 64) of rows (m, features) times features (features, 64) in low..high."""
    middle, spread = rows @ ((high + low) / 2), rows.abs() @ ((high - low) / 2)
    return middle - spread, middle + spread


@cache
def _plane_bounds(*, sight: bool) -> Tensor:
    """(inputs, 64): the most that a plane can be on a square; pieces and lines are counted as free
    of each other here."""
    most = torch.ones(PLANES, 64)
    if not sight:
        return most
    crowded = sight_tensor(torch.ones(1, PIECES, 8, 8))  # the next square stops every slide
    return torch.cat([most, crowded[0].flatten(1)])


def _integers(parameter: Tensor, step: Tensor) -> IntArray:
    values: IntArray = (parameter.detach() / step).round().to(torch.int64).cpu().numpy()
    return values
