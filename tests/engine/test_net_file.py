"""Net files: what reads back, and what is refused."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.encoding import START
from engine.errors import InvalidNet
from engine.net import NetSpec
from engine.net_file import MAX_FILE_BYTES
from tests.engine.nets import random_net

NET = random_net(sight=True, gates=(1,), pieces=True, noise=7)
"""Two layers, of which the second has a gate, over 31 planes."""
LOUD = replace(NET, repeat_noise=9)


@pytest.mark.parametrize(
    "net", [random_net(1), NET, random_net(3, channels=(2,), gates=(0,)), LOUD]
)
def test_a_file_reads_back_as_the_same_net(net: NetSpec) -> None:
    again = NetSpec.from_bytes(net.to_bytes())
    assert again.to_bytes() == net.to_bytes()
    assert again.hash == net.hash
    assert (again.sight, again.noise) == (net.sight, net.noise)
    assert again.repeat_noise == net.repeat_noise
    assert (again.forward(START.board, 5).logits == net.forward(START.board, 5).logits).all()


def test_every_part_of_a_net_is_in_its_hash() -> None:
    others = [
        random_net(1),
        random_net(sight=True, gates=(1,), pieces=True, noise=8),
        random_net(sight=True, gates=(1,), noise=7),
        random_net(sight=True, gates=(0,), pieces=True, noise=7),
        random_net(gates=(1,), pieces=True, noise=7),
        LOUD,
        replace(NET, repeat_noise=8),
    ]
    assert len({net.hash for net in (NET, *others)}) == 8


def test_keys_are_in_the_order_of_the_format() -> None:
    document = json.loads(NET.to_bytes())
    assert list(document) == ["format", "name", "sight", "noise", "layers", "head"]
    loud = ["format", "name", "sight", "noise", "repeat_noise", "layers", "head"]
    assert list(json.loads(LOUD.to_bytes())) == loud
    relu, gate = document["layers"]
    assert list(relu) == ["kind", "taps", "weights", "bias", "shift"]
    assert list(gate) == ["kind", "taps", "weights", "bias", "gate_weights", "gate_bias"]
    assert list(document["head"]) == ["from", "to", "piece", "bias"]


def _document(**changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(NET.to_bytes())
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


WHOLE = NET.to_bytes()


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
        (b" " * (MAX_FILE_BYTES + 1), "at most 8000000 are read"),
        (WHOLE.rstrip(), "canonical"),
        (WHOLE.replace(b",", b", "), "canonical"),
        (WHOLE.replace(b'"name":', b'"name":"a","name":'), "repeats a key"),
        (
            WHOLE.replace(b'"shift":2', b'"shift":2,"extra":1', 1),
            "layer 0 must be an object with exactly",
        ),
        (WHOLE.replace(b'"sight":true,"noise":7', b'"noise":7,"sight":true'), "canonical"),
        (WHOLE.replace(b'"noise":7,', b""), "the file must be an object with exactly the keys"),
        (_with("format", "checkproof-net/1"), "format"),
        (_with("name", "Pawn!"), "name"),
        (_with("name", 7), "name"),
        (_with("layers", {}), "list of at most 4"),
        (_with("layers", [None] * 5), "list of at most 4"),
        (_with("sight", 1), '"sight" must be true or false'),
        (_with("sight", None), '"sight" must be true or false'),
        (_with("sight", False), "list of 13 here, found 31"),
        (_with("noise", -1), '"noise" is negative'),
        (_with("noise", (1 << 32) + 1), '"noise" must stay within'),
        (_with("noise", True), '"noise" must hold integers'),
        (_with("noise", [1]), '"noise" must hold integers'),
        (WHOLE.replace(b'"noise":7', b'"noise":7,"repeat_noise":0'), "canonical"),
        (WHOLE.replace(b'"noise":7', b'"repeat_noise":3,"noise":7'), "canonical"),
        (WHOLE.replace(b'"noise":7', b'"noise":7,"repeat_noise":-1'), "is negative"),
        (WHOLE.replace(b'"noise":7', b'"noise":7,"repeat_noise":true'), "must hold integers"),
        (_with("layers.0", None), 'layer 0 must be an object whose "kind"'),
        (_with("layers.0.kind", "tanh"), 'layer 0 must be an object whose "kind"'),
        (_with("layers.0.kind", None), 'layer 0 must be an object whose "kind"'),
        (_with("layers.0.kind", ["relu"]), 'layer 0 must be an object whose "kind"'),
        (_with("layers.0.kind", "gate"), "layer 0 must be an object with exactly .* gate_weights"),
        (_with("layers.1.kind", "relu"), "layer 1 must be an object with exactly .* shift"),
        (_with("layers.1.shift", 0), "layer 1 must be an object with exactly"),
        (_with("layers.1.gate_weights", []), "gate weights must be a list of 3 here"),
        (_with("layers.1.gate_weights.0", [[1] * 9] * 31), "list of 35 here, found 31 entries"),
        (_with("layers.1.gate_weights.0.0", [1] * 8), "list of 9 here, found 8 entries"),
        (_with("layers.1.gate_weights.2.34.8", 1 << 16), "gate weights must stay within ±32768"),
        (_with("layers.1.gate_bias", [0] * 2), "gate bias must be a list of 3 here"),
        (_with("layers.1.gate_bias.0", 0.5), "integers, found 0.5"),
        (_with("layers.0.taps", []), "1 to 225 taps"),
        (_with("layers.0.taps", 9), "1 to 225 taps"),
        (_with("layers.0.taps.0", [0, 0]), "repeats a tap"),
        (_with("layers.0.taps.0", [0, 8]), "taps must stay within ±7"),
        (_with("layers.0.taps.0", [0]), "taps must be a list of 2"),
        (_with("layers.0.bias", []), "1 to 256 biases"),
        (_with("layers.0.bias", [0] * 257), "1 to 256 biases"),
        (_with("layers.0.bias.0", 1 << 33), "within ±4294967296"),
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
        (_with("layers.1.weights.0", [[1] * 9] * 31), "list of 35 here, found 31 entries"),
        (_with("head", []), "the head must be an object"),
        (_with("head.from", []), "list of 73 here"),
        (_with("head.to.72", [0] * 13), "list of 38 here"),
        (_with("head.piece", [[0] * 38] * 5), 'head "piece" must be a list of 6 here'),
        (_with("head.piece.5", [0] * 37), "list of 38 here, found 37 entries"),
        (_with("head.bias", [0] * 1857), "list of 1858 here"),
    ],
)
def test_a_malformed_file_is_refused_in_one_clear_line(data: bytes, message: str) -> None:
    with pytest.raises(InvalidNet, match=message) as caught:
        NetSpec.from_bytes(data)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255))
@settings(max_examples=200)
def test_any_byte_changed_is_refused_or_another_net(at: int, byte: int) -> None:
    data = WHOLE[:at] + bytes([byte]) + WHOLE[at + 1 :]
    try:
        net = NetSpec.from_bytes(data)
    except InvalidNet:
        return
    assert net.to_bytes() == data
    assert (net.hash == NET.hash) == (data == WHOLE)
