"""The choice's part of a circuit: the chosen index is the first legal one of the highest logit.

proofs/circuit.py says why.
"""

from __future__ import annotations

import numpy as np

from engine.move_groups import groups
from engine.policy_map import POLICY_SIZE
from engine.wiring import BLOCK, BLOCKS, Wiring
from proofs.builder import Builder, bit_sums
from proofs.linear import Lin, concat
from proofs.r1cs import Ints


def constrain_choice(builder: Builder, wiring: Wiring, index: Lin, mask: Lin, logits: Lin) -> None:
    """The 11 bits of the index name the first of the mask's moves with the highest logit."""
    every = np.arange(POLICY_SIZE)
    block = one_hot(builder, "block", index.take(np.arange(5, 11)), BLOCKS)
    entry = one_hot(builder, "entry", index.take(np.arange(5)), BLOCK)

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
    compare_groups(builder, ahead, mask, groups(), wiring.compare_widths)
    ahead = best.take(np.zeros(BLOCK)) - chosen - entry.combine(_later(BLOCK))
    widths = wiring.block_compare_widths
    bits = builder.booleans("block compare bits", int(widths.sum()))
    builder.constrain("block compare", ahead, chosen_mask, bit_sums(bits, widths))


def _later(n: int) -> Ints:
    """(n, n): row k sums the places after k."""
    return np.triu(np.ones((n, n), dtype=np.int64), 1)


def compare_groups(
    builder: Builder, ahead: Lin, mask: Lin, cover: tuple[Ints, ...], widths: Ints
) -> None:
    """In each group of indices at most one is legal, and its mask * ahead is not negative."""
    group = np.zeros(mask.n, dtype=np.int64)
    for k, members in enumerate(cover):
        group[members] = k
    legal = mask.grouped(group, len(cover))
    ones = Lin.const(np.ones(len(cover)))
    builder.constrain("one of group", legal, legal - ones, Lin.zero(len(cover)))
    last = np.array([members[-1] for members in cover], dtype=np.int64)
    others = np.setdiff1d(np.arange(mask.n), last)
    products = builder.product("ahead", ahead.take(others), mask.take(others))
    bits = builder.booleans("compare bits", int(widths.sum()))
    lasts = bit_sums(bits, widths) - products.grouped(group[others], len(cover))
    builder.constrain("compare", ahead.take(last), mask.take(last), lasts)


def one_hot(builder: Builder, name: str, bits: Lin, count: int) -> Lin:
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
