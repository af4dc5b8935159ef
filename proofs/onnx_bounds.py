"""What the values of a net cannot exceed on any board, found out without running it.

A circuit takes whole numbers below 2^27 in size, so a net that leaves them could not prove its
move.  Intervals are sound for every operator, but they forget that a square holds one piece: so
linear values keep, as long as they can, what each piece on each square adds to them.

    value = base + sum over squares of table[square, code there]      exact
    low <= value <= high                                              all that a Relu leaves of it

All numbers are float64, whose sums cannot wrap around; whole ones are exact below 2^53.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.export import PIECE_CODES, SQUARES
from proofs.errors import OnnxRefused

LIMIT: Final = 2**27
CODES: Final = PIECE_CODES + 1
TABLE_NUMBERS: Final = 2_000_000
"""Numbers in a table; a larger one is forgotten, which makes bounds wider and stays sound."""

Array = NDArray[np.float64]
Shape = Sequence[int]


@dataclass(frozen=True, eq=False)
class Value:
    """Bounds of a tensor, and its table (64, 13, *shape) if it has one, with `base` beside it."""

    low: Array
    high: Array
    base: Array | None = None
    table: Array | None = None

    @classmethod
    def constant(cls, array: NDArray[Any]) -> "Value":
        fixed = np.asarray(array, dtype=np.float64)
        return cls(fixed, fixed, fixed)

    @classmethod
    def of_table(cls, base: Array, table: Array) -> "Value":
        low = base + table.min(axis=1).sum(axis=0)
        high = base + table.max(axis=1).sum(axis=0)
        return cls(low, high, base, table if table.size <= TABLE_NUMBERS else None)

    @classmethod
    def board(cls, shape: Shape) -> "Value":
        """The net's input: any piece code on any square."""
        table = np.zeros((SQUARES, CODES, SQUARES))
        for square in range(SQUARES):
            table[square, :, square] = np.arange(CODES)
        return cls.of_table(np.zeros(shape), table.reshape(SQUARES, CODES, *shape))

    @property
    def fixed(self) -> Array | None:
        """Its numbers, if they are the same on every board."""
        return self.low if self.low is self.high else None


def check_bounds(graph: Any, shapes: dict[str, list[int]], shown: Callable[[str], str]) -> None:
    """Raises OnnxRefused if some value of a checked graph could reach LIMIT."""
    from onnx import numpy_helper  # noqa: PLC0415 - an optional extra

    values = {t.name: Value.constant(numpy_helper.to_array(t)) for t in graph.initializer}
    for given in graph.input:
        if given.name not in values:
            values[given.name] = Value.board(shapes[given.name])
    for node in graph.node:
        try:
            value = _applied(node, values, shapes[node.output[0]])
        except (ValueError, IndexError, KeyError, TypeError) as error:
            line = " ".join(str(error).split())[:120]
            raise OnnxRefused(
                f"a {node.op_type} is not understood ({line})", "write it plainly"
            ) from error
        values[node.output[0]] = value
        most = max(float(-value.low.min()), float(value.high.max()))
        if value.fixed is None and most >= LIMIT:
            raise OnnxRefused(
                f"value {shown(node.output[0])} of a {node.op_type} could reach {most:,.0f}",
                f"all have to stay below {LIMIT:,} on every board: use a smaller scale",
            )


def _applied(node: Any, values: dict[str, Value], shape: Shape) -> Value:
    """What a node makes of its inputs."""
    from onnx import helper, numpy_helper  # noqa: PLC0415 - an optional extra

    options = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    if node.op_type == "Constant":
        return Value.constant(numpy_helper.to_array(options["value"]))
    inputs = [values[name] for name in node.input if name]
    return _OPERATORS[node.op_type](inputs, options, shape)


# ---- operators that move numbers about ----


def _moved(value: Value, move: Callable[[Array, int], Array]) -> Value:
    """`move` is told how many axes come before the tensor's own."""
    if value.fixed is not None:
        return Value.constant(move(value.fixed, 0))
    if value.base is not None and value.table is not None:
        return Value.of_table(move(value.base, 0), move(value.table, 2))
    return Value(move(value.low, 0), move(value.high, 0))


def _reshaped(inputs: list[Value], _options: dict[str, Any], shape: Shape) -> Value:
    return _moved(inputs[0], lambda array, lead: array.reshape(*array.shape[:lead], *shape))


def _transposed(inputs: list[Value], options: dict[str, Any], shape: Shape) -> Value:
    order = list(options.get("perm", reversed(range(len(shape)))))

    def move(array: Array, lead: int) -> Array:
        return array.transpose(*range(lead), *(lead + axis for axis in order))

    return _moved(inputs[0], move)


def _sliced(inputs: list[Value], _options: dict[str, Any], _shape: Shape) -> Value:
    rank = inputs[0].low.ndim
    starts, ends, *rest = (_whole(value) for value in inputs[1:])
    axes = rest[0] if rest else list(range(len(starts)))
    steps = rest[1] if len(rest) > 1 else [1] * len(starts)
    cuts = [slice(None)] * rank
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        size = inputs[0].low.shape[axis]
        # Going down, the place before the first cannot be written as an end.
        last = None if step < 0 and end < -size else end
        cuts[axis] = slice(start, last, step)
    return _moved(inputs[0], lambda array, lead: array[(slice(None),) * lead + tuple(cuts)])


def _joined(inputs: list[Value], options: dict[str, Any], _shape: Shape) -> Value:
    axis = int(options["axis"])
    axis += inputs[0].low.ndim if axis < 0 else 0
    if any(value.base is None for value in inputs) or _forgotten(inputs):
        low = np.concatenate([value.low for value in inputs], axis=axis)
        return Value(low, np.concatenate([value.high for value in inputs], axis=axis))
    base = np.concatenate([_base(value) for value in inputs], axis=axis)
    table = np.concatenate([_table(value) for value in inputs], axis=axis + 2)
    return Value.of_table(base, table)


# ---- operators that compute ----


def _added(inputs: list[Value], _options: dict[str, Any], shape: Shape, sign: int = 1) -> Value:
    a, b = inputs
    if a.fixed is not None and b.fixed is not None:
        return Value.constant(a.fixed + sign * b.fixed)
    if a.base is None or b.base is None or _forgotten(inputs):
        other = (b.low, b.high) if sign > 0 else (-b.high, -b.low)
        return Value(a.low + other[0], a.high + other[1])
    base = a.base + sign * b.base
    return Value.of_table(base, _widened(a, shape) + sign * _widened(b, shape))


def _subtracted(inputs: list[Value], options: dict[str, Any], shape: Shape) -> Value:
    return _added(inputs, options, shape, sign=-1)


def _multiplied(inputs: list[Value], _options: dict[str, Any], shape: Shape) -> Value:
    a, b = inputs if inputs[1].fixed is not None else inputs[::-1]
    if b.fixed is not None and a.base is not None and a.table is not None:
        return Value.of_table(a.base * b.fixed, _widened(a, shape) * b.fixed)
    corners = [x * y for x, y in itertools.product((a.low, a.high), (b.low, b.high))]
    return Value(np.minimum.reduce(corners), np.maximum.reduce(corners))


def _rectified(inputs: list[Value], _options: dict[str, Any], _shape: Shape) -> Value:
    value = inputs[0]
    exact = _elementwise(value, lambda array: np.maximum(array, 0))
    return exact or Value(np.maximum(value.low, 0), np.maximum(value.high, 0))


def _compared(inputs: list[Value], _options: dict[str, Any], shape: Shape) -> Value:
    a, b = inputs if inputs[1].fixed is not None else inputs[::-1]
    if b.fixed is not None and a.base is not None and a.table is not None:
        base = np.broadcast_to(a.base, shape)
        wide = Value.of_table(base, np.broadcast_to(_widened(a, shape), (SQUARES, CODES, *shape)))
        wanted = np.broadcast_to(b.fixed, shape)
        exact = _elementwise(wide, lambda array: (array == wanted).astype(np.float64))
        if exact is not None:
            return exact
    return Value(np.zeros(shape), np.ones(shape))


def _cast(inputs: list[Value], options: dict[str, Any], shape: Shape) -> Value:
    to_bool = options["to"] == 9
    if to_bool and not ((inputs[0].low >= 0) & (inputs[0].high <= 1)).all():
        return Value(np.zeros(shape), np.ones(shape))
    return _reshaped(inputs, options, shape)


def _product(inputs: list[Value], _options: dict[str, Any], _shape: Shape) -> Value:
    a, b = inputs
    if b.fixed is not None:
        return _linear(a, b.fixed, np.matmul)
    if a.fixed is not None and b.low.ndim > 1:
        return _linear(b, a.fixed, lambda x, w: np.matmul(w, x))
    most = np.matmul(_size(a), _size(b))
    return Value(-most, most)


def _gemm(inputs: list[Value], options: dict[str, Any], shape: Shape) -> Value:
    def turned(value: Value, name: str) -> Value:
        if not options.get(name, 0):
            return value
        return _moved(value, lambda array, _lead: np.swapaxes(array, -1, -2))

    total = _product([turned(inputs[0], "transA"), turned(inputs[1], "transB")], {}, shape)
    return _added([total, inputs[2]], {}, shape) if len(inputs) > 2 else total


def _convolved(inputs: list[Value], options: dict[str, Any], shape: Shape) -> Value:
    kernel = inputs[1].fixed
    if kernel is None:
        raise ValueError("its kernel is no constant")

    def convolve(x: Array, weights: Array) -> Array:
        batch = x.reshape(-1, *x.shape[-(kernel.ndim - 1) :])
        sums = _convolution(batch, weights, options, shape)
        return sums.reshape(*x.shape[: -(kernel.ndim - 1)], *shape[1:])

    total = _linear(inputs[0], kernel, convolve)
    if len(inputs) < 3:
        return total
    bias = _moved(inputs[2], lambda array, _lead: array.reshape(-1, *(1,) * (kernel.ndim - 2)))
    return _added([total, bias], {}, shape)


def _convolution(x: Array, kernel: Array, options: dict[str, Any], shape: Shape) -> Array:
    """(batch, channels, *places) with a kernel (outputs, channels of a group, *sides)."""
    sides, groups = kernel.shape[2:], int(options.get("group", 1))
    rank = len(sides)
    pads = options.get("pads", [0] * 2 * rank)
    strides, steps = (options.get(name, [1] * rank) for name in ("strides", "dilations"))
    margins = [(0, 0), (0, 0), *zip(pads[:rank], pads[rank:], strict=True)]
    padded, (outputs, width) = np.pad(x, margins), kernel.shape[:2]
    total = np.zeros((len(x), outputs, *shape[2:]))
    for number, tap in enumerate(itertools.product(*map(range, sides))):
        firsts = [place * step for place, step in zip(tap, steps, strict=True)]
        cuts = [
            slice(first, first + size * stride, stride)
            for first, size, stride in zip(firsts, shape[2:], strides, strict=True)
        ]
        seen = padded[(slice(None), slice(None), *cuts)]
        for group in range(groups):
            some = slice(group * outputs // groups, (group + 1) * outputs // groups)
            weights = kernel[some].reshape(-1, width, math.prod(sides))[..., number]
            read = seen[:, group * width : (group + 1) * width]
            total[:, some] += np.einsum("oc,nc...->no...", weights, read)
    return total


# ---- what they share ----


def _linear(value: Value, weights: Array, apply: Callable[[Array, Array], Array]) -> Value:
    """A product with constants, which treats each slice of a table alike."""
    if value.base is not None:
        if value.table is not None:
            return Value.of_table(apply(value.base, weights), apply(value.table, weights))
        if value.fixed is not None:
            return Value.constant(apply(value.fixed, weights))
    up, down = np.maximum(weights, 0), np.minimum(weights, 0)
    return Value(
        apply(value.low, up) + apply(value.high, down),
        apply(value.high, up) + apply(value.low, down),
    )


def _elementwise(value: Value, function: Callable[[Array], Array]) -> Value | None:
    """Exactly what a function makes of elements that depend on one square each, if all do."""
    if value.fixed is not None:
        return Value.constant(function(value.fixed))
    if value.base is None or value.table is None:
        return None
    depends = (value.table != 0).any(axis=1)  # (64, *shape)
    if (depends.sum(axis=0) > 1).any():
        return None
    square = depends.argmax(axis=0)  # 0 for elements of no square, whose table is 0 there
    there = np.take_along_axis(value.table, square[None, None], axis=0)[0]  # (13, *shape)
    made = function(value.base + there)
    table = np.zeros_like(value.table)
    np.put_along_axis(table, square[None, None], made[None], axis=0)
    return Value.of_table(np.zeros(value.base.shape), table)


def _forgotten(inputs: list[Value]) -> bool:
    """Whether a value that is none of constants has no table any more."""
    return any(value.fixed is None and value.table is None for value in inputs)


def _base(value: Value) -> Array:
    assert value.base is not None
    return value.base


def _table(value: Value) -> Array:
    if value.table is not None:
        return value.table
    return np.zeros((SQUARES, CODES, *value.low.shape))


def _widened(value: Value, shape: Shape) -> Array:
    """A table with axes of size 1 put in where broadcasting would put them."""
    table = _table(value)
    missing = (1,) * (len(shape) - value.low.ndim)
    return table.reshape(SQUARES, CODES, *missing, *value.low.shape)


def _size(value: Value) -> Array:
    return np.maximum(np.abs(value.low), np.abs(value.high))


def _whole(value: Value) -> list[int]:
    if value.fixed is None:
        raise ValueError("where it cuts is no constant")
    return [int(number) for number in value.fixed.reshape(-1)]


_OPERATORS: Final[dict[str, Callable[[list[Value], dict[str, Any], Shape], Value]]] = {
    "Add": _added,
    "Cast": _cast,
    "Concat": _joined,
    "Conv": _convolved,
    "Equal": _compared,
    "Flatten": _reshaped,
    "Gemm": _gemm,
    "Identity": _reshaped,
    "MatMul": _product,
    "Mul": _multiplied,
    "Relu": _rectified,
    "Reshape": _reshaped,
    "Slice": _sliced,
    "Squeeze": _reshaped,
    "Sub": _subtracted,
    "Transpose": _transposed,
    "Unsqueeze": _reshaped,
}
