"""RLP and tries, against known values and against themselves."""

import random

import pytest
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from proofs.trie import (
    EMPTY_ROOT,
    BadProof,
    BadRlp,
    Item,
    index_key,
    look_up,
    make_trie,
    rlp,
    unrlp,
)

ITEMS: st.SearchStrategy[Item] = st.recursive(
    st.binary(max_size=70), lambda inner: st.lists(inner, max_size=5), max_leaves=20
)


@pytest.mark.parametrize(
    ("item", "encoded"),
    [  # the examples of ethereum.org's page on RLP
        (b"dog", b"\x83dog"),
        ([b"cat", b"dog"], b"\xc8\x83cat\x83dog"),
        (b"", b"\x80"),
        ([], b"\xc0"),
        (b"\x00", b"\x00"),
        (b"\x04\x00", b"\x82\x04\x00"),
        ([[], [[]], [[], [[]]]], bytes.fromhex("c7c0c1c0c3c0c1c0")),
        (
            b"Lorem ipsum dolor sit amet, consectetur adipisicing elit",
            b"\xb8\x38Lorem ipsum dolor sit amet, consectetur adipisicing elit",
        ),
    ],
)
def test_rlp_isThePublishedOne(item: Item, encoded: bytes) -> None:
    assert rlp(item) == encoded
    assert unrlp(encoded) == item


@given(ITEMS)
def test_rlp_goesBothWays(item: Item) -> None:
    assert unrlp(rlp(item)) == item


@pytest.mark.parametrize("data", ["", "8100", "b800", "83aabb", "c283", "8000", "b90001aa", "f800"])
def test_otherBytes_areRefused(data: str) -> None:
    with pytest.raises(BadRlp):
        unrlp(bytes.fromhex(data))


def test_deepNesting_isRefused() -> None:
    with pytest.raises(BadRlp):
        unrlp(b"\xc1" * 200 + b"\xc0")


def test_emptyTrie_hasThePublishedRoot() -> None:
    known = "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
    assert EMPTY_ROOT.hex() == known
    assert make_trie([])[0] == EMPTY_ROOT
    assert look_up(EMPTY_ROOT, b"any", [b"\x80"]) == (None, [b"\x80"])


@pytest.mark.parametrize("count", [1, 2, 16, 17, 129, 300])
def test_eachValue_isFoundByItsPathAlone(count: int) -> None:
    rng = random.Random(count)
    values = [rng.randbytes(rng.randint(1, 80)) for _ in range(count)]
    root, nodes = make_trie(values)
    for place in {0, 1 % count, count // 2, count - 1}:
        value, path = look_up(root, index_key(place), nodes.values())
        assert value == values[place]
        assert look_up(root, index_key(place), path)[0] == value
        for dropped in range(len(path)):
            with pytest.raises(BadProof):
                look_up(root, index_key(place), path[:dropped] + path[dropped + 1 :])
    assert look_up(root, index_key(count), nodes.values())[0] is None


def test_brokenNodes_areRefused() -> None:
    for node in (b"\x83abc", rlp([b"a"]), rlp([b"\x40", b"x"]), rlp([[], b"x"]), b"\xff"):
        with pytest.raises(BadProof):
            look_up(keccak(node), b"key", [node])
