"""Witnesses: every wire of a move circuit, straight from the integer net's forward pass.

The wires follow proofs/circuit.py block by block.  Nothing here is trusted: a wrong value breaks a
constraint, and a false statement gives a witness that is consistent up to the constraint that
makes it false.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np

from engine.move_groups import group_of, groups
from engine.net import NetSpec, Trace
from engine.policy_map import POLICY_SIZE
from engine.wiring import BLOCK
from proofs.field import Words, ints_to_words
from proofs.r1cs import Ints
from proofs.statement import FIELDS, LIMBS, PUBLIC_BITS, Statement
from proofs.wires import Layout, Wires, decompose
from proofs.witness_net import assign_net

CONTEXT_USED: Final = 18
"""The context's bits that can be 1; the others have no wire."""


def assign(layout: Layout, net: NetSpec, statement: Statement, trace: Trace) -> Words:
    """Every wire (n_wires, 4) for a statement and the net's pass over its board."""
    wires = Wires(layout)
    bits = _bits_of(statement.bits, PUBLIC_BITS)
    wires.put("bit", bits[public_bit_places()])
    fields, offset = {}, 0
    for name, width in FIELDS:
        fields[name] = bits[offset : offset + width]
        offset += width
    assign_net(wires, net, fields["board"], trace)
    if net.repeat_noise:
        wires.put("repeat coin", statement.earlier * fields["dice"])
    _choice(wires, fields["index"], fields["mask"], trace.logits)
    words = wires.words()
    words[1 : LIMBS + 1] = ints_to_words(list(statement.limbs))
    return words


@cache
def public_bit_places() -> Ints:
    """The places in the public bit string that have a wire, lowest first."""
    widths = dict(FIELDS)
    spare = widths["board"] + np.arange(CONTEXT_USED, widths["context"])
    return np.setdiff1d(np.arange(PUBLIC_BITS), spare)


def _bits_of(number: int, count: int) -> Ints:
    data = np.frombuffer(number.to_bytes(-(-count // 8), "little"), dtype=np.uint8)
    bits: Ints = np.unpackbits(data, bitorder="little")[:count].astype(np.int64)
    return bits


def _choice(wires: Wires, index: Ints, mask: Ints, logits: Ints) -> None:
    block = _one_hot(wires, "block", index[5:])
    entry = _one_hot(wires, "entry", index[:5])
    every = np.arange(POLICY_SIZE)

    words = np.zeros(len(block), dtype=np.int64)
    np.add.at(words, every // BLOCK, mask << every % BLOCK)
    word = int(wires.put("mask word", words * block).sum())
    chosen_mask = wires.put("chosen mask", _bits_of(word, BLOCK))
    wires.put("entry mask", chosen_mask * entry)

    picked = wires.put("block logit", logits * block[every // BLOCK])
    chosen = np.zeros(BLOCK, dtype=np.int64)
    np.add.at(chosen, every % BLOCK, picked)
    wires.put("chosen logit", chosen)
    best = int(wires.put("entry logit", chosen * entry).sum())
    wires.put("best", np.array([best]))

    later = wires.put("later block", _later(block))
    _compare_groups(wires, mask * (best - logits - later[every // BLOCK]))
    ahead = chosen_mask * (best - chosen - _later(entry))
    wires.put("block compare bits", decompose(ahead, wires.layout.wiring.block_compare_widths))


def _compare_groups(wires: Wires, ahead: Ints) -> None:
    last = np.array([members[-1] for members in groups()], dtype=np.int64)
    wires.put("ahead", np.delete(ahead, last))
    by_group = np.zeros(len(last), dtype=np.int64)
    np.add.at(by_group, group_of(), ahead)
    wires.put("compare bits", decompose(by_group, wires.layout.wiring.compare_widths))


def _later(one_hot: Ints) -> Ints:
    """At each place, what lies after it."""
    after: Ints = one_hot.sum() - np.cumsum(one_hot)
    return after


def _one_hot(wires: Wires, name: str, bits: Ints) -> Ints:
    low = _one_hot_of_3(wires, f"{name} low", bits[:3])
    high = _one_hot_of_3 if len(bits) == 6 else _one_hot_of_2
    places = wires.layout.blocks[name]
    number = np.arange(places.stop - places.start)
    return wires.put(name, low[number % 8] * high(wires, f"{name} high", bits[3:])[number // 8])


def _one_hot_of_2(wires: Wires, name: str, bits: Ints) -> Ints:
    wires.put(f"{name} pair", bits[:1] * bits[1:2])
    return np.array(np.arange(4) == bits[0] + 2 * bits[1], dtype=np.int64)


def _one_hot_of_3(wires: Wires, name: str, bits: Ints) -> Ints:
    fours = _one_hot_of_2(wires, name, bits[:2])
    upper = wires.put(name, fours * bits[2])
    eights: Ints = np.concatenate([fours - upper, upper])
    return eights
