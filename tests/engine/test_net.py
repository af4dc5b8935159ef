"""The integer net: what it computes, and the nets of the house."""

import random

import numpy as np
import pytest

from engine.encoding import START
from engine.errors import InvalidDice, InvalidNet, InvalidPosition
from engine.net import NetSpec, house_net, house_nets
from tests.engine.boards import game_boards, wild_boards
from tests.engine.naive import naive_logits
from tests.engine.nets import random_net

FAR = ((0, 0), (1, 0), (-7, 7), (1, 2), (0, -3))
NETS = [
    random_net(0, taps=FAR),
    random_net(1, taps=FAR, sight=True),
    random_net(2, channels=()),
    random_net(3, channels=(), sight=True, pieces=True),
    random_net(4, channels=(5,), gates=(0,), pieces=True),
    random_net(5, channels=(3, 2), gates=(0,), sight=True, pieces=True, noise=5),
    random_net(6, channels=(3, 2, 2), taps=FAR, magnitude=2, gates=(1, 2), sight=True, noise=1),
    random_net(7, channels=(40,), taps=FAR, gates=(0,)),
    random_net(8, channels=(), pieces=True, noise=2, repeat_noise=300),
    random_net(9, channels=(), repeat_noise=7),
]


@pytest.mark.parametrize("net", NETS)
def test_forward_is_the_definition(net: NetSpec) -> None:
    rng = random.Random(net.name)
    for word in rng.sample(game_boards(200) + wild_boards(100), 4):
        dice = rng.getrandbits(128)
        assert net.forward(word, dice).logits.tolist() == naive_logits(net, word, dice)
        assert net.forward(word).logits.tolist() == naive_logits(net, word)
        again = net.forward(word, dice, earlier=2).logits
        assert again.tolist() == naive_logits(net, word, dice, earlier=2)


def test_forward_of_pawn_is_the_definition() -> None:
    net = house_net("pawn")
    assert net.forward(START.board).logits.tolist() == naive_logits(net, START.board)


def test_forward_is_exact_near_the_limit() -> None:
    """Logits of 46 bits, of which float32 would keep 24."""
    taps, large = ((0, 0),), 2**14
    net = random_net(8, channels=(1,), taps=taps, magnitude=large, gates=(0,), pieces=True)
    for word in wild_boards(30, seed=8)[13::4]:
        logits = net.forward(word).logits
        assert abs(logits).max() > 2**40
        assert logits.tolist() == naive_logits(net, word)


def test_a_trace_holds_every_value_as_whole_numbers() -> None:
    net = random_net(5, channels=(3, 2), gates=(0,), sight=True, noise=5)
    trace = net.forward(START.board, 3)
    assert net.input_planes == len(trace.planes) == 31
    gate = trace.gate[0]
    assert gate is not None
    assert trace.gate[1] is None
    assert (trace.act[0] == trace.pre[0] * gate).all()
    assert (trace.act[1] == np.maximum(trace.pre[1], 0) >> 2).all()
    for values in (trace.planes, *trace.pre, gate, *trace.act, trace.logits):
        assert values.dtype == np.int64
    assert random_net().input_planes == len(random_net().forward(0).planes) == 13


def test_dice_change_what_a_net_with_noise_says_and_nothing_else() -> None:
    noisy, still = random_net(1, noise=1000), random_net(1)
    assert (noisy.forward(START.board, 1).logits != noisy.forward(START.board, 2).logits).any()
    assert (noisy.forward(START.board, 1).logits == noisy.forward(START.board, 1).logits).all()
    assert (still.forward(START.board, 1).logits == still.forward(START.board, 2).logits).all()
    acts = [noisy.forward(START.board, dice).act for dice in (1, 2)]
    assert all((a == b).all() for a, b in zip(*acts, strict=True))


def test_repeat_noise_is_heard_where_a_position_comes_again() -> None:
    net, still = random_net(1, repeat_noise=1000), random_net(1)
    first, again, third = (net.forward(START.board, 5, earlier=n).logits for n in range(3))
    assert (first == still.forward(START.board).logits).all()
    assert (again != first).any()
    assert (third - first == 2 * (again - first)).all()
    assert (still.forward(START.board, 5, earlier=2).logits == first).all()


def test_dice_of_too_many_bits_are_refused() -> None:
    with pytest.raises(InvalidDice, match="128 bits"):
        random_net(noise=1).forward(START.board, 1 << 128)


def test_house_nets_are_small_and_named_by_their_file() -> None:
    assert "pawn" in house_nets()
    for name in house_nets():
        assert house_net(name).name == name
        assert len(house_net(name).to_bytes()) <= 2_000_000


@pytest.mark.parametrize("name", ["nobody", "../pawn", "", "pawn.json"])
def test_an_unknown_house_net_is_refused(name: str) -> None:
    with pytest.raises(InvalidNet, match="no house net called"):
        house_net(name)


def test_a_word_with_a_nibble_above_12_is_refused() -> None:
    with pytest.raises(InvalidPosition, match="piece code 13"):
        random_net().forward(13 << 8)


@pytest.mark.parametrize("word", [-1, 1 << 256])
def test_a_word_that_is_no_word_is_refused(word: int) -> None:
    with pytest.raises(InvalidPosition, match="256 bits"):
        random_net().forward(word)
