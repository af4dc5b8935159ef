"""What a chain shows for its word: headers, receipts with their paths, codes with theirs.

    header   RLP of a block's header; its keccak-256 is the block's hash      (EIP-1559 .. EIP-7685)
    receipt  RLP of [status, gas up to here, bloom, [[address, topics, data], ..]], after a byte of
             type unless that is 0 (EIP-2718); the header's receiptsRoot commits to all of a block
    code     an account's code; its hash is in the account, under the header's stateRoot (EIP-1186)

So one block hash vouches for all logs of its block, and the last one for the contracts' code.  What
a game stores in the Arena, a receipt's transaction hash and the gas used are the node's word only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from eth_utils.crypto import keccak

from proofs.trie import BadProof, BadRlp, Item, index_key, look_up, rlp, rlp_number, unrlp

_HASHES: Final = (
    *("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot"),
    *("receiptsRoot", "logsBloom"),
)
_NUMBERS: Final = ("difficulty", "number", "gasLimit", "gasUsed", "timestamp")
_FIELDS: Final = (*_HASHES, *_NUMBERS, "extraData", "mixHash", "nonce")
_LATER: Final = (
    *("baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "excessBlobGas"),
    *("parentBeaconBlockRoot", "requestsHash"),
)
"""Fields that came one after another; a header has a first few of them."""
_INTEGERS: Final = {*_NUMBERS, "baseFeePerGas", "blobGasUsed", "excessBlobGas"}
_BESIDE: Final = {"hash", "size", "totalDifficulty", "uncles", "transactions", "withdrawals"}
_LAST_TYPE: Final = 4
"""Of transactions whose receipts are drawn as above (EIP-7702's)."""


@dataclass(frozen=True)
class BlockEvidence:
    """A block; `header` is its RLP, empty where the chain has fields that are not known here."""

    number: int
    hash: bytes
    header: bytes


@dataclass(frozen=True)
class ReceiptEvidence:
    """A receipt of a block; `nodes` lead to it, none where the node could not show them.

    `place` is that of the transaction in the block, `first_log` that of its first log.
    """

    block: int
    place: int
    tx: str
    gas: int
    first_log: int
    receipt: bytes
    nodes: tuple[bytes, ...]


@dataclass(frozen=True)
class CodeEvidence:
    """A contract's code; `nodes` lead to its account, none where the node could not show them."""

    code: bytes
    nodes: tuple[bytes, ...]


@dataclass(frozen=True)
class Header:
    """What an audit reads of a header."""

    state_root: bytes
    receipts_root: bytes
    number: int
    timestamp: int


@dataclass(frozen=True)
class RawLog:
    """A log as a receipt has it."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes


def header_of(raw: Mapping[str, Any]) -> bytes:
    """The RLP of a header in a node's JSON, empty if it has fields that are not known here."""
    if set(raw) - _BESIDE - set(_FIELDS) - set(_LATER):
        return b""
    names = [*_FIELDS, *(name for name in _LATER if raw.get(name) is not None)]
    return rlp([_field(raw[name], name in _INTEGERS) for name in names])


def receipt_of(raw: Mapping[str, Any]) -> bytes | None:
    """A receipt in a node's JSON as the block commits to it, None for a type not known here."""
    kind = int(raw.get("type", "0x0"), 16)
    if kind > _LAST_TYPE:
        return None
    logs: list[Item] = [
        [_bytes(log["address"]), [_bytes(topic) for topic in log["topics"]], _bytes(log["data"])]
        for log in raw["logs"]
    ]
    head: list[Item] = [_field(raw[name], True) for name in ("status", "cumulativeGasUsed")]
    body = rlp([*head, _bytes(raw["logsBloom"]), logs])
    return (bytes([kind]) if kind else b"") + body


def read_header(header: bytes) -> Header:
    """What a header says.  Raises BadRlp for bytes that are none."""
    fields = unrlp(header)
    if not isinstance(fields, list) or len(fields) < len(_FIELDS):
        raise BadRlp("no header")
    named = dict(zip(_FIELDS, fields, strict=False))
    if not all(isinstance(field, bytes) for field in named.values()):
        raise BadRlp("no header")
    value: dict[str, bytes] = named  # type: ignore[assignment]
    if max(len(value["number"]), len(value["timestamp"])) > 8:
        raise BadRlp("a block's number or time has more than 64 bits")
    return Header(
        value["stateRoot"],
        value["receiptsRoot"],
        int.from_bytes(value["number"], "big"),
        int.from_bytes(value["timestamp"], "big"),
    )


def read_receipt(receipt: bytes) -> list[RawLog]:
    """The logs of a receipt.  Raises BadRlp for bytes that are none."""
    body = unrlp(receipt[1:] if receipt[:1] and receipt[0] <= _LAST_TYPE else receipt)
    if not isinstance(body, list) or len(body) != 4 or not isinstance(body[3], list):
        raise BadRlp("no receipt")
    return [_log(log) for log in body[3]]


def receipt_problem(evidence: ReceiptEvidence, receipts_root: bytes) -> str | None:
    """Why a header's root does not commit to this receipt, None if it does."""
    try:
        found, _ = look_up(receipts_root, index_key(evidence.place), evidence.nodes)
    except BadProof as error:
        return str(error)
    return None if found == evidence.receipt else "the block holds another receipt at its place"


def code_problem(address: str, evidence: CodeEvidence, state_root: bytes) -> str | None:
    """Why a header's state does not hold this code at this address, None if it does."""
    try:
        account, _ = look_up(state_root, keccak(_bytes(address)), evidence.nodes)
        fields = unrlp(account) if account is not None else []
    except (BadProof, BadRlp) as error:
        return str(error)
    if not isinstance(fields, list) or len(fields) != 4:
        return "there is no account"
    return None if fields[3] == keccak(evidence.code) else "the account's code has another hash"


def _log(raw: Item) -> RawLog:
    if isinstance(raw, list) and len(raw) == 3:
        address, topics, data = raw
        if isinstance(address, bytes) and isinstance(topics, list) and isinstance(data, bytes):
            plain = tuple(topic for topic in topics if isinstance(topic, bytes))
            if len(plain) == len(topics) and all(len(topic) == 32 for topic in plain):
                return RawLog("0x" + address.hex(), plain, data)
    raise BadRlp("no log")


def _field(value: str, integer: bool) -> bytes:
    return rlp_number(int(value, 16)) if integer else _bytes(value)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
