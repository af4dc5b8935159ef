"""What a proof says: "in this position, with these dice, this net plays this move".

The public bits, lowest first, make one string of 2433 bits:

    bits         what
    0..255       board word, turned to the mover          (engine/encoding.py)
    256..275     context word
    276..435     payee, an address
    436..563     dice
    564..574     index of the chosen move                 (engine/policy_map.py)
    575..2432    legal-move mask, bit 575 + i for index i

cut into ten limbs of 253 bits, lowest first, which are the circuit's public inputs.  The contract
builds all but the index from its own storage.

Hashes that bind a move to its game, all keccak-256 over ABI words:

    game id      the EIP-712 digest of the opening        (proofs/signing.py)
    history 0    game id
    history n+1  H(history n, index of ply n)
    commitment   H(secret)
    seed         H(secret, player's seed)
    dice         low 128 bits of H(seed, ply, history)
"""

from dataclasses import dataclass
from typing import Final

from eth_utils.crypto import keccak

from engine.encoding import CONTEXT_BITS, Position
from engine.policy_map import POLICY_SIZE
from proofs.errors import InvalidStatement

STATEMENT_ID: Final = keccak(b"checkproof/move/1")
LIMB_BITS: Final = 253
LIMBS: Final = 10

FIELDS: Final = (
    ("board", 256),
    ("context", CONTEXT_BITS),
    ("payee", 160),
    ("dice", 128),
    ("index", 11),
    ("mask", POLICY_SIZE),
)
"""The fields of the public bit string, lowest first, with their widths in bits."""

PUBLIC_BITS: Final = sum(width for _, width in FIELDS)


@dataclass(frozen=True)
class Statement:
    """The public side of one proven move; all fields are unsigned integers."""

    board: int
    context: int
    payee: int
    dice: int
    index: int
    mask: int

    def __post_init__(self) -> None:
        for name, width in FIELDS:
            value = getattr(self, name)
            if not 0 <= value < 1 << width:
                raise InvalidStatement(name, value, width)

    @classmethod
    def of(cls, position: Position, mask: int, index: int, *, payee: int, dice: int) -> "Statement":
        return cls(position.board, position.context, payee, dice, index, mask)

    @property
    def earlier(self) -> int:
        """How often the position was there before, as the context word has it."""
        return Position(self.board, self.context).earlier

    @property
    def bits(self) -> int:
        """The public bit string as one integer."""
        string, offset = 0, 0
        for name, width in FIELDS:
            string |= getattr(self, name) << offset
            offset += width
        return string

    @property
    def limbs(self) -> tuple[int, ...]:
        """The ten public inputs."""
        string, low = self.bits, (1 << LIMB_BITS) - 1
        return tuple(string >> LIMB_BITS * k & low for k in range(LIMBS))


def _hash(*words: bytes) -> bytes:
    return keccak(b"".join(words))


def _word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def next_history(history: bytes, index: int) -> bytes:
    """The history hash after the move `index` was played at `history` (32 bytes each)."""
    return _hash(history, _word(index))


def commitment(secret: bytes) -> bytes:
    """The operator's commitment to its 32-byte secret."""
    return _hash(secret)


def game_seed(secret: bytes, player_seed: bytes) -> bytes:
    """The seed of a game's dice; neither side alone can choose it."""
    return _hash(secret, player_seed)


def dice(seed: bytes, ply: int, history: bytes) -> int:
    """The 128-bit dice of one ply."""
    return int.from_bytes(_hash(seed, _word(ply), history)[16:], "big")
