"""What the contract lets a net use, ezkl computes as ONNX's own reference does."""

import asyncio
import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from engine.export import TemplateWeights, to_onnx
from proofs.errors import OnnxRefused
from proofs.ezkl_build import call_ezkl, lay_out
from proofs.ezkl_shape import BINDINGS, from_field, wrap
from proofs.onnx_contract import check_onnx

RNG = np.random.default_rng(1)
BOARD = RNG.integers(0, 13, 64)
node = helper.make_node


def whole(*shape: int) -> Any:
    return RNG.integers(-9, 10, size=shape).astype(np.float32)


def sizes(*values: int) -> Any:
    return np.array(values, dtype=np.int64)


def net(nodes: list[Any], **constants: Any) -> bytes:
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("board", TensorProto.FLOAT, [1, 64])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 131])],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    opset = helper.make_opsetid("", 17)
    data: bytes = helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString()
    return data


def convolution(**options: Any) -> bytes:
    return net(
        [
            node("Reshape", ["board", "square"], ["x"]),
            node("Conv", ["x", "kernel", "bias"], ["c"], pads=[1, 1, 1, 1], **options),
            node("Relu", ["c"], ["r"]),
            node("Flatten", ["r"], ["f"]),
            node("MatMul", ["f", "w"], ["logits"]),
        ],
        square=sizes(1, 1, 8, 8),
        kernel=whole(2, 1, 3, 3),
        bias=whole(2),
        w=whole(128, 131),
    )


def by_piece() -> bytes:
    heads = 451
    parts = [(12, 2), (128, 4), (4,), (4, heads), (heads,), (12, 7)]
    return to_onnx(TemplateWeights(*(whole(*shape).astype(np.int64) for shape in parts)))


NETS = {
    "Gemm": net(
        [
            node("Gemm", ["board", "w", "b"], ["h"], transB=1),
            node("Relu", ["h"], ["r"]),
            node("Gemm", ["r", "v", "c"], ["logits"], transB=1),
        ],
        w=whole(8, 64),
        b=whole(8),
        v=whole(131, 8),
        c=whole(131),
    ),
    "Conv": convolution(strides=[1, 1], kernel_shape=[3, 3]),
    "Mul, Sub, Squeeze, Unsqueeze, Identity": net(
        [
            node("Mul", ["board", "m"], ["x"]),
            node("Sub", ["x", "d"], ["y"]),
            node("Unsqueeze", ["y", "axis"], ["u"]),
            node("Squeeze", ["u", "axis"], ["q"]),
            node("Identity", ["q"], ["i"]),
            node("MatMul", ["i", "w"], ["logits"]),
        ],
        m=whole(1, 64),
        d=whole(1, 64),
        axis=sizes(0),
        w=whole(64, 131),
    ),
    "Slice, Equal, Cast, Transpose, Reshape, Concat": net(
        [
            node("Slice", ["board", "from", "to", "axis"], ["a"]),
            node("Equal", ["a", "seven"], ["e"]),
            node("Cast", ["e"], ["f"], to=1),
            node("Transpose", ["f"], ["t"], perm=[1, 0]),
            node("Reshape", ["t", "row"], ["r"]),
            node("Concat", ["r", "board"], ["c"], axis=1),
            node("MatMul", ["c", "w"], ["logits"]),
        ],
        **{"from": sizes(0), "to": sizes(8), "axis": sizes(1), "row": sizes(1, 8)},
        seven=np.array([[7]], dtype=np.float32),
        w=whole(72, 131),
    ),
    "Constant, Add": net(
        [
            node("Constant", [], ["k"], value=numpy_helper.from_array(whole(1, 64))),
            node("Add", ["board", "k"], ["x"]),
            node("MatMul", ["x", "w"], ["logits"]),
        ],
        w=whole(64, 131),
    ),
    "six rows of to-squares": by_piece(),
}


def circuit_outputs(data: bytes, work: Path) -> list[int]:
    (work / "circuit.onnx").write_bytes(wrap(data))
    lay_out(work)
    circuit, settings = work / "circuit.ezkl", work / "settings.json"
    call_ezkl("compile", "compile_circuit", work / "circuit.onnx", circuit, settings)
    numbers = [float(x) for x in [*BOARD, *range(1, BINDINGS + 1)]]
    (work / "input.json").write_text(json.dumps({"input_data": [numbers]}))

    async def witness() -> Any:
        made = call_ezkl("w", "gen_witness", work / "input.json", circuit, work / "witness.json")
        return await made if inspect.isawaitable(made) else made

    elements = asyncio.run(witness())["outputs"][0]
    return [from_field(int.from_bytes(bytes.fromhex(e), "little")) for e in elements]


@pytest.mark.parametrize("name", NETS)
def test_the_circuit_computes_what_onnx_means(name: str, tmp_path: Path) -> None:
    data = NETS[name]
    check_onnx(data)
    reference = ReferenceEvaluator(onnx.load_model_from_string(data))
    answers: Any = reference.run(None, {"board": BOARD[None].astype(np.float32)})
    expected = answers[0][0]
    assert circuit_outputs(data, tmp_path) == [int(x) for x in expected]


def test_a_convolution_names_its_strides() -> None:
    with pytest.raises(OnnxRefused, match="a Conv without strides; name them"):
        check_onnx(convolution(kernel_shape=[3, 3]))
