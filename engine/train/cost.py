"""What a proof of a net's move costs, counted by its wiring before any circuit is compiled.

A constraint is paid for by every wire but the public ones, and once more by each check and by each
run of bits (proofs/circuit.py).  Proving time follows the constraints; it grows in leaps where
their number, with the eleven that the public inputs take, passes a power of two.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.move_groups import groups
from engine.net import NetSpec
from engine.net_file import IntArray
from engine.noise import DICE_BITS
from engine.policy_map import POLICY_SIZE, TYPE
from engine.sight import OFF_BOARD, step_squares
from engine.wiring import BLOCK, BLOCKS, LayerWiring, PieceWiring, SightWiring, Wiring, wiring_of

_STATEMENT: Final = 2431 + 10  # public bits that have a wire, limbs
_BOARD: Final = (2 + 9 + 1) * 64  # products of a nibble's bits, of a square; check of the nibble
_ONE_HOTS: Final = 2 * (1 + 4) + BLOCKS + (1 + 4) + 1 + BLOCK
_CHOSEN: Final = (BLOCKS + BLOCK + 1) + (BLOCK + 1)  # the mask word and its bits, the check of one
_LOGITS: Final = POLICY_SIZE + 2 * BLOCK + 1  # picked by block and by entry
_COMPARED: Final = BLOCKS + POLICY_SIZE + BLOCK  # flags of later blocks, products with the mask


@dataclass(frozen=True)
class Cost:
    """Constraints, by part, and the terms that the net's own sums have."""

    fixed: int  # statement, board, choice: the same for every net
    sight: int
    layers: tuple[int, ...]
    pieces: int  # the head's products
    dice: int  # products of the dice with how often the position was there before
    compare: int  # bits of how far legal moves lie below the best
    terms: int

    @property
    def constraints(self) -> int:
        return self.fixed + self.sight + sum(self.layers) + self.pieces + self.dice + self.compare


def estimate(net: NetSpec) -> Cost:
    """The cost of `net`; exact but for the terms, where merging makes a circuit's fewer."""
    wiring = wiring_of(net)
    return Cost(
        fixed=_STATEMENT + _BOARD + _ONE_HOTS + _CHOSEN + _LOGITS + _COMPARED + len(groups()),
        sight=_sight(wiring.sight),
        layers=tuple(_layer(layer) for layer in wiring.layers),
        pieces=_pieces(wiring.pieces),
        dice=DICE_BITS if net.repeat_noise else 0,
        compare=int(wiring.compare_widths.sum() + wiring.block_compare_widths.sum()),
        terms=_terms(net, wiring),
    )


def _sight(wiring: SightWiring) -> int:
    """Which squares are empty (and a check of each), what each line meets first, the planes."""
    seen = len(wiring.squares)
    return 2 * 64 * (seen > 0) + seen + 64 * len(wiring.summed)


def _layer(wiring: LayerWiring) -> int:
    """A gate is one product; an activation its bits, their sum, and a product."""
    if wiring.gate:
        return len(wiring.rows)
    return int(wiring.widths.sum()) + 2 * len(wiring.rows)


def _pieces(wiring: PieceWiring) -> int:
    return len(wiring.reach) + len(wiring.pairs) + len(wiring.index)


def _terms(net: NetSpec, wiring: Wiring) -> int:
    """Weights other than 0 that meet a feature: each is a term of some sum."""
    count = 0
    for layer, live in zip(net.layers, wiring.layers, strict=True):
        count += _layer_terms(layer.taps, layer.weights, live.rows)
        if layer.gate is not None:
            count += _layer_terms(layer.taps, layer.gate.weights, live.rows)
    head, pieces = net.head, wiring.pieces.reach // 64
    for weights in (head.from_weights[TYPE], head.to_weights[TYPE], head.piece_weights[pieces]):
        count += int(np.count_nonzero(weights))
    return count


def _layer_terms(taps: tuple[tuple[int, int], ...], weights: IntArray, rows: IntArray) -> int:
    seen = (step_squares(taps) != OFF_BOARD).astype(np.int64)  # (taps, 64)
    by_row = np.count_nonzero(weights, axis=1) @ seen  # (outputs, 64)
    return int(by_row.ravel()[rows].sum())
