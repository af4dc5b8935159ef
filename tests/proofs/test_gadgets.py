"""The parts of a circuit one by one, on every input that they can have."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.wiring import LayerWiring, SightWiring, wiring_of
from proofs.builder import Builder
from proofs.circuit_choice import compare_groups, one_hot
from proofs.circuit_net import activations
from proofs.circuit_sight import sight_planes
from proofs.field import ints_to_words
from proofs.linear import Lin
from proofs.soundness import check_soundness
from tests.engine.naive import naive_sight
from tests.engine.nets import random_net
from tests.proofs.solver import Solver


def public(first: int, count: int) -> Lin:
    return Lin.of(np.arange(first, first + count))


@pytest.mark.parametrize(("width", "shift"), [(1, 0), (3, 0), (4, 1), (4, 2), (3, 3)])
def test_an_activation_has_one_witness(width: int, shift: int) -> None:
    """Of all bits and outputs, only those of max(x, 0) >> shift satisfy; beyond the width none."""
    builder = Builder(1)
    live = LayerWiring(np.array([0]), np.array([width]), shift, gate=False)
    activations(builder, "a", public(1, 1), live)
    r1cs = builder.finish()
    half = 1 << width - 1
    for x in range(-2 * half, 2 * half):
        found = []
        for *bits, output in product(*[(0, 1)] * width, range(half + 1)):
            if not r1cs.violations(ints_to_words([1, x, *bits, output])):
                found.append(output)
        assert found == ([max(x, 0) >> shift] if -half <= x < half else [])


@pytest.mark.parametrize(("bits", "count"), [(5, 32), (6, 59), (6, 64)])
def test_a_one_hot_is_hot_at_its_number(bits: int, count: int) -> None:
    builder = Builder(bits)
    hot = one_hot(builder, "hot", public(1, bits), count)
    r1cs = builder.finish()
    solver = Solver(r1cs, [[number >> k & 1 for k in range(bits)] for number in range(1 << bits)])
    assert check_soundness(r1cs).unforced == []
    found = solver.of(builder.blocks["hot"])
    assert hot.n == count
    assert np.array_equal(found, np.arange(count)[:, None] == np.arange(1 << bits))


def test_groups_hold_one_legal_index_that_is_not_ahead() -> None:
    """Three indices, 0 and 2 in one group, widths of two bits: every mask, every difference."""
    builder = Builder(6)
    cover = (np.array([0, 2]), np.array([1]))
    compare_groups(builder, public(1, 3), public(4, 3), cover, np.array([2, 2]))
    r1cs = builder.finish()
    inputs = [[*ahead, *mask] for ahead in product(range(-4, 6), repeat=3)
              for mask in product((0, 1), repeat=3)]  # fmt: skip
    solver = Solver(r1cs, inputs)
    for k, (a, b, c, *mask) in enumerate(inputs):
        one_each = not (mask[0] and mask[2])
        fits = all(0 <= value < 4 for value, legal in zip((a, b, c), mask, strict=True) if legal)
        violations = r1cs.violations(solver.words(k))
        assert (not violations) == (one_each and fits)
        if not one_each:
            assert "one of group[0]" in {r1cs.label(v) for v in violations}


LINES = {
    "rank": (4, range(24, 32)),
    "edge": (5, range(8)),
    "file": (10, range(2, 64, 8)),
    "diagonal": (3, range(0, 64, 9)),
    "other diagonal": (11, range(7, 57, 7)),
}


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_seen_up_to_its_first_piece(line: str) -> None:
    """Every way to put a slider or a blocker or nothing on each of eight squares."""
    code, squares = LINES[line]
    boards = []
    for standing in product((0, code, 7), repeat=8):
        codes = [0] * 64
        for square, piece in zip(squares, standing, strict=True):
            codes[square] = piece
        boards.append(codes)
    plane = code - 1
    (found,) = solved_sight(boards, only_reads(plane), [plane])
    expected = np.array([naive_sight(codes)[plane] for codes in boards])
    assert np.array_equal(found.T, expected)


def test_every_sight_plane_is_its_definition() -> None:
    rng = np.random.default_rng(1)
    boards = [
        np.where(rng.random(64) < full, rng.integers(1, 13, size=64), 0).tolist()
        for full in np.linspace(0, 1, 25)
    ]
    net = random_net(sight=True)
    found = solved_sight(boards, wiring_of(net).sight, list(range(18)))
    for k, codes in enumerate(boards):
        assert np.array_equal(found[:, :, k], naive_sight(codes))


def only_reads(plane: int) -> SightWiring:
    """The wiring of a net that reads one of the 18 planes."""
    net = random_net(channels=(), sight=True)
    for weights in (net.head.from_weights, net.head.to_weights):
        weights[:, 13:] = 0
    net.head.to_weights[0, 13 + plane] = 1
    wiring = wiring_of(net).sight
    assert wiring.read.tolist() == [plane]
    return wiring


def solved_sight(
    boards: list[list[int]], wiring: SightWiring, which: list[int]
) -> NDArray[np.object_]:
    """(planes, 64, boards): what the constraints force, over public piece planes."""
    builder = Builder(12 * 64)
    planes = sight_planes(builder, public(1, 12 * 64), wiring)
    rows = 64 * np.array(which)[:, None] + np.arange(64)
    builder.linear("out", planes.take(rows))
    pieces = [[int(code == p + 1) for p in range(12) for code in codes] for codes in boards]
    r1cs = builder.finish()
    solver = Solver(r1cs, pieces)
    assert check_soundness(r1cs).unforced == []
    for k in range(0, len(boards), 500):
        assert r1cs.violations(solver.words(k)) == []
    return solver.of(builder.blocks["out"]).reshape(len(which), 64, len(boards))
