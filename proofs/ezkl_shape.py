"""The circuit that ezkl makes of a net, and what of a move it is about.

An author's net keeps the contract of `engine.export`.  Before ezkl sees it, it is wrapped: its one
input becomes the first 64 numbers of a longer one, whose last five bind the proof to its game.

    instance   0              64        69               69 + n
               | piece codes  | binding | outputs of net |

    binding    the low 120 bits of keccak256(context | payee | dice), three words of 32 bytes,
               cut into five numbers of 24 bits, lowest first

The net reads no binding.  But a proof is about all of its public numbers, so one for another payee,
other dice or another context is another proof; and nobody finds a second context, payee and dice
of the same binding, which would take 2^120 hashes.

Whole numbers lie in the field as themselves, or as r - |x| if they are negative.  In a proof's
bytes the outputs come first, as signed big-endian 32-bit words, then what ezkl's verifier takes.
Every output lies strictly between -2^27 and 2^27, as the circuit itself demands of it.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from eth_utils.crypto import keccak

from engine.export import SQUARES, piece_codes
from engine.net_file import IntArray
from proofs.errors import OnnxRefused
from proofs.statement import Statement

BINDINGS: Final = 5
BINDING_BITS: Final = 24
"""As many as ezkl reads exactly: it takes its inputs as float32."""
INPUTS: Final = SQUARES + BINDINGS
OUTPUT_BYTES: Final = 4
OUTPUT_LIMIT: Final = 2**27
FIELD: Final = 0x30644E72E131A029B85045B68181585D2833E84879B9709143E1F593F0000001

COLUMN_ORDER: Final = "sorted"
"""How the circuit's fixed columns are ordered, see `proofs.ezkl_build.canonical`."""

SMALLEST_LOGROWS: Final = 14
LARGEST_LOGROWS: Final = 17


@dataclass(frozen=True)
class CircuitOptions:
    """What decides the circuit beside the net.

    One column of cells instead of ezkl's two makes the proof short and cheap to check.  Small legs
    of range checks leave small nets a small table.  Without Freivalds' trick, a matrix of constants
    needs no columns for random combinations of it.
    """

    logrows: int
    inner_columns: int = 1
    decomp_base: int = 512
    decomp_legs: int = 3

    def run_args(self) -> Any:
        """ezkl's own options: all numbers whole, the weights fixed, the rest public."""
        import ezkl  # noqa: PLC0415 - an optional extra

        args: Any = ezkl.PyRunArgs()
        args.input_visibility = "public"
        args.output_visibility = "public"
        args.param_visibility = "fixed"
        args.input_scale = 0
        args.param_scale = 0
        args.scale_rebase_multiplier = 1
        args.lookup_range = (-2, 2)
        args.logrows = self.logrows
        args.num_inner_cols = self.inner_columns
        args.decomp_base = self.decomp_base
        args.decomp_legs = self.decomp_legs
        args.disable_freivalds = True
        args.ignore_range_check_inputs_outputs = False
        args.check_mode = "unsafe"
        return args

    def content(self, wrapped: bytes, ezkl_version: str) -> str:
        """The hash that names the circuit: SHA-256 of all that decides it, hexadecimal.

        ezkl's own circuit file holds maps in random order.
        """
        parts = {
            "onnx": hashlib.sha256(wrapped).hexdigest(),
            "options": asdict(self),
            "ezkl": ezkl_version,
            "order": COLUMN_ORDER,
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def wrap(data: bytes) -> bytes:
    """The ONNX file that is proven, of an author's checked one."""
    import onnx  # noqa: PLC0415 - an optional extra

    model = onnx.load_model_from_string(data)
    graph = model.graph
    weights = {tensor.name for tensor in graph.initializer}
    board = next(value for value in graph.input if value.name not in weights)
    taken = weights | {board.name} | {name for node in graph.node for name in node.output}
    if any(name.startswith("checkproof/") for name in taken):
        raise OnnxRefused("names that begin with checkproof/", "rename them")
    ends = {"starts": 0, "ends": SQUARES, "axes": 1}
    constants = [
        onnx.numpy_helper.from_array(np.array([value], dtype=np.int64), f"checkproof/{name}")
        for name, value in ends.items()
    ]
    names = ["checkproof/statement", *(constant.name for constant in constants)]
    first = onnx.helper.make_node("Slice", names, [board.name])
    kind = onnx.TensorProto.FLOAT
    statement = onnx.helper.make_tensor_value_info("checkproof/statement", kind, [1, INPUTS])
    wrapped = onnx.helper.make_graph(
        [first, *graph.node],
        "checkproof",
        [statement],
        list(graph.output),
        [*graph.initializer, *constants],
    )
    opsets = [opset for opset in model.opset_import if opset.domain in ("", "ai.onnx")]
    result = onnx.helper.make_model(wrapped, opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(result)
    serialised: bytes = result.SerializeToString(deterministic=True)
    return serialised


def binding(statement: Statement) -> tuple[int, ...]:
    """The five numbers that bind a proof to context, payee and dice."""
    words = (statement.context, statement.payee, statement.dice)
    digest = keccak(b"".join(word.to_bytes(32, "big") for word in words))
    bits, low = int.from_bytes(digest, "big"), (1 << BINDING_BITS) - 1
    return tuple(bits >> BINDING_BITS * k & low for k in range(BINDINGS))


def inputs(statement: Statement) -> list[int]:
    """The 69 numbers that a proof of this statement begins with."""
    return [*(int(code) for code in piece_codes(statement.board)), *binding(statement)]


def to_field(value: int) -> int:
    return value % FIELD


def from_field(element: int) -> int:
    """The whole number that a field element stands for: the upper half are the negative ones."""
    return element - FIELD if element > FIELD // 2 else element


def pack_outputs(outputs: IntArray) -> bytes:
    """The outputs as the proof's bytes carry them."""
    return outputs.astype(">i4").tobytes()


def unpack_outputs(proof: bytes, count: int) -> IntArray:
    return np.frombuffer(proof[: OUTPUT_BYTES * count], dtype=">i4").astype(np.int64)
