"""Whether an ONNX file keeps the contract of `engine.export`, found out without running it.

The file is anybody's, so nothing in it is believed: sizes are bounded before anything is parsed,
weights kept outside the file, functions and subgraphs are refused, and every value's shape has to
be known and small.  All refusals are OnnxRefused, with what to change.

Needs the package `onnx` (the extra `ezkl`), and parses in C++: `proofs.ezkl_process` does it in a
process of its own.
"""

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from engine.errors import InvalidNet
from engine.export import SQUARES, Heads
from proofs.errors import EzklMissing, OnnxRefused
from proofs.onnx_bounds import check_bounds

MAX_BYTES: Final = 4_000_000
MAX_NODES: Final = 400
MAX_WEIGHTS: Final = 600_000
MAX_VALUES: Final = 100_000
"""Elements of one value between two nodes."""
MAX_MACS: Final = 150_000
"""Products in the net; each is a cell of the proof, and 2^17 rows are what a prover can bear."""
MAX_WEIGHT: Final = 2**23
OPSETS: Final = range(13, 22)
ALLOWED: Final = (
    *("Add", "Cast", "Concat", "Constant", "Conv", "Equal", "Flatten", "Gemm", "Identity"),
    *("MatMul", "Mul", "Relu", "Reshape", "Slice", "Squeeze", "Sub", "Transpose", "Unsqueeze"),
)

_FLOAT, _INT64, _BOOL = 1, 7, 9
_TYPE_NAMES: Final = {1: "float32", 7: "int64", 9: "bool", 10: "float16", 11: "float64"}


@dataclass(frozen=True)
class OnnxFacts:
    """What is known of a net that keeps the contract."""

    sha256: str
    heads: Heads
    weights: int
    macs: int

    @property
    def outputs(self) -> int:
        return self.heads.outputs


def check_onnx(data: bytes) -> OnnxFacts:
    """The facts of a net.  Raises OnnxRefused, or EzklMissing without the package `onnx`."""
    if len(data) > MAX_BYTES:
        raise OnnxRefused(f"{len(data)} bytes", f"at most {MAX_BYTES:,} are taken")
    model = _parse(data)
    graph = model.graph
    _check_model(model)
    _check_nodes(graph.node)
    weights = _check_weights(_tensors(graph))
    heads = _check_ends(graph)
    shapes = _shapes(model)
    macs = sum(_macs(node, shapes) for node in graph.node)
    if macs > MAX_MACS:
        raise OnnxRefused(f"{macs:,} multiplications", f"at most {MAX_MACS:,} can be proven")
    _check_reaches(graph)
    check_bounds(graph, shapes, _shown)
    return OnnxFacts(hashlib.sha256(data).hexdigest(), heads, weights, macs)


def _parse(data: bytes) -> Any:
    try:
        import onnx  # noqa: PLC0415 - an optional extra
        from google.protobuf.message import DecodeError  # noqa: PLC0415
    except ImportError as error:
        raise EzklMissing() from error
    try:
        model = onnx.load_model_from_string(data)
    except DecodeError as error:
        raise OnnxRefused("no ONNX file, or a truncated one", "export it again") from error
    if not model.HasField("graph") or not model.graph.node:
        raise OnnxRefused("no graph in it", "export it again")
    return model


def _check_model(model: Any) -> None:
    if len(model.functions) or len(model.training_info):
        raise OnnxRefused("functions of its own", "export the plain graph for inference")
    if len(model.graph.sparse_initializer):
        raise OnnxRefused("sparse weights", "store them in full")
    versions = {opset.domain or "ai.onnx": opset.version for opset in model.opset_import}
    version = versions.pop("ai.onnx", None)
    if version not in OPSETS:
        wanted = f"export with opset {OPSETS[0]} to {OPSETS[-1]}"
        raise OnnxRefused(f"opset {version}", wanted)
    if versions:
        raise OnnxRefused(f"operators of {_shown(min(versions))}", "use the standard ones alone")


def _check_nodes(nodes: Any) -> None:
    if len(nodes) > MAX_NODES:
        raise OnnxRefused(f"{len(nodes)} nodes", f"at most {MAX_NODES} are taken")
    for node in nodes:
        if node.op_type not in ALLOWED or node.domain not in ("", "ai.onnx"):
            use = ", ".join(ALLOWED)
            raise OnnxRefused(f"operator {_shown(node.op_type)} is not supported", f"use {use}")
        for attribute in node.attribute:
            _check_attribute(node, attribute)
        if node.op_type == "Conv" and not any(a.name == "strides" for a in node.attribute):
            raise OnnxRefused("a Conv without strides", "name them, because ezkl knows no default")


def _check_attribute(node: Any, attribute: Any) -> None:
    kinds = type(attribute)
    where = f"attribute {_shown(attribute.name)} of a {node.op_type}"
    if attribute.type == kinds.FLOAT and attribute.f != 1.0:
        raise OnnxRefused(f"{where} is {attribute.f:g}", "fold the factor into the weights")
    if attribute.type not in (kinds.FLOAT, kinds.INT, kinds.INTS, kinds.TENSOR):
        string = attribute.type == kinds.STRING and attribute.s == b"NOTSET"
        if not string:
            raise OnnxRefused(f"{where} is not supported", "use numbers and whole tensors")
    if node.op_type == "Constant" and attribute.type != kinds.TENSOR:
        raise OnnxRefused(f"{where} is not supported", "store constants as tensors")
    if attribute.type == kinds.TENSOR and node.op_type != "Constant":
        raise OnnxRefused(f"{where} is not supported", "store weights as initializers")


def _tensors(graph: Any) -> Iterable[tuple[str, Any]]:
    for tensor in graph.initializer:
        yield tensor.name, tensor
    for node in graph.node:
        if node.op_type == "Constant" and len(node.attribute) == 1:
            yield node.output[0] if node.output else "", node.attribute[0].t


def _check_weights(tensors: Iterable[tuple[str, Any]]) -> int:
    """The number of weights; all are finite whole numbers of a sane size."""
    total = 0
    for name, tensor in tensors:
        total += _check_tensor(f"weights {_shown(name)}", tensor)
        if total > MAX_WEIGHTS:
            raise OnnxRefused(f"over {MAX_WEIGHTS:,} weights", "make the net smaller")
    return total


def _check_tensor(where: str, tensor: Any) -> int:
    from onnx import numpy_helper  # noqa: PLC0415

    if tensor.data_location or len(tensor.external_data):
        raise OnnxRefused(f"{where} lie outside the file", "save everything in one file")
    if tensor.data_type not in (_FLOAT, _INT64, _BOOL):
        found = _TYPE_NAMES.get(tensor.data_type, f"type {tensor.data_type}")
        raise OnnxRefused(f"{where} are {found}", "use float32")
    if any(size < 0 for size in tensor.dims) or math.prod(tensor.dims) > MAX_WEIGHTS:
        raise OnnxRefused(f"{where} of shape {list(tensor.dims)[:8]}", "make the net smaller")
    try:
        values = numpy_helper.to_array(tensor)
    except (ValueError, TypeError) as error:
        raise OnnxRefused(f"{where} do not fill their shape", "export it again") from error
    if tensor.data_type == _FLOAT:
        _check_values(where, values)
    return int(values.size)


def _check_values(where: str, values: Any) -> None:
    if not np.isfinite(values).all():
        raise OnnxRefused(f"{where} hold NaN or infinity", "train again, or clip them")
    odd = values != np.round(values)
    if odd.any():
        raise OnnxRefused(
            f"{where} hold {float(values[odd].reshape(-1)[0]):.6g}",
            "all weights must be whole numbers: multiply by a scale and round",
        )
    if np.abs(values).max(initial=0) > MAX_WEIGHT:
        raise OnnxRefused(f"{where} exceed {MAX_WEIGHT:,}", "use a smaller scale")


def _check_ends(graph: Any) -> Heads:
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    if len(inputs) != 1 or len(graph.output) != 1:
        found = f"{len(inputs)} inputs and {len(graph.output)} outputs"
        raise OnnxRefused(found, "have one of each: piece codes in, logits out")
    shape = _fixed_shape(inputs[0], "input")
    if shape != [1, SQUARES]:
        raise OnnxRefused(
            f"input {_shown(inputs[0].name)} has shape {shape}",
            "export it as float32 [1, 64]: one piece code 0..12 a square",
        )
    return _heads(graph.output[0])


def _heads(output: Any) -> Heads:
    shape = _fixed_shape(output, "output")
    try:
        if len(shape) == 2 and shape[0] == 1:
            return Heads.of(shape[1])
    except InvalidNet:
        pass
    raise OnnxRefused(
        f"output {_shown(output.name)} has shape {shape}",
        "make it [1, 131] (64 from, 64 to, 3 promotions) or [1, 451] (six rows of to)",
    )


def _fixed_shape(value: Any, what: str) -> list[int]:
    tensor = value.type.tensor_type
    if tensor.elem_type != _FLOAT:
        found = _TYPE_NAMES.get(tensor.elem_type, f"type {tensor.elem_type}")
        raise OnnxRefused(f"{what} {_shown(value.name)} is {found}", "use float32")
    for dimension in tensor.shape.dim:
        if not dimension.HasField("dim_value"):
            name = _shown(dimension.dim_param or "?")
            raise OnnxRefused(
                f"{what} {_shown(value.name)} has a free dimension {name}",
                "export it without dynamic axes, for a batch of 1",
            )
    return [dimension.dim_value for dimension in tensor.shape.dim]


def _shapes(model: Any) -> dict[str, list[int]]:
    """The shape of every value, all known and small."""
    from onnx import checker, shape_inference  # noqa: PLC0415

    try:
        checker.check_model(model)
        inferred = shape_inference.infer_shapes(
            model, check_type=True, strict_mode=True, data_prop=True
        )
    except Exception as error:  # the C++ checks raise many kinds
        line = " ".join(str(error).split())[:160]
        raise OnnxRefused(f"the graph is not sound ({line})", "export it again") from error
    shapes = {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
    values = [*inferred.graph.value_info, *inferred.graph.input, *inferred.graph.output]
    for value in values:
        dims = value.type.tensor_type.shape.dim
        shapes[value.name] = [d.dim_value if d.HasField("dim_value") else -1 for d in dims]
    for node in model.graph.node:
        for name in node.output:
            shape = shapes.get(name)
            if shape is None or min(shape, default=1) < 1 or math.prod(shape) > MAX_VALUES:
                raise OnnxRefused(
                    f"value {_shown(name)} of a {node.op_type} has shape {shape}",
                    f"every shape must be fixed, with at most {MAX_VALUES:,} elements",
                )
    return shapes


def _macs(node: Any, shapes: dict[str, list[int]]) -> int:
    """The products that a node takes."""
    out = math.prod(shapes[node.output[0]])
    if node.op_type == "MatMul":
        return out * shapes[node.input[0]][-1]
    if node.op_type == "Gemm":
        turned = any(a.name == "transA" and a.i for a in node.attribute)
        return out * shapes[node.input[0]][0 if turned else -1]
    if node.op_type == "Conv":
        return out * math.prod(shapes[node.input[1]][1:])
    return out if node.op_type == "Mul" else 0


def _check_reaches(graph: Any) -> None:
    """The output has to depend on the board."""
    weights = {tensor.name for tensor in graph.initializer}
    seen = {value.name for value in graph.input if value.name not in weights}
    for node in graph.node:
        if seen & set(node.input):
            seen |= set(node.output)
    if graph.output[0].name not in seen:
        raise OnnxRefused("the output does not depend on the input", "export the whole net")


def _shown(name: str) -> str:
    """A name from the file, fit for one line of a terminal."""
    return ascii(name[:40] + ("…" if len(name) > 40 else ""))
