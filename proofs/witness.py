"""Witnesses: every wire of a move circuit, straight from the integer net's forward pass.

The wires follow proofs/circuit.py block by block.  Nothing here is trusted: a wrong value breaks a
constraint, and a false statement gives a witness that is consistent up to the constraint that
makes it false.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.move_groups import group_of, groups
from engine.net import Trace
from engine.policy_map import POLICY_SIZE
from proofs.field import P, Words, ints_to_words, small_to_words
from proofs.r1cs import Ints
from proofs.statement import FIELDS, LIMBS, PUBLIC_BITS, Statement

BLOCK: Final = 32
"""Moves in a block: the circuit picks a block by index >> 5, then an entry by index & 31."""

CONTEXT_USED: Final = 18
"""The context's bits that can be 1; the others have no wire."""


@dataclass(frozen=True, eq=False)
class ActivationLayout:
    """A layer's rows (output * 64 + square) that have wires, and the bits of their sums."""

    rows: Ints
    widths: Ints
    shift: int


@dataclass(frozen=True, eq=False)
class Layout:
    """Where the wires of each name lie, and how wide the runs of bits are."""

    blocks: dict[str, slice]
    n_wires: int
    activations: tuple[ActivationLayout, ...]
    compare_widths: Ints  # by group of engine/move_groups.py
    block_compare_widths: Ints  # (32,)


def assign(layout: Layout, statement: Statement, trace: Trace) -> Words:
    """Every wire (n_wires, 4) for a statement and the net's pass over its board."""
    wires = _Wires(layout)
    bits = _bits_of(statement.bits, PUBLIC_BITS)
    wires.put("bit", bits[public_bit_places()])
    fields, offset = {}, 0
    for name, width in FIELDS:
        fields[name] = bits[offset : offset + width]
        offset += width
    _squares(wires, fields["board"].reshape(64, 4))
    for k, (layer, pre) in enumerate(zip(layout.activations, trace.pre, strict=True)):
        _activations(wires, f"layer {k}", layer, pre.ravel()[layer.rows])
    _choice(wires, fields["index"], fields["mask"], trace.logits)
    words = small_to_words(wires.values)
    words[1 : LIMBS + 1] = ints_to_words(list(statement.limbs))
    return words


@cache
def public_bit_places() -> Ints:
    """The places in the public bit string that have a wire, lowest first."""
    widths = dict(FIELDS)
    spare = widths["board"] + np.arange(CONTEXT_USED, widths["context"])
    return np.setdiff1d(np.arange(PUBLIC_BITS), spare)


class _Wires:
    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.values = np.zeros(layout.n_wires, dtype=np.int64)
        self.values[0] = 1

    def put(self, name: str, values: NDArray[np.int64]) -> NDArray[np.int64]:
        self.values[self.layout.blocks[name]] = values.ravel()
        return values


def decompose(values: Ints, widths: Ints) -> Ints:
    """The lowest `widths` bits of each value modulo P, run after run, lowest bit first."""
    run = np.repeat(np.arange(len(values)), widths)
    place = np.arange(len(run)) - np.repeat(np.cumsum(widths) - widths, widths)
    low = np.where(values < 0, np.uint64(P & (2**64 - 1)), np.uint64(0)) + values.astype(np.uint64)
    return (low[run] >> place.astype(np.uint64) & np.uint64(1)).astype(np.int64)


def _bits_of(number: int, count: int) -> Ints:
    data = np.frombuffer(number.to_bytes(-(-count // 8), "little"), dtype=np.uint8)
    bits: Ints = np.unpackbits(data, bitorder="little")[:count].astype(np.int64)
    return bits


def _squares(wires: _Wires, nibbles: Ints) -> None:
    b0, b1, b2, b3 = nibbles.T
    top = wires.put("square top", b3 * b2)
    low = wires.put("square low", b1 * b0)
    rows = np.stack([1 - b3 - b2 + top, b2 - top, b3 - top])
    columns = np.stack([b0 - low, b1 - low, low])
    wires.put("piece", rows[:, None] * columns[None])  # (3, 3, 64)


def _activations(wires: _Wires, name: str, layer: ActivationLayout, pre: Ints) -> None:
    half = np.left_shift(1, layer.widths - 1)
    wires.put(f"{name} bits", decompose(pre + half, layer.widths))
    wires.put(name, np.maximum(pre, 0) >> layer.shift)


def _choice(wires: _Wires, index: Ints, mask: Ints, logits: Ints) -> None:
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
    wires.put("block compare bits", decompose(ahead, wires.layout.block_compare_widths))


def _compare_groups(wires: _Wires, ahead: Ints) -> None:
    last = np.array([members[-1] for members in groups()], dtype=np.int64)
    wires.put("ahead", np.delete(ahead, last))
    by_group = np.zeros(len(last), dtype=np.int64)
    np.add.at(by_group, group_of(), ahead)
    wires.put("compare bits", decompose(by_group, wires.layout.compare_widths))


def _later(one_hot: Ints) -> Ints:
    """At each place, what lies after it."""
    after: Ints = one_hot.sum() - np.cumsum(one_hot)
    return after


def _one_hot(wires: _Wires, name: str, bits: Ints) -> Ints:
    low = _one_hot_of_3(wires, f"{name} low", bits[:3])
    high = _one_hot_of_3 if len(bits) == 6 else _one_hot_of_2
    places = wires.layout.blocks[name]
    number = np.arange(places.stop - places.start)
    return wires.put(name, low[number % 8] * high(wires, f"{name} high", bits[3:])[number // 8])


def _one_hot_of_2(wires: _Wires, name: str, bits: Ints) -> Ints:
    wires.put(f"{name} pair", bits[:1] * bits[1:2])
    return np.array(np.arange(4) == bits[0] + 2 * bits[1], dtype=np.int64)


def _one_hot_of_3(wires: _Wires, name: str, bits: Ints) -> Ints:
    fours = _one_hot_of_2(wires, name, bits[:2])
    upper = wires.put(name, fours * bits[2])
    eights: Ints = np.concatenate([fours - upper, upper])
    return eights
