"""RLP and the Merkle-Patricia trie, as much as it takes to check what a block's header commits to.

    RLP   an item is bytes or a list of items; Ethereum Yellow Paper, appendix B
    trie  a node is [path, value or node] or [16 nodes, value], kept by its hash where its RLP has
          32 bytes or more, else in its parent; a path's nibbles are packed after a prefix that
          tells leaf from extension and odd from even (appendices C and D)

A block's receipts are kept under rlp(place in the block), an account under keccak(address).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from eth_utils.crypto import keccak

Item = bytes | list["Item"]

EMPTY_ROOT: Final = keccak(b"\x80")
_MAX_DEPTH: Final = 64


class BadRlp(ValueError):
    """Bytes that no encoder makes; str() says why."""


class BadProof(ValueError):
    """Nodes that do not lead from the root to the key; str() says why."""


def rlp(item: Item) -> bytes:
    """The encoding of an item."""
    if isinstance(item, bytes):
        return item if len(item) == 1 and item[0] < 0x80 else _head(0x80, len(item)) + item
    body = b"".join(map(rlp, item))
    return _head(0xC0, len(body)) + body


def rlp_number(value: int) -> bytes:
    """An unsigned integer as RLP's callers write it: big-endian, without leading zeros."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def unrlp(data: bytes) -> Item:
    """The item that `data` encodes, all of it.  Raises BadRlp."""
    item, end = _item(data, 0, len(data), 0)
    if end != len(data):
        raise BadRlp(f"{len(data) - end} bytes too many")
    return item


def make_trie(values: Sequence[bytes]) -> tuple[bytes, dict[bytes, bytes]]:
    """The root of the values under rlp(0), rlp(1), ..., and all nodes by their hash."""
    if not values:
        return EMPTY_ROOT, {EMPTY_ROOT: b"\x80"}
    nodes: dict[bytes, bytes] = {}
    pairs = [(_nibbles(index_key(k)), value) for k, value in enumerate(values)]
    top = rlp(_node(pairs, nodes))
    nodes[keccak(top)] = top
    return keccak(top), nodes


def index_key(place: int) -> bytes:
    """The key of a block's receipt at `place`."""
    return rlp(rlp_number(place))


def look_up(root: bytes, key: bytes, nodes: Iterable[bytes]) -> tuple[bytes | None, list[bytes]]:
    """The value under `key`, None if the trie has none, and the nodes on the way, root first.

    Raises BadProof where a node is missing or is none.
    """
    by_hash = {keccak(node): node for node in nodes}
    path: list[bytes] = []
    node, rest = _fetch(root, by_hash, path), _nibbles(key)
    while True:
        if node == b"":
            return None, path
        if not isinstance(node, list) or len(node) not in (2, 17):
            raise BadProof("a node is none")
        if len(node) == 17:
            step = node[rest[0]] if rest else node[16]
            if not rest:
                return (step if isinstance(step, bytes) and step else None), path
            node, rest = _follow(step, by_hash, path), rest[1:]
            continue
        own, leaf = _unpack(node[0])
        if rest[: len(own)] != own:
            return None, path
        if leaf:
            same = len(own) == len(rest) and isinstance(node[1], bytes)
            return (node[1] if same else None), path  # type: ignore[return-value]
        node, rest = _follow(node[1], by_hash, path), rest[len(own) :]


def _head(base: int, length: int) -> bytes:
    if length < 56:
        return bytes([base + length])
    size = rlp_number(length)
    return bytes([base + 55 + len(size)]) + size


def _item(data: bytes, at: int, end: int, depth: int) -> tuple[Item, int]:
    if at >= end or depth > _MAX_DEPTH:
        raise BadRlp("it ends too early or goes too deep")
    first = data[at]
    if first < 0x80:
        return data[at : at + 1], at + 1
    base = 0x80 if first < 0xC0 else 0xC0
    start, stop = _span(data, at, base)
    if stop > end:
        raise BadRlp("it ends too early")
    if base == 0x80:
        if stop - start == 1 and data[start] < 0x80:
            raise BadRlp("a small byte with a head")
        return data[start:stop], stop
    items: list[Item] = []
    while start < stop:
        item, start = _item(data, start, stop, depth + 1)
        items.append(item)
    return items, stop


def _span(data: bytes, at: int, base: int) -> tuple[int, int]:
    """Where the content of the item at `at` begins and ends."""
    short = data[at] - base
    if short < 56:
        return at + 1, at + 1 + short
    start = at + 1 + short - 55
    size = data[at + 1 : start]
    length = int.from_bytes(size, "big")
    if length < 56 or size[0] == 0 or len(size) != short - 55:
        raise BadRlp("a length not in its shortest form")
    return start, start + length


def _node(pairs: list[tuple[bytes, bytes]], nodes: dict[bytes, bytes]) -> Item:
    """The node over these (nibbles, value); nodes kept by hash are added to `nodes`."""
    if len(pairs) == 1:
        return [_pack(pairs[0][0], leaf=True), pairs[0][1]]
    common = _common([path for path, _ in pairs])
    if common:
        below = _node([(path[common:], value) for path, value in pairs], nodes)
        return [_pack(pairs[0][0][:common], leaf=False), _kept(below, nodes)]
    branch: list[Item] = [b""] * 17
    for nibble in range(16):
        some = [(path[1:], value) for path, value in pairs if path and path[0] == nibble]
        if some:
            branch[nibble] = _kept(_node(some, nodes), nodes)
    branch[16] = next((value for path, value in pairs if not path), b"")
    return branch


def _kept(node: Item, nodes: dict[bytes, bytes]) -> Item:
    encoded = rlp(node)
    if len(encoded) < 32:
        return node
    nodes[keccak(encoded)] = encoded
    return keccak(encoded)


def _follow(step: Item, by_hash: Mapping[bytes, bytes], path: list[bytes]) -> Item:
    return _fetch(step, by_hash, path) if isinstance(step, bytes) and step else step


def _fetch(name: bytes, by_hash: Mapping[bytes, bytes], path: list[bytes]) -> Item:
    node = by_hash.get(name)
    if node is None:
        raise BadProof(f"there is no node 0x{name.hex()}")
    path.append(node)
    if len(path) > _MAX_DEPTH:
        raise BadProof("too many nodes")
    try:
        return unrlp(node)
    except BadRlp as error:
        raise BadProof(f"a node is no RLP: {error}") from None


def _nibbles(key: bytes) -> bytes:
    return bytes(nibble for byte in key for nibble in (byte >> 4, byte & 15))


def _common(paths: Sequence[bytes]) -> int:
    first, last = min(paths), max(paths)
    length = 0
    while length < min(len(first), len(last)) and first[length] == last[length]:
        length += 1
    return length


def _pack(path: bytes, *, leaf: bool) -> bytes:
    prefix = bytes([2 * leaf + 1]) if len(path) % 2 else bytes([2 * leaf, 0])
    nibbles = prefix + path
    return bytes(nibbles[k] << 4 | nibbles[k + 1] for k in range(0, len(nibbles), 2))


def _unpack(packed: Item) -> tuple[bytes, bool]:
    if not isinstance(packed, bytes) or not packed or packed[0] >> 4 > 3:
        raise BadProof("a node's path is none")
    nibbles = _nibbles(packed)
    return nibbles[1 if nibbles[0] & 1 else 2 :], bool(nibbles[0] & 2)
