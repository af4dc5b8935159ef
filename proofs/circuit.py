"""The circuit of one proven move: the statement of proofs/statement.py for one net.

Ten public inputs (the limbs), then private wires, each forced by what lies before it:

    bit             the 2433 public bits; limb k is the sum of its bits.  Spare bits (context 18 and
                    19, limb 9 above bit 155) have no wire, so they can only be 0.
    square          two products a nibble and nine a square give a one-hot of the codes 1..12;
                    check `nibble`: no code above 12
    sight           which pieces see which square, as far as the net asks (proofs/circuit_sight.py)
    layer k         sums are free; an activation costs its bits and two constraints, a gate one
    repeat coin     a bit of the dice times how often the position was there before, which the two
                    bits in the context word say; only for a net with repeat noise
    reach           T_p(b): what the head adds for an own piece p that moves to square b
    piece term      own_p(a) * T_p(b) for every index from a to b and each of its movers p, two
                    movers by one product (proofs/circuit_net.py) ..
    logit           .. the last together with all that is added to it; the logits of indices
                    without such products, and of nets without, are sums without a wire
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

Why nothing wraps.  Every wire is a bit, a product of bits, a mask word of 32 bits, a count of
pieces, a repeat coin (0 to 3), or an integer inside the net's static bounds (below 2^48 in
magnitude; a `reach` or a `piece term` is a difference of such sums, a `reach pair` a product of
two), once its inputs are: so each combination that is decomposed, a group's sum of one ahead_i or
none too, is an integer of magnitude below 2^50, and each run of bits is a number in 0 .. 2^50 - 1.
P is about 2^253.6: integers this small are congruent only if they are equal, so a negative one has
no bits at all.  A limb's 253 bits sum to less than 2^253 < P.
proofs/soundness.py finds the same from the finished file alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.net import NetSpec, Trace
from engine.player import legal_indices
from engine.wiring import wiring_of
from proofs.builder import Builder
from proofs.circuit_choice import constrain_choice
from proofs.circuit_net import logits_of
from proofs.errors import NotTheNetsMove
from proofs.field import Words
from proofs.linear import Lin
from proofs.r1cs import Ints, R1cs, wtns_bytes
from proofs.statement import FIELDS, LIMB_BITS, LIMBS, PUBLIC_BITS, Statement
from proofs.wires import Layout
from proofs.witness import assign, public_bit_places


@dataclass(frozen=True, eq=False)
class MoveCircuit:
    """A net's compiled circuit; make one with `compile_circuit`."""

    net: NetSpec
    r1cs: R1cs
    layout: Layout

    @property
    def n_constraints(self) -> int:
        return self.r1cs.n_constraints

    @property
    def r1cs_bytes(self) -> bytes:
        """The iden3 file, the same on every machine; large, so made anew each time."""
        return self.r1cs.to_bytes()

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the .r1cs file, hexadecimal: the circuit's name."""
        return self.r1cs.sha256()

    def witness(self, statement: Statement) -> bytes:
        """The .wtns file for an honest statement.

        Raises NotTheNetsMove if the net plays another move there, InvalidPosition for a board
        word with a code above 12.
        """
        trace = self.trace(statement)
        best = best_index(trace.logits, statement.mask)
        if best != statement.index:
            raise NotTheNetsMove(statement.index, best)
        return wtns_bytes(self.assign(statement, trace))

    def trace(self, statement: Statement) -> Trace:
        """The net's pass over a statement's board, dice and repetitions."""
        return self.net.forward(statement.board, statement.dice, earlier=statement.earlier)

    def assign(self, statement: Statement, trace: Trace) -> Words:
        """Every wire (n_wires, 4), recomputed consistently even from a false statement."""
        return assign(self.layout, self.net, statement, trace)


def best_index(logits: Ints, mask: int) -> int | None:
    """The lowest index of the highest logit (1858,) among the mask's moves, None without any."""
    legal = legal_indices(mask)
    return int(legal[np.argmax(logits[legal])]) if len(legal) else None


def compile_circuit(net: NetSpec) -> MoveCircuit:
    """The circuit that proves `net`'s moves: a second, or several for the largest nets."""
    builder = Builder(LIMBS)
    wiring = wiring_of(net)
    bits = _public_bits(builder)
    logits = logits_of(builder, net, wiring, bits)
    constrain_choice(builder, wiring, bits["index"], bits["mask"], logits)
    layout = Layout(wiring, dict(builder.blocks), builder.n_wires)
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
