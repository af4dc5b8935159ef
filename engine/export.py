"""What an ONNX net must look like to play in the arena, and how a template net becomes one.

    input    float32 [1, 64]   piece codes of `engine.encoding`, 0..12, square a1 first, as the
                               mover sees the board
    output   float32 [1, n]    whole numbers, n = 131 or 451:

        plain, n = 131       0        64       128     131
                             | from   | to     | q r b |
        by piece, n = 451    0        64       128            448     451
                             | from   | to P   | to N .. K    | q r b |

The logit of a move is its from-square's, plus its to-square's, plus its promotion's if it is one
to queen, rook or bishop.  In the second form the to-square's is read from the row of the piece
that moves.  Factored like this the public outputs of a proof stay few, and the contract can take
the best legal move itself: the highest logit, the lowest index among equals.

All weights are whole numbers, so that a proof system has nothing to round.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import chess
import numpy as np
from numpy.typing import NDArray

from engine.errors import InvalidNet, InvalidPosition, NoLegalMove, OnnxMissing
from engine.net_file import IntArray
from engine.player import legal_indices
from engine.policy_map import FROM_SQUARE, MOVES, TO_SQUARE

CONTRACT_VERSION: Final = "checkproof/onnx/1"
SQUARES: Final = 64
PIECE_CODES: Final = 12
PROMOTIONS: Final = (chess.QUEEN, chess.ROOK, chess.BISHOP)
OPSET: Final = 17
IR_VERSION: Final = 8

_NO_PROMOTION: Final = len(PROMOTIONS)
_PROMOTION: Final[IntArray] = np.array(
    [PROMOTIONS.index(m.promotion) if m.promotion else _NO_PROMOTION for m in MOVES],
    dtype=np.int64,
)
"""Which of the last three outputs an index reads; 3 for none."""


@dataclass(frozen=True)
class Heads:
    """How a net's outputs make the 1858 logits; see the module's head."""

    by_piece: bool

    @classmethod
    def of(cls, outputs: int) -> "Heads":
        """The heads of a net with this many outputs.  Raises InvalidNet if there are none."""
        for heads in (cls(by_piece=False), cls(by_piece=True)):
            if heads.outputs == outputs:
                return heads
        raise InvalidNet(f"{outputs} outputs; an arena net has 131 or 451")

    @property
    def to_rows(self) -> int:
        """Rows of to-squares: one for all pieces, or one for each of P N B R Q K."""
        return 6 if self.by_piece else 1

    @property
    def outputs(self) -> int:
        return SQUARES * (1 + self.to_rows) + len(PROMOTIONS)

    def logits(self, outputs: IntArray, board_word: int) -> IntArray:
        """The logits (1858,) that outputs (n,) mean on a board; of legal moves only they matter."""
        rows = np.zeros_like(FROM_SQUARE)
        if self.by_piece:
            rows = (piece_codes(board_word)[FROM_SQUARE] - 1) % 6  # another's piece has no move
        promotions = np.append(outputs[-len(PROMOTIONS) :], 0)
        logits: IntArray = (
            outputs[FROM_SQUARE]
            + outputs[SQUARES * (1 + rows) + TO_SQUARE]
            + promotions[_PROMOTION]
        )
        return logits

    def choose(self, outputs: IntArray, board_word: int, mask: int) -> int:
        """The legal index of the highest logit, the lowest among equals.  Raises NoLegalMove."""
        legal = legal_indices(mask)
        if len(legal) == 0:
            raise NoLegalMove()
        return int(legal[np.argmax(self.logits(outputs, board_word)[legal])])


def piece_codes(board_word: int) -> IntArray:
    """The 64 codes of a board word, a1 first.  Raises InvalidPosition for a code > 12."""
    codes = np.array([board_word >> 4 * square & 15 for square in range(SQUARES)], dtype=np.int64)
    if codes.max() > PIECE_CODES or board_word >> 256:
        raise InvalidPosition(f"board word {board_word:#x}")
    return codes


@dataclass(frozen=True, eq=False)
class TemplateWeights:
    """A template net in whole numbers (`engine.train.template` trains one); all arrays int64."""

    embed: IntArray  # (12, d): what the dense layers see of a piece
    hidden: IntArray  # (64 d, h)
    hidden_bias: IntArray  # (h,)
    out: IntArray  # (h, outputs)
    out_bias: IntArray  # (outputs,)
    skip: IntArray  # (12, 1 + to_rows): what a piece adds to its own square's outputs

    @classmethod
    def from_onnx(cls, data: bytes) -> "TemplateWeights":
        """The weights of a file that `to_onnx` wrote.  Raises InvalidNet for any other."""
        import onnx  # noqa: PLC0415 - an optional extra

        tensors = {t.name: t for t in onnx.load_model_from_string(data).graph.initializer}
        try:
            found = {
                field.name: onnx.numpy_helper.to_array(tensors[field.name]).astype(np.int64)
                for field in fields(cls)
            }
        except KeyError as error:
            raise InvalidNet(f"the file is no template net: it has no {error.args[0]}") from error
        return cls(**found)

    def outputs(self, board_word: int) -> IntArray:
        """The exact outputs (n,) for a board."""
        onehot = piece_codes(board_word)[:, None] == np.arange(1, PIECE_CODES + 1)
        seen = (onehot.astype(np.int64) @ self.embed).reshape(-1)
        acts = np.maximum(seen @ self.hidden + self.hidden_bias, 0)
        own = (onehot.astype(np.int64) @ self.skip).T.reshape(-1)
        total: IntArray = acts @ self.out + self.out_bias
        total += np.pad(own, (0, len(PROMOTIONS)))
        return total


def to_onnx(weights: TemplateWeights) -> bytes:
    """The net as an ONNX file that keeps the contract.  Needs the package `onnx`."""
    graph = Graph()
    column = graph.add("Reshape", "board", graph.shape(SQUARES, 1))
    codes = graph.constant(np.arange(1, PIECE_CODES + 1).reshape(1, -1))
    onehot = graph.add("Cast", graph.add("Equal", column, codes), to=1)  # 1: float32
    seen = graph.add("MatMul", onehot, graph.constant(weights.embed, "embed"))
    x = graph.add("Reshape", seen, graph.shape(1, weights.embed.shape[1] * SQUARES))
    x = graph.add("MatMul", x, graph.constant(weights.hidden, "hidden"))
    x = graph.add("Add", x, graph.constant(weights.hidden_bias, "hidden_bias"))
    x = graph.add("Relu", x)
    x = graph.add("MatMul", x, graph.constant(weights.out, "out"))
    x = graph.add("Add", x, graph.constant(weights.out_bias, "out_bias"))
    own = graph.add("MatMul", onehot, graph.constant(weights.skip, "skip"))
    own = graph.add("Transpose", own, perm=[1, 0])
    own = graph.add("Reshape", own, graph.shape(1, weights.skip.shape[1] * SQUARES))
    own = graph.add("Concat", own, graph.constant(np.zeros((1, len(PROMOTIONS)))), axis=1)
    graph.add("Add", x, own, name="logits")
    return graph.arena_model(outputs=len(weights.out_bias))


Port = tuple[str, Sequence[int | str]]
"""A graph's input or output: its name and its sizes, a name for one that is free."""


class Graph:
    """An ONNX graph in the making: every call adds one node and names its output.

    Its inputs, outputs and constants are of the type `numbers`.  Raises OnnxMissing.
    """

    def __init__(self, *, numbers: type = np.float32) -> None:
        try:
            import onnx  # noqa: PLC0415 - an optional extra
        except ModuleNotFoundError as error:
            raise OnnxMissing() from error
        self._onnx = onnx
        self._numbers = numbers
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, values: NDArray[Any], name: str | None = None) -> str:
        return self._keep(values, self._numbers, name)

    def whole(self, values: NDArray[Any]) -> str:
        """Indices or sizes, int64."""
        return self._keep(values, np.int64)

    def shape(self, *sizes: int) -> str:
        return self.whole(np.array(sizes))

    def add(self, kind: str, *inputs: str, name: str | None = None, **options: Any) -> str:
        output = name or f"x{len(self._nodes)}"
        node = self._onnx.helper.make_node(kind, list(inputs), [output], **options)
        self._nodes.append(node)
        return output

    def model(self, source: Port, result: Port, *, producer: str) -> bytes:
        """The file of a graph from one input to one output."""
        helper = self._onnx.helper
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(self._numbers))
        ends = [[helper.make_tensor_value_info(n, kind, sizes)] for n, sizes in (source, result)]
        graph = helper.make_graph(self._nodes, "policy", *ends, self._constants)
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)
        model.producer_name = producer
        self._onnx.checker.check_model(model)
        data: bytes = model.SerializeToString(deterministic=True)
        return data

    def arena_model(self, *, outputs: int) -> bytes:
        """The file of a graph from `board` to `logits`, as the contract has them."""
        source, result = ("board", [1, SQUARES]), ("logits", [1, outputs])
        return self.model(source, result, producer=CONTRACT_VERSION)

    def _keep(self, values: NDArray[Any], kind: type, name: str | None = None) -> str:
        name = name or f"c{len(self._constants)}"
        # Not ascontiguousarray, which makes a list of a single number.
        array: NDArray[Any] = np.array(values, dtype=kind, order="C")
        self._constants.append(self._onnx.numpy_helper.from_array(array, name))
        return name
