"""What the chain tells, as typed values.

Integers are integers, ids and hashes are 32 bytes, addresses are lower-case 0x hex.  Log arguments
are the plain values of proofs/abi.py.
"""

from dataclasses import dataclass, fields
from typing import Any

from proofs.signing import Open


@dataclass(frozen=True)
class Addresses:
    """Where the contracts are, and in which block the first of them was deployed."""

    chain_id: int
    arena: str
    registry: str
    block: int = 0


@dataclass(frozen=True)
class LogEvent:
    """One log of ours; `time` is its block's, in unix seconds."""

    name: str
    args: dict[str, Any]
    block: int
    tx: str
    log_index: int
    time: int


@dataclass(frozen=True)
class Block:
    """A block's place and name; another block may take the place."""

    number: int
    hash: str


@dataclass(frozen=True)
class Receipt:
    """A transaction that landed and did what it should; `gas` is what it used."""

    tx: str
    gas: int
    block: int
    timestamp: int
    logs: tuple[LogEvent, ...]
    contract: str | None = None
    block_hash: str = ""


@dataclass(frozen=True)
class OnChainGame:
    """What the Arena stores of a game; words are turned to the side to move.

    `first_ply` is where its plies begin: 1 if Black moved first.
    """

    board: int
    context: int
    first_ply: int
    ply: int
    result: int
    reason: int
    last_move_at: int
    white_clock: int
    black_clock: int
    grace_until: int
    increment_seconds: int
    delay_seconds: int
    history: bytes
    seed: bytes
    white: bytes
    black: bytes


@dataclass(frozen=True)
class Opening:
    """A game as its GameOpened log tells it."""

    game: bytes
    open: Open
    signature: bytes
    secret: bytes
    tx: str
    block: int
    time: int


@dataclass(frozen=True)
class BotVersion:
    """A registered bot.  Hashes are SHA-256; `verifying_key` is empty for a custom verifier."""

    id: bytes
    owner: str
    net_hash: bytes
    circuit_hash: bytes
    key_hash: bytes
    statement: bytes
    verifier: str
    custom: bool
    metadata: str
    verifying_key: bytes
    block: int


def opening_of(log: LogEvent) -> Opening:
    """The opening that a GameOpened log tells of."""
    return Opening(
        _bytes(log.args["game"]),
        open_message(log.args["open"]),
        _bytes(log.args["signature"]),
        _bytes(log.args["secret"]),
        log.tx,
        log.block,
        log.time,
    )


def open_message(struct: dict[str, Any]) -> Open:
    """The Open message of a decoded `open` struct."""
    named = _snake(struct)
    values = {f.name: _value(named[f.name]) for f in fields(Open) if f.name != "opener"}
    return Open(opener=named["opener"], **values)


def bot_of(log: LogEvent) -> BotVersion:
    named = _snake(log.args)
    hashes = ("net_hash", "circuit_hash", "key_hash", "statement", "verifying_key")
    return BotVersion(
        id=_bytes(named["id"]),
        owner=named["owner"],
        verifier=named["verifier"],
        custom=named["custom"],
        metadata=named["metadata"],
        block=log.block,
        **{name: _bytes(named[name]) for name in hashes},
    )


def game_of(struct: dict[str, Any]) -> OnChainGame:
    """The game of a decoded `game` struct."""
    named = _snake(struct)
    return OnChainGame(*(_value(named[field.name]) for field in fields(OnChainGame)))


def _snake(named: dict[str, Any]) -> dict[str, Any]:
    """The contract's camelCase names as ours."""
    return {"".join("_" + c.lower() if c.isupper() else c for c in k): v for k, v in named.items()}


def _value(plain: Any) -> Any:
    return _bytes(plain) if isinstance(plain, str) else plain


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
