"""False witnesses, each recomputed consistently, and the constraints that refuse them."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import chess
import numpy as np

from engine.encoding import Position
from engine.move_groups import groups
from engine.net import NetSpec, Trace
from engine.net_file import PIECES, Head, Layer
from engine.player import legal_indices
from engine.policy_map import MOVE_TYPES, POLICY_SIZE, legal_mask
from proofs.circuit import MoveCircuit
from proofs.field import P, Words, ints_to_words
from proofs.statement import LIMB_BITS, Statement
from tests.proofs.positions import statement_of

MIDDLE = chess.Board("r1bqkb1r/pppp1ppp/2n2n2/4p3/2B1P3/5N2/PPPP1PPP/RNBQK2R w KQkq - 4 4")


@dataclass(frozen=True)
class Cheat:
    """A witness and the group of constraints that every violation of it must lie in."""

    name: str
    words: Words
    groups: tuple[str, ...]


def honest(circuit: MoveCircuit, statement: Statement) -> Words:
    return circuit.assign(statement, circuit.trace(statement))


def with_limbs(words: Words, limbs: list[int]) -> Words:
    """The same private wires under other public inputs."""
    changed = words.copy()
    changed[1 : 1 + len(limbs)] = ints_to_words(limbs)
    return changed


def second_best(circuit: MoveCircuit, statement: Statement) -> Cheat:
    """The next best legal move."""
    logits = circuit.trace(statement).logits
    legal = legal_indices(statement.mask)
    ranked = legal[np.argsort(-logits[legal], kind="stable")]
    false = replace(statement, index=int(ranked[1]))
    return Cheat("second best", honest(circuit, false), ("compare", "block compare"))


def illegal_move(circuit: MoveCircuit, statement: Statement) -> Cheat:
    """The net's favourite of all moves, made illegal: no comparison is against it."""
    logits = circuit.trace(statement).logits
    best = int(np.argmax(logits))
    false = replace(statement, index=best, mask=statement.mask & ~(1 << best))
    return Cheat("illegal move", honest(circuit, false), ("legal",))


def hidden_in_a_group(circuit: MoveCircuit, statement: Statement) -> Cheat:
    """A move that another beats, the difference made up by a third in the better one's group."""
    logits = circuit.trace(statement).logits
    worst_first = np.argsort(logits, kind="stable")
    for members in groups():
        better, worse = members[np.argmax(logits[members])], members[np.argmin(logits[members])]
        between = 2 * logits > logits[better] + logits[worse] + 2
        far = ~np.isin(np.arange(POLICY_SIZE) // 32, members // 32)
        played = [i for i in worst_first if between[i] and far[i] and logits[i] < logits[better]]
        if played:
            mask = sum(1 << int(i) for i in (better, worse, played[0]))
            false = replace(statement, mask=mask, index=int(played[0]))
            return Cheat("hidden in a group", honest(circuit, false), ("one of group",))
    raise AssertionError("the net's logits leave no room in any group")


def no_such_index(circuit: MoveCircuit, statement: Statement) -> Cheat:
    """An index past the table's end."""
    false = replace(statement, index=2047)
    return Cheat("no such index", honest(circuit, false), ("legal", "compare"))


def shifted_limb(circuit: MoveCircuit, statement: Statement) -> Cheat:
    """Limb 4's bits (all of the mask, so of a mask like no other) for the limb plus the modulus."""
    limb = statement.limbs[4]
    shifted = (limb + P) % (1 << LIMB_BITS)
    other = from_bits(statement.bits ^ (limb ^ shifted) << 4 * LIMB_BITS)
    other = best_of(other, circuit.trace(statement))
    limbs = list(other.limbs)
    limbs[4] = limb
    words = with_limbs(honest(circuit, other), limbs)
    return Cheat("limb shifted by the modulus", words, ("limb", "one of group"))


def shifted_activation(circuit: MoveCircuit, statement: Statement) -> Cheat:
    """One sum's bits replaced by those of the sum plus the modulus; its activation stays 0."""
    trace = circuit.trace(statement)
    layers = circuit.layout.wiring.layers
    number, layer = next((k, layer) for k, layer in enumerate(layers) if not layer.gate)
    sums = trace.pre[number].ravel()[layer.rows]
    half = np.left_shift(1, layer.widths - 1)
    k = int(np.flatnonzero((sums < -1) & (sums >= -half))[0])
    words = honest(circuit, statement)
    start = circuit.layout.blocks[f"layer {number} bits"].start + int(layer.widths[:k].sum())
    shifted = int(sums[k] + half[k]) + P
    for place in range(int(layer.widths[k])):
        words[start + place, 0] = shifted >> place & 1
    return Cheat("sum shifted by the modulus", words, (f"layer {number} sum",))


def nibble_13(circuit: MoveCircuit, statement: Statement) -> Cheat:
    """A code 13, which the one-hot would take for a 12."""
    empty = next(s for s in range(64) if statement.board >> 4 * s & 15 == 0)
    trace = circuit.net.forward(statement.board | 12 << 4 * empty, statement.dice)
    false = replace(statement, board=statement.board | 13 << 4 * empty)
    return Cheat("nibble 13", circuit.assign(best_of(false, trace), trace), ("nibble",))


def spare_context_bit(circuit: MoveCircuit, statement: Statement) -> Cheat:
    """Context bit 18, which means nothing."""
    false = replace(statement, context=statement.context | 1 << 18)
    return Cheat("spare context bit", honest(circuit, false), ("limb",))


def spare_mask_bit(circuit: MoveCircuit, statement: Statement) -> Cheat:
    """A bit above the mask's last."""
    limbs = list(statement.limbs)
    limbs[9] |= 1 << 200
    return Cheat("spare mask bit", with_limbs(honest(circuit, statement), limbs), ("limb",))


def other_payee(circuit: MoveCircuit, statement: Statement) -> Cheat:
    """Somebody else's address over the same private wires."""
    limbs = list(replace(statement, payee=statement.payee ^ 1).limbs)
    return Cheat("other payee", with_limbs(honest(circuit, statement), limbs), ("limb",))


def hidden_move(circuit: MoveCircuit, statement: Statement) -> Cheat:
    """The best move left out of the mask, but not out of the public one."""
    trace = circuit.trace(statement)
    fewer = best_of(replace(statement, mask=statement.mask & ~(1 << statement.index)), trace)
    limbs = list(replace(statement, index=fewer.index).limbs)
    return Cheat("hidden move", with_limbs(honest(circuit, fewer), limbs), ("limb",))


def best_of(statement: Statement, trace: Trace) -> Statement:
    """The statement with the best legal move of a forward pass."""
    legal = legal_indices(statement.mask)
    return replace(statement, index=int(legal[np.argmax(trace.logits[legal])]))


def from_bits(string: int) -> Statement:
    """The statement that a public bit string draws, spare bits included."""
    widths = (256, 20, 160, 128, 11, POLICY_SIZE)
    values, offset = [], 0
    for width in widths:
        values.append(string >> offset & (1 << width) - 1)
        offset += width
    return Statement(*values)


CHEATS: dict[str, Callable[[MoveCircuit, Statement], Cheat]] = {
    make.__name__: make
    for make in (
        second_best,
        illegal_move,
        hidden_in_a_group,
        no_such_index,
        shifted_limb,
        shifted_activation,
        nibble_13,
        spare_context_bit,
        spare_mask_bit,
        other_payee,
        hidden_move,
    )
}


def middle_statement(net: NetSpec) -> Statement:
    """The net's move in an ordinary position with many legal moves."""
    return statement_of(net, MIDDLE, payee=0x1234 << 100, dice=(1 << 128) - 3)


def tied_net() -> NetSpec:
    """A net that likes all moves the same."""
    layer = Layer(((0, 0),), np.zeros((1, 13, 1), dtype=np.int64), np.zeros(1, dtype=np.int64), 0)
    flat = np.zeros((MOVE_TYPES, 14), dtype=np.int64)
    head = Head(flat, flat, flat[:PIECES], np.zeros(POLICY_SIZE, dtype=np.int64))
    return NetSpec("tied", (layer,), head)


def legal_of(board: chess.Board) -> tuple[Position, int]:
    return Position.of(board), legal_mask(board)
