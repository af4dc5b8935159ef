"""The contracts' rules of chess on a fresh local chain, asked about many positions at once.

No call gets more gas than a transaction may have; a batch that needs more is cut in two.
"""

import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from eth_utils.crypto import keccak

from engine.encoding import Position
from proofs.abi import load_artifact
from proofs.errors import ChainDown
from proofs.node import Anvil
from proofs.rpc import Rpc, RpcFault

CALL_GAS: Final = 1 << 24
"""EIP-7825's limit of a transaction."""

POSITION_BYTES: Final = 64
"""Of a packed position."""

BATCH: Final = 256
"""Positions of one call; their masks need about a third of its gas."""

_PLAYED_BATCH: Final = 64  # every legal move is played, too
_WORD: Final = 32


@dataclass(frozen=True)
class Report:
    """What the contract says about one position; `gas` is what the mask cost."""

    mask: int
    has_legal_move: bool
    can_move: bool
    """The same, found without the mask."""
    in_check: bool
    insufficient_material: bool
    cannot_mate: bool
    """Of the side that is not to move."""
    gas: int


@dataclass(frozen=True)
class Drawn:
    """What the contract reads out of the two words of one position."""

    codes: bytes
    """The piece codes, 0..12, of a1, b1, .. h8."""
    rights: int
    en_passant: int
    """File + 1, or 0."""
    repetitions: int
    halfmoves: int


class RulesChain:
    """A deployed ChessRulesHarness.  All methods raise ChainDown."""

    def __init__(self, rpc: Rpc, address: str) -> None:
        self._rpc = rpc
        self._address = address

    @classmethod
    async def deploy(cls, rpc: Rpc) -> Self:
        accounts = await rpc.sure("eth_accounts")
        sent = {
            "from": accounts[0],
            "data": "0x" + load_artifact("ChessRulesHarness").bytecode.hex(),
            "gas": hex(CALL_GAS),
        }
        receipt = await rpc.sure("eth_sendTransactionSync", sent)
        if receipt["status"] != "0x1":
            raise ChainDown(rpc.url, "the rules could not be deployed")
        return cls(rpc, receipt["contractAddress"])

    async def leaves(self, packed: bytes) -> int:
        """How many legal moves there are in all of these positions, by the bits of their masks."""
        counts = await self._batches("counts", packed, BATCH)
        return sum(counts[_WORD - 1 :: _WORD])  # none has more than 218

    async def successors(self, packed: bytes) -> bytes:
        """The positions after every legal move of each, in the order of positions and indices.

        Their repetition bits are zero.
        """
        return await self._batches("successors", packed, _PLAYED_BATCH)

    async def reports(self, positions: Sequence[Position]) -> list[Report]:
        """Mask, check and what else there is to say about each position."""
        words = _words(await self._batches("reports", pack(positions), BATCH))
        rows = [words[i : i + 14] for i in range(0, len(words), 14)]
        return [report_of(row) for row in rows]

    async def are_legal(self, questions: Sequence[tuple[Position, int]]) -> list[bool]:
        """Whether each index is a legal move in its position, each found without the mask."""
        packed = b"".join(pack([p]) + index.to_bytes(_WORD, "big") for p, index in questions)
        return [word == 1 for word in _words(await self._batches("areLegal", packed, BATCH, 3))]

    async def are_playable(self, positions: Sequence[Position]) -> list[bool]:
        """Whether a game may begin at each position."""
        words = _words(await self._batches("arePlayable", pack(positions), BATCH))
        return [word == 1 for word in words]

    async def read(self, positions: Sequence[Position]) -> list[Drawn]:
        """Each position as the contracts' own readers see it."""
        words = _words(await self._batches("read", pack(positions), BATCH))
        rows = [words[i : i + 6] for i in range(0, len(words), 6)]
        codes = [row[0] | row[1] << 256 for row in rows]
        return [
            Drawn(word.to_bytes(64, "little"), *row[2:])
            for word, row in zip(codes, rows, strict=True)
        ]

    async def _batches(self, name: str, packed: bytes, size: int, words: int = 2) -> bytes:
        """The elements of the list that `name(uint256[words][])` returns for all positions."""
        step = size * words * _WORD
        parts = [packed[i : i + step] for i in range(0, len(packed), step)]
        return b"".join([await self._call(name, part, words) for part in parts])

    async def _call(self, name: str, packed: bytes, words: int) -> bytes:
        count = len(packed) // (words * _WORD)
        head = 0x20.to_bytes(_WORD, "big") + count.to_bytes(_WORD, "big")
        data = keccak(text=f"{name}(uint256[{words}][])")[:4] + head + packed
        call = {"to": self._address, "data": "0x" + data.hex(), "gas": hex(CALL_GAS)}
        try:
            answer: str = await self._rpc.ask("eth_call", call, "latest")
        except RpcFault as fault:
            middle = count // 2 * words * _WORD
            if not middle or not _out_of_gas(fault):
                raise ChainDown(self._rpc.url, fault.message) from fault
            halves = packed[:middle], packed[middle:]
            return b"".join([await self._call(name, half, words) for half in halves])
        return bytes.fromhex(answer[2:])[len(head) :]


def pack(positions: Iterable[Position]) -> bytes:
    """Positions as the contract takes them: board and context, 32 bytes each."""
    words = (word for position in positions for word in (position.board, position.context))
    return b"".join(word.to_bytes(_WORD, "big") for word in words)


def unpack(packed: bytes) -> list[Position]:
    """The positions again."""
    words = _words(packed)
    return [Position(*pair) for pair in zip(words[::2], words[1::2], strict=True)]


@asynccontextmanager
async def rules_chain() -> AsyncIterator[RulesChain]:
    """The rules on a chain of their own, which is gone afterwards.

    Raises NodeMissing, NodeFailed, ChainDown.
    """
    with tempfile.TemporaryDirectory(prefix="checkproof-") as name:
        async with Anvil(Path(name) / "chain") as node:
            rpc = Rpc(node.url)
            try:
                yield await RulesChain.deploy(rpc)
            finally:
                await rpc.close()


def _out_of_gas(fault: RpcFault) -> bool:
    message = fault.message.lower().replace(" ", "")
    return "outofgas" in message or "oog" in message


def _words(data: bytes) -> list[int]:
    return [int.from_bytes(data[i : i + _WORD], "big") for i in range(0, len(data), _WORD)]


def report_of(row: Sequence[int]) -> Report:
    """What the fourteen words of one report say."""
    mask = sum(word << 256 * i for i, word in enumerate(row[:8]))
    has_legal_move, can_move, in_check, insufficient, cannot_mate = (w == 1 for w in row[8:13])
    return Report(mask, has_legal_move, can_move, in_check, insufficient, cannot_mate, row[13])
