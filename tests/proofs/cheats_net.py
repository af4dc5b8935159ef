"""False witnesses that lie about one value between the board and the logits.

Everything after the lie is computed from it, honestly, so only the constraints that force that
value refuse the witness.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from engine.net import NetSpec, Trace
from engine.net_file import INPUT_PLANES, Gate, IntArray, Layer
from engine.noise import dice_noise
from engine.policy_map import FROM_SQUARE, MOVERS, TO_SQUARE, TYPE
from engine.sight import OFF_BOARD, RAY_SQUARES, step_squares
from engine.wiring import LINE, SIGHT
from proofs.circuit import MoveCircuit
from proofs.field import Words, ints_to_words, small_to_words, words_to_ints
from proofs.statement import Statement
from tests.proofs.cheats import Cheat, best_of, honest, with_limbs

OWN_ROOK = 4
OWN_ROOKS = 3  # the sight plane that counts them
NEAR = RAY_SQUARES[:, 0]

Lie = Callable[[int, IntArray], IntArray]


def blocker_looked_through(circuit: MoveCircuit, statement: Statement) -> Cheat:
    """An occupied square said to be empty: lines go on behind the piece there."""
    planes = circuit.net.forward(statement.board).planes
    empty = 1 - planes[:12].sum(axis=0)
    empty[next(s for s in range(9, 55) if not empty[s])] = 1
    seen = lines_seen(planes, empty)
    forged = planes.copy()
    for number, (kind, code, lines) in enumerate(SIGHT):
        if kind == LINE:
            forged[INPUT_PLANES + number] = seen[code, list(lines)].sum(axis=0)
    assert not np.array_equal(forged, planes)
    wiring = circuit.layout.wiring.sight
    values = {"empty": empty, "seen": seen[wiring.codes, wiring.lines, wiring.squares]}
    return told(circuit, statement, "empty", values, planes=forged)


def rook_seen(circuit: MoveCircuit, statement: Statement) -> Cheat:
    """A rook said to be the first piece on a line, seen from an occupied square."""
    planes = circuit.net.forward(statement.board).planes.copy()
    wiring = circuit.layout.wiring.sight
    empty = 1 - planes[:12].sum(axis=0)
    seen = lines_seen(planes, empty)[wiring.codes, wiring.lines, wiring.squares]
    free = (seen == 0) & (wiring.codes == OWN_ROOK) & (empty[wiring.squares] == 0)
    lie = int(np.flatnonzero(free)[0])
    seen[lie] = 1
    planes[INPUT_PLANES + OWN_ROOKS, wiring.squares[lie]] += 1
    return told(circuit, statement, "seen", {"seen": seen}, planes=planes)


def attackers_miscounted(circuit: MoveCircuit, statement: Statement) -> Cheat:
    """One rook more that attacks a square."""
    planes = circuit.net.forward(statement.board).planes.copy()
    planes[INPUT_PLANES + OWN_ROOKS, 27] += 1
    return told(circuit, statement, "sight", {}, planes=planes)


def gate_opened(circuit: MoveCircuit, statement: Statement) -> Cheat:
    """An output of a gate layer that is not its product."""

    def lie(k: int, outputs: IntArray) -> IntArray:
        changed = outputs.copy()
        changed.ravel()[circuit.layout.wiring.layers[0].rows[5]] += k == 0
        return changed

    return told(circuit, statement, "layer 0", {}, lie=lie)


def piece_reach_changed(circuit: MoveCircuit, statement: Statement) -> Cheat:
    """Knights said to reach every square with 1 more."""
    head = circuit.net.head
    weights = head.piece_weights.copy()
    weights[1, 12] += 1
    other = replace(circuit.net, head=replace(head, piece_weights=weights))
    trace = other.forward(statement.board, statement.dice)
    false = best_of(statement, trace)
    words = replace(circuit, net=other).assign(false, trace)
    return Cheat("reach", words, ("reach",))


def piece_term_changed(circuit: MoveCircuit, statement: Statement) -> Cheat:
    """A product of an own piece that its logit counts with 1 more."""
    pieces = circuit.layout.wiring.pieces
    first = np.delete(np.arange(len(pieces.index)), pieces.last)
    trace = circuit.trace(statement)
    trace.logits[pieces.index[first[7]]] += 1
    words = circuit.assign(best_of(statement, trace), trace)
    wire = circuit.layout.blocks["piece term"].start + 7
    words[wire] = one_more(words[wire])
    return Cheat("piece term", words, ("piece term",))


def square_of_two_changed(circuit: MoveCircuit, statement: Statement) -> Cheat:
    """The shared product that is taken off again: all logits of a square change."""
    pieces = circuit.layout.wiring.pieces
    not_last = np.delete(np.arange(len(pieces.index)), pieces.last)
    pair = int(np.setdiff1d(pieces.pair[pieces.last], [-1, *pieces.pair[not_last]])[0])
    trace = circuit.trace(statement)
    concerned = np.flatnonzero(pieces.pair == pair)
    trace.logits[pieces.index[concerned]] -= 1
    words = circuit.assign(best_of(statement, trace), trace)
    wire = circuit.layout.blocks["reach pair"].start + pair
    words[wire] = one_more(words[wire])
    return Cheat("reach pair", words, ("reach pair",))


def favourite_made(circuit: MoveCircuit, statement: Statement) -> Cheat:
    """The logit of the net's worst legal move raised until it is the best."""
    trace = circuit.trace(statement)
    worst = min((i for i in range(1858) if statement.mask >> i & 1), key=trace.logits.__getitem__)
    trace.logits[worst] = trace.logits[statement.index] + 1
    return Cheat("logit", circuit.assign(best_of(statement, trace), trace), ("logit",))


def other_dice_in_the_logits(circuit: MoveCircuit, statement: Statement) -> Cheat:
    """Noise of dice that are not the statement's."""
    trace = circuit.net.forward(statement.board, statement.dice ^ 0xFFFF << 40)
    return Cheat("logits", circuit.assign(best_of(statement, trace), trace), ("logit",))


def repetition_denied(circuit: MoveCircuit, statement: Statement) -> Cheat:
    """The noise of a first time, where the position was there before."""
    again = best_of(
        replace(statement, context=statement.context | 1 << 8), circuit.trace(statement)
    )
    return Cheat("logits", circuit.assign(again, circuit.trace(statement)), ("logit",))


def repeat_coin_turned(circuit: MoveCircuit, statement: Statement) -> Cheat:
    """One of the coins of a repetition fallen the other way."""
    again = replace(statement, context=statement.context | 1 << 9)
    place = 40
    moved = dice_noise(statement.dice ^ 1 << place) - dice_noise(statement.dice)
    trace = circuit.trace(again)
    trace.logits[:] += circuit.net.repeat_noise * again.earlier * moved
    words = circuit.assign(best_of(again, trace), trace)
    wire = circuit.layout.blocks["repeat coin"].start + place
    words[wire, 0] = again.earlier * (~statement.dice >> place & 1)
    return Cheat("repeat coin", words, ("repeat coin",))


def other_dice(circuit: MoveCircuit, statement: Statement) -> Cheat:
    """Other dice, and their move, under the statement's limbs."""
    rolled = replace(statement, dice=statement.dice ^ 1 << 99)
    false = best_of(rolled, circuit.trace(rolled))
    limbs = list(replace(statement, index=false.index).limbs)
    return Cheat("limbs", with_limbs(honest(circuit, false), limbs), ("limb",))


NET_CHEATS: dict[str, Callable[[MoveCircuit, Statement], Cheat]] = {
    make.__name__: make
    for make in (
        blocker_looked_through,
        rook_seen,
        attackers_miscounted,
        gate_opened,
        piece_reach_changed,
        piece_term_changed,
        square_of_two_changed,
        favourite_made,
        other_dice_in_the_logits,
        repetition_denied,
        repeat_coin_turned,
        other_dice,
    )
}


def told(
    circuit: MoveCircuit,
    statement: Statement,
    group: str,
    values: dict[str, IntArray],
    *,
    planes: IntArray | None = None,
    lie: Lie = lambda _, outputs: outputs,
) -> Cheat:
    """The witness of a pass over forged planes or outputs, with the given wires forged too."""
    if planes is None:
        planes = circuit.net.forward(statement.board).planes
    trace = retraced(circuit.net, planes, statement.dice, lie)
    words = circuit.assign(best_of(statement, trace), trace)
    for name, forged in values.items():
        words[circuit.layout.blocks[name]] = small_to_words(forged)
    return Cheat(group, words, (group,))


def lines_seen(planes: IntArray, empty: IntArray) -> IntArray:
    """(13, 8, 64): whether a line first meets a code, if these squares are taken to be empty."""
    there = np.pad(planes[:12], ((1, 0), (0, 1)))
    through = np.append(empty, 0)
    seen = np.zeros((13, 8, OFF_BOARD + 1), dtype=np.int64)
    for _ in range(7):
        beyond = np.stack([seen[:, line, NEAR[line]] for line in range(8)], axis=1)
        seen[..., :OFF_BOARD] = there[:, NEAR] + through[NEAR] * beyond
    return seen[..., :OFF_BOARD]


def retraced(net: NetSpec, planes: IntArray, dice: int, lie: Lie) -> Trace:
    """The pass of a net over any planes, each layer's outputs passed through `lie`."""
    trace = Trace(planes, [], [], [], np.zeros(0, dtype=np.int64))
    features = planes
    for k, layer in enumerate(net.layers):
        x = sums(layer, layer.taps, features)
        g = None if layer.gate is None else sums(layer.gate, layer.taps, features)
        y = lie(k, np.maximum(x, 0) >> layer.shift if g is None else x * g)
        trace.pre.append(x)
        trace.gate.append(g)
        trace.act.append(y)
        features = np.concatenate([features, y])
    head = net.head
    scores = (head.from_weights @ features)[TYPE, FROM_SQUARE]
    scores += (head.to_weights @ features)[TYPE, TO_SQUARE]
    own = features[:6, FROM_SQUARE] * MOVERS.T
    scores += (own * (head.piece_weights @ features)[:, TO_SQUARE]).sum(axis=0)
    return replace(trace, logits=head.bias + scores + net.noise * dice_noise(dice))


def sums(part: Layer | Gate, taps: tuple[tuple[int, int], ...], features: IntArray) -> IntArray:
    seen = np.pad(features, ((0, 0), (0, 1)))[:, step_squares(taps)]
    total: IntArray = np.einsum("oit,its->os", part.weights, seen) + part.bias[:, None]
    return total


def one_more(value: Words) -> Words:
    """A wire's value (4,) plus 1."""
    (number,) = words_to_ints(value.reshape(1, 4))
    return ints_to_words([number + 1]).reshape(4)
