"""Bounds hold on every board that is tried, and are as narrow as one piece a square allows."""

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import proofs.onnx_bounds
from engine.export import to_onnx
from engine.export_conv import ConvNet, conv_to_onnx
from proofs.errors import OnnxRefused
from proofs.onnx_bounds import Value
from proofs.onnx_contract import check_onnx
from tests.proofs.ezkl_fixture import tiny_net
from tests.proofs.test_ezkl_ops import NETS, net, sizes, whole

RNG = np.random.default_rng(3)
node = helper.make_node

MORE = {
    "tiny": to_onnx(tiny_net(1)),
    "conv": conv_to_onnx(ConvNet.random(1, channels=2)),
    "Conv with groups, strides and dilations": net(
        [
            node("Reshape", ["board", "square"], ["x"]),
            node(
                *("Conv", ["x", "kernel"], ["c"]),
                strides=[2, 1],
                dilations=[1, 2],
                group=2,
                pads=[1, 0, 1, 2],
            ),
            node("Relu", ["c"], ["r"]),
            node("Flatten", ["r"], ["f"]),
            node("MatMul", ["f", "w"], ["logits"]),
        ],
        square=sizes(1, 2, 4, 8),
        kernel=whole(4, 1, 3, 3),
        w=whole(4 * 2 * 6, 131),
    ),
    "a Slice that turns round": net(
        [
            node("Slice", ["board", "from", "to", "axis", "step"], ["a"]),
            node("MatMul", ["a", "w"], ["logits"]),
        ],
        **{"from": sizes(-1), "to": sizes(-65), "axis": sizes(1), "step": sizes(-2)},
        w=whole(32, 131),
    ),
    "products of variables": net(
        [
            node("MatMul", ["board", "w"], ["h"]),
            node("Relu", ["h"], ["r"]),
            node("Mul", ["r", "h"], ["m"]),
            node("Equal", ["m", "h"], ["e"]),
            node("Cast", ["e"], ["f"], to=1),
            node("Sub", ["f", "m"], ["s"]),
            node("MatMul", ["s", "v"], ["logits"]),
        ],
        w=whole(64, 5),
        v=whole(5, 131),
    ),
    "weights on the left": net(
        [
            node("Transpose", ["board"], ["column"]),
            node("MatMul", ["w", "column"], ["c"]),
            node("Transpose", ["c"], ["logits"]),
        ],
        w=whole(131, 64),
    ),
}


def bounds_of(data: bytes, monkeypatch: pytest.MonkeyPatch) -> dict[str, Value]:
    """The bounds of every value of a net, by its name."""
    found: dict[str, Value] = {}
    apply = proofs.onnx_bounds._applied

    def noted(node: Any, values: Any, shape: Any) -> Value:
        found[node.output[0]] = apply(node, values, shape)
        return found[node.output[0]]

    monkeypatch.setattr(proofs.onnx_bounds, "_applied", noted)
    check_onnx(data)
    return found


def boards(count: int) -> Any:
    random = RNG.integers(0, 13, size=(count, 64))
    same = np.repeat(np.arange(13), 64).reshape(13, 64)
    return np.concatenate([random, same]).astype(np.float32)


def values_on(data: bytes, names: list[str], board: Any) -> list[Any]:
    model = onnx.load_model_from_string(data)
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    answers: Any = ReferenceEvaluator(model).run(names, {"board": board[None]})
    return [np.asarray(answer, dtype=np.float64) for answer in answers]


@pytest.mark.parametrize("name", [*NETS, *MORE])
def test_no_value_leaves_its_bounds(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = (NETS | MORE)[name]
    bounds = bounds_of(data, monkeypatch)
    for board in boards(40):
        for bound, value in zip(bounds.values(), values_on(data, list(bounds), board), strict=True):
            assert bound.low.shape == bound.high.shape == value.shape
            assert (bound.low <= value).all()
            assert (value <= bound.high).all()


def test_linear_values_have_exact_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to the first rectifier of many squares: the worst board of each can be written down."""
    data = to_onnx(tiny_net(1))
    model = onnx.load_model_from_string(data)
    rectifier = next(n for n in model.graph.node if n.op_type == "Relu")
    bound = bounds_of(data, monkeypatch)[rectifier.input[0]]
    assert bound.table is not None
    for unit in range(4):
        for found, codes in (
            (bound.high, bound.table[:, :, 0, unit].argmax(axis=1)),
            (bound.low, bound.table[:, :, 0, unit].argmin(axis=1)),
        ):
            (value,) = values_on(data, [rectifier.input[0]], codes.astype(np.float32))
            assert value[0, unit] == found[0, unit]


def test_without_tables_bounds_are_wider_and_still_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    data = MORE["conv"]
    narrow = bounds_of(data, monkeypatch)["logits"]
    monkeypatch.setattr(proofs.onnx_bounds, "TABLE_NUMBERS", 1000)
    wide = bounds_of(data, monkeypatch)["logits"]
    assert (wide.low <= narrow.low).all()
    assert (wide.high > narrow.high).any()
    (value,) = values_on(data, ["logits"], boards(1)[0])
    assert ((wide.low <= value) & (value <= wide.high)).all()


def scaled(weight: str, factor: int) -> bytes:
    model = onnx.load_model_from_string(to_onnx(tiny_net(1)))
    tensor = next(t for t in model.graph.initializer if t.name == weight)
    values = numpy_helper.to_array(tensor) * np.float32(factor)
    tensor.CopyFrom(numpy_helper.from_array(values, weight))
    data: bytes = model.SerializeToString()
    return data


def test_values_that_could_leave_the_circuit_are_refused() -> None:
    """No position of a dry run need show it: the worst board decides."""
    check_onnx(scaled("out", 10))
    with pytest.raises(OnnxRefused) as refused:
        check_onnx(scaled("out", 20))
    assert "of a MatMul could reach 1" in str(refused.value)
    assert "below 134,217,728 on every board: use a smaller scale" in str(refused.value)


def test_what_no_bound_can_be_found_for_is_refused() -> None:
    data = net(
        [
            node("Reshape", ["board", "square"], ["x"]),
            node("Conv", ["x", "x"], ["c"], strides=[1, 1]),
            node("Flatten", ["c"], ["f"]),
            node("MatMul", ["f", "w"], ["logits"]),
        ],
        square=sizes(1, 1, 8, 8),
        w=whole(1, 131),
    )
    with pytest.raises(OnnxRefused, match="a Conv is not understood"):
        check_onnx(data)
