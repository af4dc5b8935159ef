"""The net's part of a circuit: from the bits of a board and the dice to 1858 logits.

Sums are free inside a constraint, but their terms repeat wherever they are read: so a sum that
much reads gets a wire.  Vectors of features are flat, row channel * 64 + square.

An index from a to b whose movers are p and q needs own_p(a) * T_p(b) + own_q(a) * T_q(b) in its
logit.  No square holds two pieces, own_p * own_q = 0, so one product gives that sum (the inner
product of Winograd, 1968), and T_p(b) * T_q(b) is shared by all indices to b:

    (own_p(a) + T_q(b)) * (own_q(a) + T_p(b)) - T_p(b) * T_q(b)
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.encoding import EARLIER_BITS
from engine.net import NetSpec, tap_squares
from engine.net_file import IntArray, Layer
from engine.noise import COINS, DICE_BITS, noise_places, noise_signs
from engine.policy_map import FROM_SQUARE, POLICY_SIZE, TO_SQUARE, TYPE
from engine.sight import OFF_BOARD
from engine.wiring import LayerWiring, PieceWiring, Wiring
from proofs.builder import Builder, bit_sums
from proofs.circuit_sight import sight_planes
from proofs.linear import Lin, concat
from proofs.r1cs import Ints


def logits_of(builder: Builder, net: NetSpec, wiring: Wiring, bits: Mapping[str, Lin]) -> Lin:
    """The logits (1858,) over the bits of the board word, the context word and the dice."""
    features = _planes(builder, bits["board"])
    if net.sight:
        pieces = features.take(np.arange(12 * 64))
        features = concat([features, sight_planes(builder, pieces, wiring.sight)])
    for k, (layer, live) in enumerate(zip(net.layers, wiring.layers, strict=True)):
        features = concat([features, _outputs(builder, f"layer {k}", features, layer, live)])
    noise = _noise(builder, net, bits["dice"], bits["context"])
    return _logits(builder, net, wiring.pieces, features, noise)


def _planes(builder: Builder, board: Lin) -> Lin:
    """The 13 input planes: which code each square holds, and a plane of ones."""
    b0, b1, b2, b3 = (board.take(np.arange(64) * 4 + k) for k in range(4))
    top = builder.product("square top", b3, b2)  # codes 12..15
    low = builder.product("square low", b1, b0)
    builder.constrain("nibble", b0 + b1, top, Lin.zero(64))
    rows = [Lin.const(np.ones(64)) - b3 - b2 + top, b2 - top, b3 - top]  # codes 0..3, 4..7, 8..11
    columns = [b0 - low, b1 - low, low]  # codes 1, 2, 3 modulo 4
    pieces = builder.product("piece", concat(rows).take(_pairs(0)), concat(columns).take(_pairs(1)))
    cell = [pieces.take(64 * k + np.arange(64)) for k in range(9)]
    fours = rows[1] - cell[3] - cell[4] - cell[5]
    eights = rows[2] - cell[6] - cell[7] - cell[8]
    codes = [*cell[0:3], fours, *cell[3:6], eights, *cell[6:9], top]
    return concat([*codes, Lin.const(np.ones(64))])


def _pairs(which: int) -> Ints:
    """Row (0) or column (1) numbers of the nine row-column pairs of all squares, row major."""
    row, column = np.divmod(np.arange(9), 3)
    number = row if which == 0 else column
    return np.asarray((64 * number[:, None] + np.arange(64)).ravel(), dtype=np.int64)


def _outputs(builder: Builder, name: str, features: Lin, layer: Layer, live: LayerWiring) -> Lin:
    """A layer's outputs (outputs * 64,); rows that are always 0 have no wire."""
    sums = _sums(features, layer.taps, layer.weights, layer.bias, live.rows)
    if layer.gate is None:
        outputs = activations(builder, name, sums, live)
    else:
        gate = layer.gate
        factors = _sums(features, layer.taps, gate.weights, gate.bias, live.rows)
        outputs = builder.product(name, sums, factors)
    return outputs.grouped(live.rows, 64 * len(layer.bias))


def _sums(
    features: Lin,
    taps: tuple[tuple[int, int], ...],
    weights: IntArray,
    bias: IntArray,
    rows: Ints,
) -> Lin:
    """The sums of some rows (output * 64 + square) of a layer, weights (outputs, inputs, taps)."""
    number = np.full(64 * len(bias), -1, dtype=np.int64)
    number[rows] = np.arange(len(rows))
    parts = [np.zeros((3, 0), dtype=np.int64)]
    for t, seen in enumerate(tap_squares(taps)):
        outputs, inputs = np.nonzero(weights[:, :, t])
        here = np.flatnonzero(seen != OFF_BOARD)
        row = number[64 * outputs[:, None] + here]
        source = 64 * inputs[:, None] + seen[here]
        weight = np.broadcast_to(weights[outputs, inputs, t][:, None], row.shape)
        parts.append(np.stack([row, source, weight]).reshape(3, -1)[:, row.ravel() >= 0])
    row, source, weight = np.concatenate(parts, axis=1)
    return features.weighted(len(rows), row, source, weight) + Lin.const(bias[rows // 64])


def activations(builder: Builder, name: str, sums: Lin, live: LayerWiring) -> Lin:
    """max(x, 0) >> shift for every row: x + 2^(w-1) in w bits; the top bit says >= 0."""
    bits = builder.booleans(f"{name} bits", int(live.widths.sum()))
    offset = Lin.const(np.left_shift(1, live.widths - 1))
    none = Lin.zero(len(live.rows))
    number = bit_sums(bits, live.widths)
    builder.constrain(f"{name} sum", none, none, sums + offset - number)
    shifted = bit_sums(bits, live.widths, first=live.shift, last=1)
    tops = bits.take(np.cumsum(live.widths) - 1)
    return builder.product(name, shifted, tops)


def _logits(builder: Builder, net: NetSpec, pieces: PieceWiring, features: Lin, noise: Lin) -> Lin:
    """The logits; those of indices with a product of their own piece get a wire for nothing."""
    head = net.head
    logits = Lin.const(head.bias) + noise
    for weights, squares in ((head.from_weights, FROM_SQUARE), (head.to_weights, TO_SQUARE)):
        logits += _rows_at(features, weights[TYPE], squares)
    if not len(pieces.index):
        return logits
    piece, square = np.divmod(pieces.reach, 64)
    reach = builder.linear("reach", _rows_at(features, head.piece_weights[piece], square))
    a, b, minus = _factors(builder, pieces, features, reach)
    first = np.delete(np.arange(a.n), pieces.last)
    terms = builder.product("piece term", a.take(first), b.take(first), plus=-minus.take(first))
    logits += terms.grouped(pieces.index[first], POLICY_SIZE)
    last, with_piece = pieces.last, pieces.index[pieces.last]
    rest = logits.take(with_piece) - minus.take(last)
    wires = builder.product("logit", a.take(last), b.take(last), plus=rest)
    others = np.delete(np.arange(POLICY_SIZE), with_piece)
    return wires.grouped(with_piece, POLICY_SIZE) + logits.take(others).grouped(others, POLICY_SIZE)


def _factors(
    builder: Builder, pieces: PieceWiring, features: Lin, reach: Lin
) -> tuple[Lin, Lin, Lin]:
    """Per product its factors, and what it is more than own_p(a) * T_p(b) + own_q(a) * T_q(b)."""
    count = len(pieces.index)
    paired = np.flatnonzero(pieces.second >= 0)
    from_square, piece = FROM_SQUARE[pieces.index], pieces.reach // 64
    second, pair = pieces.second[paired], pieces.pair[paired]
    squares = builder.product(
        "reach pair", reach.take(pieces.pairs[:, 0]), reach.take(pieces.pairs[:, 1])
    )
    own = features.take(64 * piece[pieces.first] + from_square)
    others = features.take(64 * piece[second] + from_square[paired]).grouped(paired, count)
    return (
        own + reach.take(second).grouped(paired, count),
        reach.take(pieces.first) + others,
        squares.take(pair).grouped(paired, count),
    )


def _rows_at(features: Lin, weights: IntArray, squares: Ints) -> Lin:
    """Row k: weights[k] (features,) times the features at squares[k]."""
    row, channel = np.nonzero(weights)
    source = 64 * channel + squares[row]
    return features.weighted(len(weights), row, source, weights[row, channel])


def _noise(builder: Builder, net: NetSpec, dice: Lin, context: Lin) -> Lin:
    """sign * coin, summed over the 16 coins that each index listens to.

    coin = (noise + repeat_noise * earlier) * (2 * bit - 1): a sum, but for earlier * bit.
    """
    every = np.zeros(DICE_BITS, dtype=np.int64)
    coins = dice.scaled(2 * net.noise + every) - Lin.const(net.noise + every)
    if net.repeat_noise:
        repeats = bit_sums(context.take(EARLIER_BITS), np.array([len(EARLIER_BITS)])).take(every)
        again = builder.product("repeat coin", repeats, dice)
        coins += (again + again - repeats).scaled(net.repeat_noise + every)
    index = np.repeat(np.arange(POLICY_SIZE), COINS)
    heard = coins.take(noise_places().ravel()).scaled(noise_signs().ravel())
    return heard.grouped(index, POLICY_SIZE)
