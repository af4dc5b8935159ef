"""Which ONNX files may play: one clear line for every kind that may not."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from engine.export import to_onnx
from proofs.errors import OnnxRefused
from proofs.ezkl_shape import INPUTS, wrap
from proofs.onnx_contract import MAX_BYTES, check_onnx
from tests.proofs.ezkl_fixture import tiny_net

Change = Callable[[Any], None]


def tiny_model() -> Any:
    return onnx.load_model_from_string(to_onnx(tiny_net(1)))


def refusal(data: bytes) -> str:
    with pytest.raises(OnnxRefused) as refused:
        check_onnx(data)
    line = str(refused.value)
    assert "\n" not in line
    assert len(line) < 400
    return line


def refusal_after(change: Change) -> str:
    model = tiny_model()
    change(model)
    data: bytes = model.SerializeToString()
    return refusal(data)


def weights(model: Any, place: int = 1) -> Any:
    floats = [t for t in model.graph.initializer if t.data_type == TensorProto.FLOAT]
    return floats[place]


def set_weight(value: float) -> Change:
    def change(model: Any) -> None:
        tensor = weights(model)
        values = numpy_helper.to_array(tensor).copy()
        values.reshape(-1)[3] = value
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))

    return change


def test_a_template_net_is_taken() -> None:
    facts = check_onnx(to_onnx(tiny_net(1)))
    assert facts.outputs == 131
    assert facts.weights > 12 * 2 + 128 * 4 + 4 * 131
    assert 128 * 4 + 4 * 131 < facts.macs < 10_000


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (float("nan"), "NaN or infinity"),
        (float("inf"), "NaN or infinity"),
        (0.25, "hold 0.25; all weights must be whole numbers"),
        (2.0**24, "exceed 8,388,608"),
    ],
)
def test_weights_must_be_sane(value: float, what: str) -> None:
    assert what in refusal_after(set_weight(value))


def test_a_batch_left_open_is_named() -> None:
    def change(model: Any) -> None:
        model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "batch"

    assert "input 'board' has a free dimension 'batch'; export it" in refusal_after(change)


def test_planes_are_no_piece_codes() -> None:
    def change(model: Any) -> None:
        model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 768

    assert "input 'board' has shape [1, 768]; export it as float32 [1, 64]" in refusal_after(change)


def test_outputs_must_be_factored() -> None:
    def change(model: Any) -> None:
        model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 1858

    line = refusal_after(change)
    assert "output 'logits' has shape [1, 1858]; make it [1, 131]" in line


def test_a_shape_that_lies_is_found() -> None:
    def change(model: Any) -> None:
        model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 451

    assert "the graph is not sound" in refusal_after(change)


def test_doubles_are_refused() -> None:
    def change(model: Any) -> None:
        tensor = weights(model)
        values = numpy_helper.to_array(tensor).astype(np.float64)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))

    assert "are float64; use float32" in refusal_after(change)


def test_an_unknown_operator_is_named() -> None:
    def change(model: Any) -> None:
        next(node for node in model.graph.node if node.op_type == "Relu").op_type = "Softmax"

    line = refusal_after(change)
    assert "operator 'Softmax' is not supported; use Add, Cast" in line


def test_subgraphs_are_refused() -> None:
    def change(model: Any) -> None:
        relu = next(node for node in model.graph.node if node.op_type == "Relu")
        relu.attribute.append(helper.make_attribute("body", model.graph))

    assert "attribute 'body' of a Relu is not supported" in refusal_after(change)


def test_weights_outside_the_file_are_refused() -> None:
    def change(model: Any) -> None:
        tensor = weights(model)
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="../../etc/passwd")

    assert "lie outside the file" in refusal_after(change)


def test_weights_that_do_not_fill_their_shape_are_refused() -> None:
    def change(model: Any) -> None:
        tensor = weights(model)
        tensor.raw_data = tensor.raw_data[:-4]

    assert "do not fill their shape" in refusal_after(change)


@pytest.mark.parametrize("dims", [[2**40, 2**40], [-1, 4], [2**62]])
def test_shapes_without_measure_are_refused(dims: list[int]) -> None:
    def change(model: Any) -> None:
        tensor = weights(model)
        del tensor.dims[:]
        tensor.dims.extend(dims)

    assert "make the net smaller" in refusal_after(change)


def test_values_without_measure_are_refused() -> None:
    """A file of a kilobyte can ask for any number of products."""

    def change(model: Any) -> None:
        big = numpy_helper.from_array(np.array([1, 64, 1, 1, 1], dtype=np.int64), "five")
        wide = numpy_helper.from_array(np.zeros((1, 1, 500, 500, 1), dtype=np.float32), "wide")
        model.graph.initializer.extend([big, wide])
        reshape = helper.make_node("Reshape", ["board", "five"], ["spread"])
        add = helper.make_node("Add", ["spread", "wide"], ["huge"])
        model.graph.node.extend([reshape, add])

    assert "'huge' of a Add has shape [1, 64, 500, 500, 1]" in refusal_after(change)


def test_too_many_products_are_refused() -> None:
    def change(model: Any) -> None:
        wide = numpy_helper.from_array(np.zeros((64, 4000), dtype=np.float32), "wide")
        model.graph.initializer.append(wide)
        model.graph.node.append(helper.make_node("MatMul", ["board", "wide"], ["unused"]))

    assert "multiplications; at most 150,000 can be proven" in refusal_after(change)


def test_an_output_that_ignores_the_board_is_refused() -> None:
    def change(model: Any) -> None:
        model.graph.node[-1].output[0] = "ignored"
        fixed = numpy_helper.from_array(np.zeros((1, 131), dtype=np.float32), "fixed")
        model.graph.initializer.append(fixed)
        model.graph.node.append(helper.make_node("Identity", ["fixed"], ["logits"]))

    assert "does not depend on the input" in refusal_after(change)


def test_another_opset_is_refused() -> None:
    def change(model: Any) -> None:
        model.opset_import[0].version = 7

    assert "opset 7; export with opset 13 to 21" in refusal_after(change)


def test_names_cannot_write_on_a_terminal() -> None:
    def change(model: Any) -> None:
        model.graph.node[0].op_type = "\x1b[2J\n" + "x" * 500

    assert "\\x1b[2J\\n" in refusal_after(change)


def test_files_of_other_kinds_are_refused() -> None:
    data = to_onnx(tiny_net(1))
    for bad in (b"", b"\0" * 100, b"hello, I am a net", b"\x89PNG\r\n\x1a\n" * 9, b"\xff" * 999):
        refusal(bad)
    for end in range(1, len(data), len(data) // 97):
        refusal(data[:end])
    assert "bytes; at most" in refusal(bytes(MAX_BYTES + 1))


def test_flipped_bits_are_refused_or_make_another_net() -> None:
    """Whatever a file holds, the answer is a net or a refusal."""
    data = to_onnx(tiny_net(1))
    rng = np.random.default_rng(5)
    for _ in range(150):
        changed = bytearray(data)
        for place in rng.integers(0, len(data), 3):
            changed[place] ^= 1 << int(rng.integers(8))
        with suppress(OnnxRefused):
            assert check_onnx(bytes(changed)).outputs == 131


def test_wrapping_only_lengthens_the_input() -> None:
    model = onnx.load_model_from_string(wrap(to_onnx(tiny_net(1))))
    shape = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    assert shape == [1, INPUTS]
    assert wrap(to_onnx(tiny_net(1))) == wrap(to_onnx(tiny_net(1)))


def test_names_of_the_wrapping_are_refused() -> None:
    model = tiny_model()
    model.graph.node[0].name = "fine"
    model.graph.initializer[0].name = "checkproof/ends"
    model.graph.node[0].input[1] = "checkproof/ends"
    with pytest.raises(OnnxRefused, match="rename them"):
        wrap(model.SerializeToString())
