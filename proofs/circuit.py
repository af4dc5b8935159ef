"""The circuit of one proven move: the statement of proofs/statement.py for one net.

Ten public inputs (the limbs), then private wires, each forced by what lies before it:

    bit             the 2433 public bits; limb k is the sum of its bits.  Spare bits (context 18 and
                    19, limb 9 above bit 155) have no wire, so they can only be 0.
    square          two products a nibble and nine a square give a one-hot of the codes 1..12;
                    check `nibble`: no code above 12
    layer k         sums are free; an activation costs its bits and two constraints
    block, entry    one-hots of index >> 5 (59 blocks) and index & 31, by product trees
    chosen mask     the mask word of the chosen block, as 32 bits; check `legal`: the entry's is 1
    chosen logit    the 32 logits of the chosen block; `best` is the entry's
    one of group    check: of each group of engine/move_groups.py the mask holds one index or none
    ahead           for every index i:  ahead_i = mask_i * (best - logit_i - later_i)
                    later_i is 1 if the chosen *block* lies after i's
    compare         for every group:  the sum of its ahead_i = w bits >= 0
                    (the last one's product is part of this constraint and has no wire)
    block compare   for every entry l of the chosen block:
                    mask_l * (best - logit_l - later_l) = w bits >= 0
                    later_l is 1 if the chosen *entry* lies after l

Why the move is unique.  `legal` makes the chosen index c a legal move below 1858: for a block
number of 59 or more no block is chosen and the chosen mask is 0, and so are the mask bits past the
last block's end.  A legal i has a group, and by `one of group` no other bit of the mask is set
there: a sum of at most ten bits that is 0 or 1 modulo P is 0 or 1.  So every other ahead_j of the
group is 0, whatever the logits are, and `compare` says ahead_i >= 0: best > logit_i for i in an
earlier block, best >= logit_i in a later one.  Inside the chosen block `block compare` says the
same of earlier and later entries.  So c is the first of the legal moves with the highest logit.
That two indices of a group are never legal together is what lets honest moves pass, and nothing
else rests on it: under a mask with two of them no statement has a witness.

Why nothing wraps.  Every wire is a bit, a product of bits, a mask word of 32 bits, or an integer
inside the net's static bounds (below 2^24 in magnitude), once its inputs are: so each combination
that is decomposed, a group's sum of one ahead_i or none too, is an integer of magnitude below 2^32,
and each run of bits is a number in 0 .. 2^32 - 1.  P is about 2^253.6: integers this small are
congruent only if they are equal, so a negative one has no bits at all.  A limb's 253 bits sum to
less than 2^253 < P.
proofs/soundness.py finds the same from the finished file alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from engine.move_groups import group_of, groups
from engine.net import (
    FROM_SQUARE,
    TO_SQUARE,
    TYPE,
    Bounds,
    NetSpec,
    Trace,
    tap_squares,
)
from engine.net_file import Head, Layer
from engine.player import legal_indices
from engine.policy_map import MOVE_TYPES, POLICY_SIZE
from proofs.builder import Builder, bit_sums
from proofs.errors import NotTheNetsMove
from proofs.field import Words
from proofs.linear import Lin, concat
from proofs.r1cs import Ints, R1cs, sha256_hex, wtns_bytes
from proofs.statement import FIELDS, LIMB_BITS, LIMBS, PUBLIC_BITS, Statement
from proofs.witness import BLOCK, ActivationLayout, Layout, assign, public_bit_places

BLOCKS: Final = -(-POLICY_SIZE // BLOCK)


@dataclass(frozen=True, eq=False)
class MoveCircuit:
    """A net's compiled circuit; make one with `compile_circuit`."""

    net: NetSpec
    r1cs: R1cs
    layout: Layout

    @property
    def n_constraints(self) -> int:
        return self.r1cs.n_constraints

    @cached_property
    def r1cs_bytes(self) -> bytes:
        """The iden3 file, the same on every machine."""
        return self.r1cs.to_bytes()

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the .r1cs file, hexadecimal: the circuit's name."""
        return sha256_hex(self.r1cs_bytes)

    def witness(self, statement: Statement) -> bytes:
        """The .wtns file for an honest statement.

        Raises NotTheNetsMove if the net plays another move there, InvalidPosition for a board
        word with a code above 12.
        """
        trace = self.net.forward(statement.board)
        best = best_index(trace.logits, statement.mask)
        if best != statement.index:
            raise NotTheNetsMove(statement.index, best)
        return wtns_bytes(self.assign(statement, trace))

    def assign(self, statement: Statement, trace: Trace) -> Words:
        """Every wire (n_wires, 4), recomputed consistently even from a false statement."""
        return assign(self.layout, statement, trace)


def best_index(logits: Ints, mask: int) -> int | None:
    """The lowest index of the highest logit (1858,) among the mask's moves, None without any."""
    legal = legal_indices(mask)
    return int(legal[np.argmax(logits[legal])]) if len(legal) else None


def compile_circuit(net: NetSpec) -> MoveCircuit:
    """The circuit that proves `net`'s moves; a few seconds at most."""
    builder = Builder(LIMBS)
    bounds = net.bounds()
    bits = _public_bits(builder)
    features = _planes(builder, bits["board"])
    activations = []
    for k, layer in enumerate(net.layers):
        value = features.combine(_layer_matrix(layer)) + Lin.const(np.repeat(layer.bias, 64))
        live = _ActivationBounds.of(layer, bounds, k)
        features = concat([features, _activations(builder, f"layer {k}", value, live)])
        activations.append(ActivationLayout(live.rows, live.widths, layer.shift))
    logits = features.combine(_head_matrix(net.head)) + Lin.const(net.head.bias)
    widths = _compare_widths(bounds)
    _choice(builder, bits["index"], bits["mask"], logits, widths)
    layout = Layout(dict(builder.blocks), builder.n_wires, tuple(activations), *widths)
    return MoveCircuit(net, builder.finish(), layout)


def _public_bits(builder: Builder) -> dict[str, Lin]:
    """The bits of each field; those without a wire are 0."""
    places = public_bit_places()
    wires = builder.booleans("bit", len(places))
    powers = np.array([1 << int(p) % LIMB_BITS for p in places], dtype=object)
    sums = Lin.terms(LIMBS, places // LIMB_BITS, wires.wire, powers)
    none = Lin.zero(LIMBS)
    builder.constrain("limb", none, none, sums - Lin.of(np.arange(1, LIMBS + 1)))
    string = wires.grouped(places, PUBLIC_BITS)
    fields, offset = {}, 0
    for name, width in FIELDS:
        fields[name] = string.take(np.arange(offset, offset + width))
        offset += width
    return fields


def _planes(builder: Builder, board: Lin) -> Lin:
    """The input planes, (13 * 64,): which code each square holds, and a plane of ones."""
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


def _layer_matrix(layer: Layer) -> Ints:
    """(outputs * 64, inputs * 64): a layer's sums over the features below it."""
    outputs, inputs, _ = layer.weights.shape
    matrix = np.zeros((outputs, 64, inputs, 65), dtype=np.int64)
    here = np.arange(64)
    for t, seen in enumerate(tap_squares(layer.taps)):
        matrix[:, here, :, seen] += layer.weights[:, :, t]
    return matrix[..., :64].reshape(outputs * 64, inputs * 64)


def _head_matrix(head: Head) -> Ints:
    """(1858, features * 64): the logits over all features."""
    weights = np.concatenate([head.from_weights, head.to_weights])
    features = weights.shape[1]
    matrix = np.zeros((POLICY_SIZE, features, 64), dtype=np.int64)
    every = np.arange(POLICY_SIZE)
    matrix[every, :, FROM_SQUARE] += weights[TYPE]
    matrix[every, :, TO_SQUARE] += weights[MOVE_TYPES + TYPE]
    return matrix.reshape(POLICY_SIZE, features * 64)


@dataclass(frozen=True, eq=False)
class _ActivationBounds:
    """Which (output, square) rows of a layer can be above 0, and the bits that their sums need."""

    rows: Ints
    widths: Ints
    shift: int
    count: int

    @classmethod
    def of(cls, layer: Layer, bounds: Bounds, k: int) -> _ActivationBounds:
        lo, hi = bounds.pre_lo[k].ravel(), bounds.pre_hi[k].ravel()
        rows = np.flatnonzero(hi >> layer.shift > 0)  # elsewhere max(x, 0) >> shift is always 0
        # -2^(w-1) <= lo and hi < 2^(w-1)
        magnitude = np.maximum(bit_length(np.maximum(-lo - 1, 0)), bit_length(hi))
        return cls(rows, 1 + magnitude[rows], layer.shift, len(lo))


def bit_length(values: Ints) -> Ints:
    """Bits of each value, negative ones read as 0."""
    return np.array([max(int(v), 0).bit_length() for v in values], dtype=np.int64)


def _activations(builder: Builder, name: str, value: Lin, live: _ActivationBounds) -> Lin:
    """max(value, 0) >> shift for every row: value + 2^(w-1) in w bits; the top bit says >= 0."""
    bits = builder.booleans(f"{name} bits", int(live.widths.sum()))
    offset = Lin.const(np.left_shift(1, live.widths - 1))
    none = Lin.zero(len(live.rows))
    number = bit_sums(bits, live.widths)
    builder.constrain(f"{name} sum", none, none, value.take(live.rows) + offset - number)
    shifted = bit_sums(bits, live.widths, first=live.shift, last=1)
    tops = bits.take(np.cumsum(live.widths) - 1)
    return builder.product(name, shifted, tops).grouped(live.rows, live.count)


def _compare_widths(bounds: Bounds) -> tuple[Ints, Ints]:
    """Bits of best - logit for each group, and for each entry of whichever block is chosen."""
    below = bounds.logit_hi.max() - bounds.logit_lo  # the most that logit_i can lie below best
    by_group = np.array([below[members].max() for members in groups()], dtype=np.int64)
    padded = np.zeros(BLOCKS * BLOCK, dtype=np.int64)
    padded[:POLICY_SIZE] = below
    by_entry = padded.reshape(BLOCKS, BLOCK).max(axis=0)
    return np.maximum(bit_length(by_group), 1), np.maximum(bit_length(by_entry), 1)


def _choice(
    builder: Builder, index: Lin, mask: Lin, logits: Lin, widths: tuple[Ints, Ints]
) -> None:
    """The chosen index is the first legal one of the highest logit."""
    every = np.arange(POLICY_SIZE)
    block = _one_hot(builder, "block", index.take(np.arange(5, 11)), BLOCKS)
    entry = _one_hot(builder, "entry", index.take(np.arange(5)), BLOCK)

    powers = np.left_shift(1, every % BLOCK)
    words = mask.scaled(powers).grouped(every // BLOCK, BLOCKS)
    word = builder.product("mask word", words, block).sum()
    chosen_mask = builder.booleans("chosen mask", BLOCK)
    none = Lin.zero(1)
    number = chosen_mask.scaled(np.left_shift(1, np.arange(BLOCK))).sum()
    builder.constrain("chosen mask", none, none, word - number)
    legal = builder.product("entry mask", chosen_mask, entry).sum()
    builder.constrain("legal", none, none, legal - Lin.const([1]))

    picked = builder.product("block logit", logits, block.take(every // BLOCK))
    chosen = builder.linear("chosen logit", picked.grouped(every % BLOCK, BLOCK))
    best = builder.linear("best", builder.product("entry logit", chosen, entry).sum())

    later = builder.linear("later block", block.combine(_later(BLOCKS)))
    ahead = best.take(np.zeros(POLICY_SIZE)) - logits - later.take(every // BLOCK)
    _compare_groups(builder, ahead, mask, widths[0])
    ahead = best.take(np.zeros(BLOCK)) - chosen - entry.combine(_later(BLOCK))
    bits = builder.booleans("block compare bits", int(widths[1].sum()))
    builder.constrain("block compare", ahead, chosen_mask, bit_sums(bits, widths[1]))


def _later(n: int) -> Ints:
    """(n, n): row k sums the places after k."""
    return np.triu(np.ones((n, n), dtype=np.int64), 1)


def _compare_groups(builder: Builder, ahead: Lin, mask: Lin, widths: Ints) -> None:
    """In each group at most one index is legal, and its mask * ahead is not negative."""
    count = len(groups())
    legal = mask.grouped(group_of(), count)
    ones = Lin.const(np.ones(count))
    builder.constrain("one of group", legal, legal - ones, Lin.zero(count))
    last = np.array([members[-1] for members in groups()], dtype=np.int64)
    others = np.setdiff1d(np.arange(POLICY_SIZE), last)
    products = builder.product("ahead", ahead.take(others), mask.take(others))
    bits = builder.booleans("compare bits", int(widths.sum()))
    lasts = bit_sums(bits, widths) - products.grouped(group_of()[others], count)
    builder.constrain("compare", ahead.take(last), mask.take(last), lasts)


def _one_hot(builder: Builder, name: str, bits: Lin, count: int) -> Lin:
    """Wires 0 .. count-1, the one that the bits (5 or 6, lowest first) name is 1."""
    low = _one_hot_of_3(builder, f"{name} low", bits.take([0, 1, 2]))
    rest = bits.take(np.arange(3, bits.n))
    if rest.n == 3:
        high = _one_hot_of_3(builder, f"{name} high", rest)
    else:
        high = _one_hot_of_2(builder, f"{name} high", rest)
    number = np.arange(count)
    return builder.product(name, low.take(number % 8), high.take(number // 8))


def _one_hot_of_2(builder: Builder, name: str, bits: Lin) -> Lin:
    first, second = bits.take([0]), bits.take([1])
    both = builder.product(f"{name} pair", first, second)
    neither = Lin.const([1]) - first - second + both
    return concat([neither, first - both, second - both, both])


def _one_hot_of_3(builder: Builder, name: str, bits: Lin) -> Lin:
    fours = _one_hot_of_2(builder, name, bits.take([0, 1]))
    upper = builder.product(name, fours, bits.take([2, 2, 2, 2]))
    return concat([fours - upper, upper])
