"""Bounds: sound on every board, as narrow as they claim, and refused beyond the limit."""

import itertools
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bounds import Range
from engine.encoding import MOST_EARLIER
from engine.errors import InvalidNet
from engine.net import NetSpec, house_net
from engine.net_file import Gate, Head, IntArray, Layer, feature_count
from engine.noise import noise_places, noise_signs
from engine.policy_map import MOVES, POLICY_SIZE
from tests.engine.boards import game_boards, wild_boards, word_of
from tests.engine.nets import random_net

FULL = random_net(5, sight=True, gates=(0,), pieces=True, noise=3)
TAPS = ((0, 0), (1, 0), (-1, -2))
DEEP = random_net(6, channels=(3, 2, 2), gates=(0, 2), taps=TAPS, magnitude=2, sight=True)
NETS = [house_net("pawn"), random_net(5), FULL, DEEP]


@given(st.lists(st.integers(0, 12), min_size=64, max_size=64), st.integers(0, (1 << 128) - 1))
@settings(max_examples=60)
def test_no_value_leaves_its_bounds(codes: list[int], dice: int) -> None:
    for net in NETS:
        _assert_within_bounds(net, word_of(codes), dice)


@pytest.mark.parametrize("net", NETS)
def test_no_value_leaves_its_bounds_on_any_board(net: NetSpec) -> None:
    rng = random.Random(1)
    for word in wild_boards(150) + game_boards(150):
        _assert_within_bounds(net, word, rng.getrandbits(128))


def _assert_within_bounds(net: NetSpec, word: int, dice: int) -> None:
    bounds, trace = net.bounds(), net.forward(word, dice)
    for k in range(len(net.layers)):
        assert (bounds.pre_lo[k] <= trace.pre[k]).all()
        assert (trace.pre[k] <= bounds.pre_hi[k]).all()
        assert (bounds.act_lo[k] <= trace.act[k]).all()
        assert (trace.act[k] <= bounds.act_hi[k]).all()
        gate, lo, hi = trace.gate[k], bounds.gate_lo[k], bounds.gate_hi[k]
        assert (gate is None) == (lo is None) == (hi is None) == (net.layers[k].gate is None)
        if gate is not None and lo is not None and hi is not None:
            assert (lo <= gate).all()
            assert (gate <= hi).all()
    assert (bounds.logit_lo <= trace.logits).all()
    assert (trace.logits <= bounds.logit_hi).all()


@pytest.mark.parametrize("square", [0, 27, 63])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("net", [random_net(9, magnitude=30), random_net(2, gates=(0,))])
def test_bounds_of_the_first_layer_are_attained(net: NetSpec, square: int, sign: int) -> None:
    layer, bounds = net.layers[0], net.bounds()
    for channel, weights in enumerate(layer.weights):
        word = _best_board(layer.taps, sign * weights, square)
        claimed = (bounds.pre_hi if sign > 0 else bounds.pre_lo)[0][channel, square]
        assert net.forward(word).pre[0][channel, square] == claimed


def _best_board(taps: tuple[tuple[int, int], ...], weights: IntArray, square: int) -> int:
    """The board on which weights (13, taps) sum up to the most at a square."""
    word = 0
    for t, (files, ranks) in enumerate(taps):
        file, rank = square % 8 + files, square // 8 + ranks
        best = int(np.argmax(weights[:12, t]))
        if 0 <= file < 8 and 0 <= rank < 8 and weights[best, t] > 0:
            word |= (best + 1) << 4 * (8 * rank + file)
    return word


def test_bounds_of_the_logits_are_attained() -> None:
    """Without layers and sight, only what stands on a move's two squares counts, and the dice."""
    net = random_net(7, channels=(), pieces=True, noise=2, repeat_noise=3)
    rng = random.Random(7)
    bounds = net.bounds()
    for index in rng.sample(range(POLICY_SIZE), 12):
        move = MOVES[index]
        logits = []
        for a, b in itertools.product(range(13), repeat=2):
            word = a << 4 * move.from_square | b << 4 * move.to_square
            for dice in _extreme_dice(index):
                found = net.forward(word, dice, earlier=MOST_EARLIER).logits
                logits.append(int(found[index]))
        assert (min(logits), max(logits)) == (bounds.logit_lo[index], bounds.logit_hi[index])


def _extreme_dice(index: int) -> tuple[int, int]:
    """Dice of the lowest and of the highest noise."""
    high = sum(
        1 << place
        for place, sign in zip(
            noise_places()[index].tolist(), noise_signs()[index].tolist(), strict=True
        )
        if sign > 0
    )
    return high ^ (1 << 128) - 1, high


ENDS = st.tuples(st.integers(-9, 9), st.integers(-9, 9)).map(sorted)


@given(ENDS, ENDS)
def test_a_product_of_ranges_holds_the_products_and_no_more(a: list[int], b: list[int]) -> None:
    product = _range(a) * _range(b)
    found = [x * y for x in range(a[0], a[1] + 1) for y in range(b[0], b[1] + 1)]
    assert (product.lo.item(), product.hi.item()) == (min(found), max(found))


def _range(ends: list[int]) -> Range:
    return Range(np.array([[float(ends[0])]]), np.array([[float(ends[1])]]))


def test_the_logit_span_is_that_of_any_two() -> None:
    bounds = FULL.bounds()
    assert bounds.logit_span == max(bounds.logit_hi) - min(bounds.logit_lo)


def _net(*layers: Layer, bias: int = 0, noise: int = 0) -> NetSpec:
    """A net whose head reads nothing."""
    rows = np.zeros((73, feature_count(layers)), np.int64)
    head = Head(rows, rows, rows[:6], np.full(POLICY_SIZE, bias))
    return NetSpec("large", layers, head, noise=noise)


def _part(inputs: int, weight: int = 2**15) -> tuple[IntArray, IntArray]:
    return np.full((4, inputs, 1), weight), np.zeros(4, np.int64)


HERE = ((0, 0),)
RELU = [Layer(HERE, *_part(13 + 4 * k), 0) for k in range(4)]
GATE = Layer(HERE, *_part(13), 0, Gate(*_part(13, -(2**15))))


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (_net(*RELU), "layer 2 could reach 2\\^48"),
        (_net(GATE, RELU[1]), "layer 1 could reach"),
        (_net(GATE, Layer(HERE, *_part(17, 1), 0, Gate(*_part(17)))), "the gates of layer 1"),
        (_net(GATE, Layer(HERE, *_part(17, 1), 0, Gate(*_part(17, 1)))), "layer 1 could reach"),
    ],
)
def test_values_that_could_grow_too_large_are_refused(net: NetSpec, message: str) -> None:
    with pytest.raises(InvalidNet, match=message):
        NetSpec.from_bytes(net.to_bytes())
    with pytest.raises(InvalidNet, match=message):
        net.forward(0)


@pytest.mark.parametrize(("bias", "noise"), [(2**48, 0), (-(2**48), 0), (0, 2**44)])
def test_logits_that_could_grow_too_large_are_refused(bias: int, noise: int) -> None:
    with pytest.raises(InvalidNet, match="the head could reach"):
        _net(bias=bias, noise=noise).bounds()
    sign = 1 if bias >= 0 else -1
    assert _net(bias=bias - sign * bool(bias), noise=max(noise - 1, 0)).bounds().logit_span >= 0


def test_a_sum_far_beyond_is_refused_as_well() -> None:
    """Widths of 256 and four layers of gates reach 2^500: no number on the way wraps around."""
    rng = np.random.default_rng(1)
    layers: list[Layer] = []
    for _ in range(4):
        shape = (256, feature_count(layers), 1)
        parts = [rng.integers(-(2**15), 2**15, size=shape) for _ in range(2)]
        none = np.zeros(256, np.int64)
        layers.append(Layer(HERE, parts[0], none, 0, Gate(parts[1], none)))
    with pytest.raises(InvalidNet, match="could reach"):
        _net(*layers).bounds()
