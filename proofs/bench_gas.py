"""What a game costs in gas: one fixed game with real proofs on a fresh local chain.

`bot_move_gas`, `player_move_gas` and `open_gas` are what the transactions used, all of it.
`legal_mask_gas` (Arena.legalMask) and `verify_gas` (the verifier's verifyMove) are what a call of
that function alone uses, as the node traces it, less the 21,000 and the call data that every
transaction pays for; each is measured at the positions of the game.
"""

import asyncio
import os
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

from coincurve import PrivateKey

from engine.game import ONGOING, Game
from engine.net import house_net
from engine.player import choose, legal_indices
from proofs.abi import load_artifact
from proofs.chain import Chain
from proofs.deploy import ensure_bot, ensure_contracts
from proofs.keys import KeyStore
from proofs.node import Anvil
from proofs.prove import Prover
from proofs.records import BotVersion
from proofs.sender import LOCAL_KEY
from proofs.signing import Move, Open, address_of, player_side
from proofs.statement import Statement, commitment, dice, game_seed, next_history

PLIES: Final = 16

_PLAYER: Final = PrivateKey(b"\x01" * 32)
_SECRET: Final = b"\x02" * 32
_SEED: Final = b"\x03" * 32
_BASE_GAS: Final = 21_000
_ZERO_BYTE_GAS: Final = 4
_BYTE_GAS: Final = 16


@dataclass
class _Bill:
    bot_move: list[int] = field(default_factory=list)
    player_move: list[int] = field(default_factory=list)
    legal_mask: list[int] = field(default_factory=list)
    verify: list[int] = field(default_factory=list)
    open: int = 0


def bench_gas(
    bot: str = "pawn",
    *,
    plies: int = PLIES,
    data_dir: Path | str | None = None,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Play a game against `bot` by chance from a fixed seed, and add up.

    The proving key is made once and kept in the data folder (default: $CHECKPROOF_DATA or ./data);
    the chain is a new one, gone afterwards.
    """
    tell = progress or (lambda _line: None)
    net = house_net(bot)
    folder = Path(data_dir or os.environ.get("CHECKPROOF_DATA") or "data")
    record = KeyStore(folder / "keys").ensure_dev_key(net, tell)
    tell("loading the key")
    return measure(Prover(net, record), plies=plies, progress=tell)


def measure(
    prover: Prover, *, plies: int = PLIES, progress: Callable[[str], None] | None = None
) -> dict[str, Any]:
    """The same with a prover that is ready."""
    bill, played = asyncio.run(_play(prover, plies, progress or (lambda _line: None)))
    return {
        "bot": prover.circuit.net.name,
        "plies": played,
        "bot_move_gas": _spread(bill.bot_move),
        "player_move_gas": _spread(bill.player_move),
        "legal_mask_gas": _spread(bill.legal_mask),
        "verify_gas": _spread(bill.verify),
        "open_gas": bill.open,
    }


async def _play(prover: Prover, plies: int, tell: Callable[[str], None]) -> tuple[_Bill, int]:
    with tempfile.TemporaryDirectory(prefix="checkproof-") as name:
        async with Anvil(Path(name) / "chain") as node:
            bare = await Chain.connect(node.url, LOCAL_KEY)
            try:
                chain = bare.at(await ensure_contracts(bare, Path(name), progress=tell))
                bot = await ensure_bot(chain, prover.circuit.net, prover.record, "{}")
                match = _Match(chain, prover, bot)
                await match.open()
                while match.game.ply < plies and match.game.outcome() == ONGOING:
                    tell(f"ply {match.game.ply + 1} of {plies}")
                    await match.move()
                return match.bill, match.game.ply
            finally:
                await bare.close()


class _Match:
    """Chance with White against a bot, with a bill."""

    def __init__(self, chain: Chain, prover: Prover, bot: BotVersion) -> None:
        self.bill = _Bill()
        self.game = Game()
        self._chain = chain
        self._prover = prover
        self._verifier = bot.verifier
        self._chance = random.Random(1)
        self._open = Open(
            opener=address_of(_PLAYER),
            white=player_side(address_of(_PLAYER)),
            black=bot.id,
            start=bytes(32),
            base_seconds=3600,
            increment_seconds=5,
            delay_seconds=0,
            commitment=commitment(_SECRET),
            seed=_SEED,
            expires=(1 << 64) - 1,
            nonce=0,
        )
        self._id = self._history = self._open.game_id(chain.domain)

    async def open(self) -> None:
        signature = self._open.sign(self._chain.domain, _PLAYER)
        self.bill.open = (await self._chain.open_game(self._open, signature, _SECRET)).gas

    async def move(self) -> None:
        """Play and measure one ply."""
        mask = load_artifact("Arena").call("legalMask", self._id)
        self.bill.legal_mask.append(await self._traced(self._chain.addresses.arena, mask))
        index = await (self._player() if self.game.ply % 2 == 0 else self._bot())
        self.game.play(index)
        self._history = next_history(self._history, index)

    async def _player(self) -> int:
        index = int(self._chance.choice(legal_indices(self.game.mask)))
        message = Move(self._id, self.game.ply, self._history, index)
        signature = message.sign(self._chain.domain, _PLAYER)
        receipt = await self._chain.move(self._id, self.game.ply, index, signature)
        self.bill.player_move.append(receipt.gas)
        return index

    async def _bot(self) -> int:
        position, mask, ply = self.game.position, self.game.mask, self.game.ply
        index = choose(self._prover.circuit.net, position, mask)
        roll = dice(game_seed(_SECRET, _SEED), ply, self._history)
        statement = Statement.of(position, mask, index, payee=self._chain.payee, dice=roll)
        proof = self._prover.prove(statement).proof
        check = load_artifact("Groth16MoveVerifier").call("verifyMove", _words(statement), proof)
        self.bill.verify.append(await self._traced(self._verifier, check))
        payee = self._chain.payee
        receipt = await self._chain.submit_bot_move(self._id, ply, index, payee, proof)
        self.bill.bot_move.append(receipt.gas)
        return index

    async def _traced(self, to: str, data: bytes) -> int:
        """The gas that a call uses by itself."""
        call = {"from": self._chain.address, "to": to, "data": "0x" + data.hex()}
        trace = await self._chain.rpc.sure(
            "debug_traceCall", call, "latest", {"tracer": "callTracer"}
        )
        zeros = data.count(0)
        paid = _BASE_GAS + _ZERO_BYTE_GAS * zeros + _BYTE_GAS * (len(data) - zeros)
        return int(trace["gasUsed"], 16) - paid


def _words(statement: Statement) -> tuple[Any, ...]:
    """A statement as the contracts' struct."""
    mask = [statement.mask >> 256 * k & (1 << 256) - 1 for k in range(8)]
    payee = f"0x{statement.payee:040x}"
    return (
        statement.board,
        statement.context,
        payee,
        statement.dice,
        statement.index,
        mask,
    )


def _spread(values: list[int]) -> dict[str, int]:
    return {"min": min(values), "median": int(median(values)), "max": max(values)}
