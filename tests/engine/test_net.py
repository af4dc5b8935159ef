"""The integer net: what it computes, its bounds, and the files it refuses."""

import json
import random
from typing import Any

import chess
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.encoding import START, encode_board
from engine.errors import InvalidNet, InvalidPosition
from engine.net import NetSpec, house_net, house_nets
from engine.net_file import MAX_FILE_BYTES, Head, Layer, feature_count
from engine.policy_map import MOVE_TYPE, MOVES
from tests.engine.nets import random_net


def game_boards(count: int, seed: int = 0) -> list[int]:
    """Board words from random games."""
    rng = random.Random(seed)
    words: list[int] = []
    board = chess.Board()
    while len(words) < count:
        words.append(encode_board(board))
        board.push(rng.choice(list(board.legal_moves)))
        if board.is_game_over() or board.ply() > 120:
            board = chess.Board()
    return words


def naive_logits(net: NetSpec, word: int) -> list[int]:
    """The definition of the net in plain Python integers, loop by loop."""
    codes = [word >> 4 * s & 15 for s in range(64)]
    features = [[int(code == p + 1) for code in codes] for p in range(12)] + [[1] * 64]
    for layer in net.layers:
        outputs = []
        for weights, bias in zip(layer.weights.tolist(), layer.bias.tolist(), strict=True):
            row = []
            for s in range(64):
                total = bias
                for t, (files, ranks) in enumerate(layer.taps):
                    file, rank = s % 8 + files, s // 8 + ranks
                    if 0 <= file < 8 and 0 <= rank < 8:
                        seen = 8 * rank + file
                        total += sum(w[t] * f[seen] for w, f in zip(weights, features, strict=True))
                row.append(max(total, 0) >> layer.shift)
            outputs.append(row)
        features += outputs
    head_from, head_to = net.head.from_weights.tolist(), net.head.to_weights.tolist()
    return [
        bias
        + sum(w * f[move.from_square] for w, f in zip(head_from[kind], features, strict=True))
        + sum(w * f[move.to_square] for w, f in zip(head_to[kind], features, strict=True))
        for move, kind, bias in zip(MOVES, MOVE_TYPE, net.head.bias.tolist(), strict=True)
    ]


@pytest.mark.parametrize("seed", [0, 1])
def test_forward_is_the_definition(seed: int) -> None:
    net = random_net(seed, taps=((0, 0), (1, 0), (-7, 7), (1, 2), (0, -3)))
    for word in game_boards(200, seed)[::60]:
        assert net.forward(word).logits.tolist() == naive_logits(net, word)


def test_forward_of_pawn_is_the_definition() -> None:
    net = house_net("pawn")
    assert net.forward(START.board).logits.tolist() == naive_logits(net, START.board)


def test_a_net_without_layers_is_its_head() -> None:
    net = random_net(3, channels=())
    assert net.forward(START.board).logits.tolist() == naive_logits(net, START.board)


@given(st.lists(st.integers(0, 12), min_size=64, max_size=64))
@settings(max_examples=60, deadline=None)
def test_no_value_leaves_its_bounds(codes: list[int]) -> None:
    word = sum(code << 4 * s for s, code in enumerate(codes))
    for net in (house_net("pawn"), random_net(5)):
        _assert_within_bounds(net, word)


def test_no_value_leaves_its_bounds_in_games() -> None:
    net = house_net("pawn")
    for word in game_boards(300):
        _assert_within_bounds(net, word)


def _assert_within_bounds(net: NetSpec, word: int) -> None:
    bounds, trace = net.bounds(), net.forward(word)
    for k in range(len(net.layers)):
        assert (bounds.pre_lo[k] <= trace.pre[k]).all()
        assert (trace.pre[k] <= bounds.pre_hi[k]).all()
        assert (trace.act[k] <= bounds.act_hi[k]).all()
    assert (bounds.logit_lo <= trace.logits).all()
    assert (trace.logits <= bounds.logit_hi).all()


@pytest.mark.parametrize("square", [0, 27, 63])
@pytest.mark.parametrize("sign", [1, -1])
def test_bounds_of_the_first_layer_are_attained(square: int, sign: int) -> None:
    net = house_net("pawn")
    layer, bounds = net.layers[0], net.bounds()
    for channel, weights in enumerate(layer.weights):
        word = 0
        for t, (files, ranks) in enumerate(layer.taps):
            file, rank = square % 8 + files, square // 8 + ranks
            best = int(np.argmax(sign * weights[:12, t]))
            if 0 <= file < 8 and 0 <= rank < 8 and sign * weights[best, t] > 0:
                word |= (best + 1) << 4 * (8 * rank + file)
        claimed = (bounds.pre_hi if sign > 0 else bounds.pre_lo)[0][channel, square]
        assert net.forward(word).pre[0][channel, square] == claimed


def test_a_file_reads_back_as_the_same_net() -> None:
    net = random_net(1)
    again = NetSpec.from_bytes(net.to_bytes())
    assert again.to_bytes() == net.to_bytes()
    assert again.hash == net.hash
    assert again.hash != random_net(2).hash
    assert (again.forward(START.board).logits == net.forward(START.board).logits).all()


def test_house_nets_are_small_and_named_by_their_file() -> None:
    assert "pawn" in house_nets()
    for name in house_nets():
        assert house_net(name).name == name
        assert len(house_net(name).to_bytes()) <= 300_000


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


def _document(**changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(random_net().to_bytes())
    return document | changes


def _with(path: str, value: Any) -> bytes:
    """The file of a net with the entry at `path` (keys and numbers, dotted) replaced."""
    document = _document()
    *steps, last = [int(p) if p.isdigit() else p for p in path.split(".")]
    at: Any = document
    for step in steps:
        at = at[step]
    at[last] = value
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


WHOLE = random_net().to_bytes()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not JSON"),
        (WHOLE[:1000], "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[]\n", "exactly the keys"),
        (b"null\n", "exactly the keys"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"format":' + b"9" * 5000 + b"}", "absurdly long number"),
        (b" " * (MAX_FILE_BYTES + 1), "at most 2000000 are read"),
        (WHOLE.rstrip(), "canonical"),
        (WHOLE.replace(b",", b", "), "canonical"),
        (WHOLE.replace(b'"name":', b'"name":"a","name":'), "repeats a key"),
        (WHOLE.replace(b'"shift":2', b'"shift":2,"extra":1', 1), "layer 0 must be an object"),
        (_with("format", "checkproof-net/2"), "format"),
        (_with("name", "Pawn!"), "name"),
        (_with("name", 7), "name"),
        (_with("layers", {}), "list of at most 4"),
        (_with("layers", [None] * 5), "list of at most 4"),
        (_with("layers.0", None), "layer 0 must be an object"),
        (_with("layers.0.taps", []), "1 to 225 taps"),
        (_with("layers.0.taps", 9), "1 to 225 taps"),
        (_with("layers.0.taps.0", [0, 0]), "repeats a tap"),
        (_with("layers.0.taps.0", [0, 8]), "taps must stay within ±7"),
        (_with("layers.0.taps.0", [0]), "taps must be a list of 2"),
        (_with("layers.0.bias", []), "1 to 64 biases"),
        (_with("layers.0.bias.0", 1 << 25), "within ±16777216"),
        (_with("layers.0.shift", -1), "shift is negative"),
        (_with("layers.0.shift", 25), "within ±24"),
        (_with("layers.0.shift", True), "must hold integers"),
        (_with("layers.0.weights", 3), "found no list"),
        (_with("layers.0.weights.0.0.0", 1.5), "integers, found 1.5"),
        (_with("layers.0.weights.0.0.0", float("nan")), "integers, found NaN"),
        (_with("layers.0.weights.0.0.0", float("-inf")), "integers, found -Infinity"),
        (_with("layers.0.weights.0.0.0", None), "must hold integers"),
        (_with("layers.0.weights.0.0.0", "1"), "must hold integers"),
        (_with("layers.0.weights.0.0.0", 1 << 70), "within ±32768"),
        (_with("layers.0.weights.0.0", [1] * 8), "list of 9 here, found 8 entries"),
        (_with("layers.1.weights.0", [[1] * 9] * 13), "list of 17 here, found 13 entries"),
        (_with("head", []), "the head must be an object"),
        (_with("head.from", []), "list of 73 here"),
        (_with("head.to.72", [0] * 13), "list of 20 here"),
        (_with("head.bias", [0] * 1857), "list of 1858 here"),
        (_with("layers.0.bias.0", 1 << 24), "layer 0 could reach"),
        (_with("head.bias.7", 1 << 24), "the head could reach"),
    ],
)
def test_a_malformed_file_is_refused_in_one_clear_line(data: bytes, message: str) -> None:
    with pytest.raises(InvalidNet, match=message) as caught:
        NetSpec.from_bytes(data)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255))
@settings(max_examples=200, deadline=None)
def test_any_byte_changed_is_refused_or_another_net(at: int, byte: int) -> None:
    data = WHOLE[:at] + bytes([byte]) + WHOLE[at + 1 :]
    try:
        net = NetSpec.from_bytes(data)
    except InvalidNet:
        return
    assert net.to_bytes() == data
    assert (net.hash == random_net().hash) == (data == WHOLE)


def test_large_layers_cannot_overflow() -> None:
    """A net that reaches the bound only through its second layer is refused as well."""
    first = Layer(((0, 0),), np.full((4, 13, 1), 2**15), np.zeros(4, np.int64), 0)
    second = Layer(((0, 0),), np.full((4, 17, 1), 2**15), np.zeros(4, np.int64), 0)
    features = feature_count([first, second])
    rows = np.zeros((73, features), np.int64)
    net = NetSpec("large", (first, second), Head(rows, rows, np.zeros(1858, np.int64)))
    with pytest.raises(InvalidNet, match="layer 1 could reach"):
        NetSpec.from_bytes(net.to_bytes())
