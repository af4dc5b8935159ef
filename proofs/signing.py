"""What players sign: EIP-712 messages that bind chain, contract, game, ply and history.

    Open    opens a game; its digest is the game's id
    Move    plays an index at a ply of a history
    Resign  gives a game up
    Draw    claims a draw at a ply of a history
    Abort   takes a game back that has hardly begun

Signatures are 65 bytes, r | s | v with v 27 or 28, and s in the lower half of the group order
(EIP-2), so that no one can make a second signature out of a first.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from coincurve import PrivateKey, PublicKey
from eth_utils.crypto import keccak

from engine.start import Start
from proofs.errors import BadSignature

_HALF_ORDER: Final = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
_DOMAIN_TYPE: Final = keccak(
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)


def _word(value: int | bytes) -> bytes:
    raw = value.to_bytes(32, "big") if isinstance(value, int) else value
    assert len(raw) == 32
    return raw


def _address(value: str) -> int:
    return int(value, 16)


def player_side(address: str) -> bytes:
    """The 32-byte side of a player's key: its address, left-padded with zeros."""
    return _word(_address(address))


def side_player(side: bytes) -> str | None:
    """The player's address (lower-case hex) of a side, or None for a bot's version id."""
    if any(side[:12]) or not any(side):
        return None
    return "0x" + side[12:].hex()


@dataclass(frozen=True)
class Domain:
    """Where a signature counts: one Arena on one chain."""

    chain_id: int
    arena: str

    @property
    def separator(self) -> bytes:
        return keccak(
            _DOMAIN_TYPE
            + keccak(b"checkproof")
            + keccak(b"1")
            + _word(self.chain_id)
            + _word(_address(self.arena))
        )


@dataclass(frozen=True)
class Message(ABC):
    """Base of the signed messages: static fields only, each one ABI word."""

    TYPE: ClassVar[str]

    @abstractmethod
    def words(self) -> tuple[int | bytes, ...]:
        """The fields as ABI words, in the order of TYPE."""

    def digest(self, domain: Domain) -> bytes:
        """The 32 bytes that are signed."""
        struct = keccak(keccak(self.TYPE.encode()) + b"".join(map(_word, self.words())))
        return keccak(b"\x19\x01" + domain.separator + struct)

    def sign(self, domain: Domain, key: PrivateKey) -> bytes:
        """A 65-byte signature of this message by `key`."""
        raw = key.sign_recoverable(self.digest(domain), hasher=None)
        return raw[:64] + bytes([27 + raw[64]])

    def signer(self, domain: Domain, signature: bytes) -> str:
        """The lower-case address that signed.  Raises BadSignature for what no key signed."""
        return recover(self.digest(domain), signature)


@dataclass(frozen=True)
class Open(Message):
    TYPE: ClassVar[str] = (
        "Open(address opener,bytes32 white,bytes32 black,bytes32 start,uint24 startContext,"
        "uint32 baseSeconds,uint16 incrementSeconds,uint16 delaySeconds,bytes32 commitment,"
        "bytes32 seed,uint64 expires,uint256 nonce)"
    )

    opener: str
    white: bytes
    black: bytes
    start: bytes
    start_context: int = field(default=0, kw_only=True)
    base_seconds: int
    increment_seconds: int
    delay_seconds: int
    commitment: bytes
    seed: bytes
    expires: int
    nonce: int

    def words(self) -> tuple[int | bytes, ...]:
        return (
            _address(self.opener),
            self.white,
            self.black,
            self.start,
            self.start_context,
            self.base_seconds,
            self.increment_seconds,
            self.delay_seconds,
            self.commitment,
            self.seed,
            self.expires,
            self.nonce,
        )

    def game_id(self, domain: Domain) -> bytes:
        """The id of the game that this message opens: its own digest."""
        return self.digest(domain)

    @property
    def begins(self) -> Start:
        """Where the game begins; not every pair of words is a position."""
        return Start(int.from_bytes(self.start, "big"), self.start_context)


@dataclass(frozen=True)
class Move(Message):
    TYPE: ClassVar[str] = "Move(bytes32 game,uint16 ply,bytes32 history,uint16 index)"

    game: bytes
    ply: int
    history: bytes
    index: int

    def words(self) -> tuple[int | bytes, ...]:
        return self.game, self.ply, self.history, self.index


@dataclass(frozen=True)
class Resign(Message):
    TYPE: ClassVar[str] = "Resign(bytes32 game)"

    game: bytes

    def words(self) -> tuple[int | bytes, ...]:
        return (self.game,)


@dataclass(frozen=True)
class Draw(Message):
    TYPE: ClassVar[str] = "Draw(bytes32 game,uint16 ply,bytes32 history)"

    game: bytes
    ply: int
    history: bytes

    def words(self) -> tuple[int | bytes, ...]:
        return self.game, self.ply, self.history


@dataclass(frozen=True)
class Abort(Message):
    TYPE: ClassVar[str] = "Abort(bytes32 game)"

    game: bytes

    def words(self) -> tuple[int | bytes, ...]:
        return (self.game,)


def start_words(start: Start) -> dict[str, Any]:
    """The fields of an Open that say where its game begins, by name."""
    return {"start": _word(start.board), "start_context": start.context}


def address_of(key: PrivateKey) -> str:
    """The lower-case address of a key."""
    return _public_address(key.public_key)


def recover(digest: bytes, signature: bytes) -> str:
    """The lower-case address whose key signed `digest`, under the contract's rules."""
    if len(signature) != 65:
        raise BadSignature(f"{len(signature)} bytes, not 65")
    if signature[64] not in (27, 28):
        raise BadSignature(f"v is {signature[64]}, not 27 or 28")
    if int.from_bytes(signature[32:64], "big") > _HALF_ORDER:
        raise BadSignature("s is in the upper half of the group order")
    raw = signature[:64] + bytes([signature[64] - 27])
    try:
        return _public_address(PublicKey.from_signature_and_message(raw, digest, hasher=None))
    except ValueError as error:  # coincurve's only word for a bad r, s or point
        raise BadSignature("no key made it") from error


def _public_address(key: PublicKey) -> str:
    return "0x" + keccak(key.format(compressed=False)[1:])[12:].hex()
