"""Bundles with lies in them: one thing altered, and the blocks made anew around it.

A liar who alters a log has to give its block another receipts root and so another hash; then the
bundle hangs together again, and only what the log says can give the lie away.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from proofs.abi import Entry, load_artifact
from proofs.bundle import Bundle
from proofs.evidence import ReceiptEvidence, read_header, read_receipt
from proofs.trie import index_key, look_up, make_trie, rlp, rlp_number, unrlp

RECEIPTS_ROOT, TIMESTAMP = 5, 11
Change = Callable[[dict[str, Any]], dict[str, Any]]


def told(bundle: Bundle, name: str, nth: int, change: Change) -> Bundle:
    """The bundle with the arguments of the nth event of a name changed."""
    artifact = load_artifact("BotRegistry" if name == "BotRegistered" else "Arena")
    seen = -1
    for receipt in bundle.receipts:
        for place, log in enumerate(read_receipt(receipt.receipt)):
            entry = artifact.events.get(log.topics[0])
            seen += entry is not None and entry.name == name
            if entry is not None and entry.name == name and seen == nth:
                decoded = artifact.event(log.topics, log.data)
                assert decoded is not None
                return relogged(bundle, receipt, place, entry, change(decoded[1]))
    raise AssertionError(f"there is no {name} {nth}")


def relogged(
    bundle: Bundle, receipt: ReceiptEvidence, place: int, entry: Entry, args: dict[str, Any]
) -> Bundle:
    """The bundle with a log's arguments, and blocks that commit to it."""
    data = receipt.receipt
    body = unrlp(data[1:])
    assert isinstance(body, list)
    assert isinstance(body[3], list)
    log = body[3][place]
    assert isinstance(log, list)
    indexed = [i for i in entry.inputs if i["indexed"]]
    others = [i for i in entry.inputs if not i["indexed"]]
    log[1] = [entry.topic, *(encode([i["type"]], [value(args[i["name"]], i)]) for i in indexed)]
    log[2] = encode(list(map(kind, others)), [value(args[i["name"]], i) for i in others])
    return rooted(bundle, replace(receipt, receipt=data[:1] + rlp(body)))


def rooted(bundle: Bundle, receipt: ReceiptEvidence) -> Bundle:
    """The bundle with this receipt as the only one of its block."""
    root, nodes = make_trie([receipt.receipt])
    path = look_up(root, index_key(0), nodes.values())[1]
    proven = replace(receipt, nodes=tuple(path))
    receipts = tuple(proven if r.tx == receipt.tx else r for r in bundle.receipts)
    return headed(replace(bundle, receipts=receipts), receipt.block, RECEIPTS_ROOT, root)


def headed(
    bundle: Bundle, number: int, field: int, content: bytes, *, rehash: bool = True
) -> Bundle:
    """The bundle with one field of a block's header altered."""
    block = bundle.blocks[number]
    fields = unrlp(block.header)
    assert isinstance(fields, list)
    fields[field] = content
    header = rlp(fields)
    hash_ = keccak(header) if rehash else block.hash
    return replace(
        bundle, blocks={**bundle.blocks, number: replace(block, header=header, hash=hash_)}
    )


def later(bundle: Bundle, number: int, seconds: int, *, rehash: bool) -> Bundle:
    """The bundle with another time of a block."""
    time = read_header(bundle.blocks[number].header).timestamp + seconds
    return headed(bundle, number, TIMESTAMP, rlp_number(time), rehash=rehash)


def flipped(text: str, place: int = 17) -> str:
    """0x hex with the lowest bit of one byte changed."""
    raw = bytearray.fromhex(text[2:])
    raw[place] ^= 1
    return "0x" + raw.hex()


def kind(parameter: dict[str, Any]) -> str:
    name: str = parameter["type"]
    return f"({','.join(map(kind, parameter['components']))})" if name == "tuple" else name


def value(plain: Any, parameter: dict[str, Any]) -> Any:
    """A plain value (proofs/abi.py) as eth_abi takes it."""
    name: str = parameter["type"]
    if name == "tuple":
        return tuple(value(plain[c["name"]], c) for c in parameter["components"])
    if name.startswith("bytes"):
        return bytes.fromhex(plain[2:])
    return plain
