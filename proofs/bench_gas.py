"""What games cost in gas: whole games on a fresh local chain, every ply of them a transaction.

The corpus are the games of `proofs/corpus.py`, from the usual position to their end.  One side is
a signed player, the other a house bot, turn about, so that openings, middlegames and endgames cost
both.  No net would play these games' moves: the corpus' bot has a key whose secrets were kept, and
its proofs are forged.  The verifier is the registry's own and cannot tell; what it does, and what
that costs, is the same for every proof it accepts, whatever the numbers in it.  A short game
against a real bot, each move really proven, is played as well and counted with the rest.

`bot_move_gas`, `player_move_gas` and `open_gas` are what the transactions used, all of it.
`legal_mask_gas` (Arena.legalMask) and `verify_gas` (the verifier's verifyMove) are what a call of
that function alone uses, as the node traces it, less the 21,000 and the call data that every
transaction pays for: with its reads of storage, before every ply, and before every bot's move.

`python -m proofs.bench_gas` tells the corpus' figures alone, without real proofs: these come out
the same every time, and `tests/golden/gas.json` keeps them (`make gas`).
"""

import asyncio
import json
import os
import random
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

import chess
from coincurve import PrivateKey

from engine.game import ONGOING, Game
from engine.net import house_net
from engine.player import choose, legal_indices
from proofs.abi import Artifact, load_artifact
from proofs.chain import Chain
from proofs.corpus import games
from proofs.deploy import ensure_bot, ensure_contracts
from proofs.errors import ChainRejected
from proofs.keys import KeyStore
from proofs.node import Anvil
from proofs.prove import Prover
from proofs.sender import LOCAL_KEY
from proofs.signing import Move, Open, address_of, player_side
from proofs.statement import Statement, commitment, dice, game_seed, next_history
from proofs.trapdoor import TrapdoorKey

PLIES: Final = 16
"""The length of the game that is really proven."""

_PLAYER: Final = PrivateKey(b"\x01" * 32)
_SECRET: Final = b"\x02" * 32
_SEED: Final = b"\x03" * 32
_FORGED_A: Final = 0x0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF
_FORGED_B: Final = 0x02468ACE13579BDF02468ACE13579BDF02468ACE13579BDF02468ACE13579BDF
_BASE_GAS: Final = 21_000
_ZERO_BYTE_GAS: Final = 4
_BYTE_GAS: Final = 16
_LIMIT: Final = 10_000_000

Tell = Callable[[str], None]
Prove = Callable[[Statement], bytes]


@dataclass
class Bill:
    """What was used, one number a transaction or call."""

    bot_move: list[int] = field(default_factory=list)
    player_move: list[int] = field(default_factory=list)
    legal_mask: list[int] = field(default_factory=list)
    verify: list[int] = field(default_factory=list)
    open: list[int] = field(default_factory=list)

    def report(self) -> dict[str, Any]:
        """Minimum, median and maximum of each, and how many positions were met."""
        return {
            "bot_move_gas": _spread(self.bot_move),
            "player_move_gas": _spread(self.player_move),
            "legal_mask_gas": _spread(self.legal_mask),
            "verify_gas": _spread(self.verify),
            "open_gas": _spread(self.open),
            "positions": len(self.legal_mask),
        }


def bench_gas(
    bot: str = "pawn", *, data_dir: Path | str | None = None, progress: Tell | None = None
) -> dict[str, Any]:
    """Play the corpus, and PLIES plies against `bot`, and add up.

    The proving key is made once and kept in the data folder (default: $CHECKPROOF_DATA or ./data);
    the chain is a new one, gone afterwards.
    """
    tell = progress or _silent
    net = house_net(bot)
    folder = Path(data_dir or os.environ.get("CHECKPROOF_DATA") or "data")
    record = KeyStore(folder / "keys").ensure_dev_key(net, tell)
    tell("loading the key")
    return measure(Prover(net, record), progress=tell)


def measure(
    prover: Prover | None,
    *,
    corpus: Sequence[Sequence[int]] | None = None,
    plies: int = PLIES,
    progress: Tell | None = None,
) -> dict[str, Any]:
    """Play these games (default: the whole corpus), and one that `prover`, if any, proves."""
    tell = progress or _silent
    chosen = games() if corpus is None else corpus

    async def play(chain: Chain) -> dict[str, Any]:
        bill = Bill()
        if prover is not None:
            await _proven_game(chain, bill, prover, plies, tell)
        await _corpus_games(chain, bill, chosen, tell)
        return bill.report()

    return asyncio.run(_on_fresh_chain(play, tell))


async def _on_fresh_chain(
    play: Callable[[Chain], Awaitable[dict[str, Any]]], tell: Tell
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="checkproof-") as name:
        async with Anvil(Path(name) / "chain") as node:
            bare = await Chain.connect(node.url, LOCAL_KEY)
            try:
                return await play(bare.at(await ensure_contracts(bare, Path(name), progress=tell)))
            finally:
                await bare.close()


async def _proven_game(chain: Chain, bill: Bill, prover: Prover, plies: int, tell: Tell) -> None:
    """Chance with White against a bot."""
    net = prover.circuit.net
    bot = await ensure_bot(chain, net, prover.record, "{}")
    table = _Table(chain, bill, bot.verifier, lambda statement: prover.prove(statement).proof)
    match = await _Match.open(table, bot.id, chess.WHITE, nonce=0)
    chance = random.Random(1)
    while match.game.ply < plies and match.game.outcome() == ONGOING:
        tell(f"ply {match.game.ply + 1} of {plies}")
        position, mask = match.game.position, match.game.mask
        drawn = int(chance.choice(legal_indices(mask)))
        bots = match.game.ply % 2 == 1
        await match.play(choose(net, position, mask, match.dice) if bots else drawn)


async def _corpus_games(
    chain: Chain, bill: Bill, corpus: Sequence[Sequence[int]], tell: Tell
) -> None:
    """Each game once; the player has White in the first, Black in the second, and so on."""
    key = TrapdoorKey.seeded(1)
    bot = await chain.register_house(b"\x04" * 32, b"\x05" * 32, key.vk, "{}")
    table = _Table(
        chain, bill, bot.verifier, lambda s: key.prove(s.limbs, a=_FORGED_A, b=_FORGED_B)
    )
    for number, moves in enumerate(corpus, 1):
        tell(f"game {number} of {len(corpus)}, {len(moves)} plies")
        match = await _Match.open(table, bot.id, number % 2 == 1, nonce=number)
        for index in moves:
            await match.play(index)


class _Table:
    """The contracts, a bot's verifier and proofs, and the bill."""

    def __init__(self, chain: Chain, bill: Bill, verifier: str, prove: Prove) -> None:
        self.chain = chain
        self.bill = bill
        self.verifier = verifier
        self.prove = prove
        self._arena = load_artifact("Arena")

    async def send(self, function: str, *arguments: Any) -> int:
        """The gas that a transaction to the Arena used.  Raises ChainRejected."""
        call = {
            "from": self.chain.address,
            "to": self.chain.addresses.arena,
            "data": "0x" + self._arena.call(function, *arguments).hex(),
            "gas": hex(_LIMIT),
        }
        receipt = await self.chain.rpc.sure("eth_sendTransactionSync", call)
        if receipt["status"] != "0x1":
            raise ChainRejected("Reverted", {"tx": receipt["transactionHash"]})
        return int(receipt["gasUsed"], 16)

    async def traced(self, to: str, artifact: Artifact, function: str, *arguments: Any) -> int:
        """The gas that a call uses by itself."""
        data = artifact.call(function, *arguments)
        call = {"from": self.chain.address, "to": to, "data": "0x" + data.hex()}
        options = {"tracer": "callTracer"}
        trace = await self.chain.rpc.sure("debug_traceCall", call, "latest", options)
        zeros = data.count(0)
        paid = _BASE_GAS + _ZERO_BYTE_GAS * zeros + _BYTE_GAS * (len(data) - zeros)
        return int(trace["gasUsed"], 16) - paid


class _Match:
    """One game between the player and a bot, paid for by the table."""

    def __init__(self, table: _Table, opening: Open, *, bot_is_black: bool) -> None:
        self.game = Game()
        self._table = table
        self._bots_parity = 1 if bot_is_black else 0
        self._id = self._history = opening.game_id(table.chain.domain)

    @classmethod
    async def open(cls, table: _Table, bot: bytes, player: chess.Color, *, nonce: int) -> "_Match":
        """Open a game in which the player has the colour `player`."""
        side = player_side(address_of(_PLAYER))
        opening = Open(
            opener=address_of(_PLAYER),
            white=side if player else bot,
            black=bot if player else side,
            start=bytes(32),
            base_seconds=3600,
            increment_seconds=5,
            delay_seconds=0,
            commitment=commitment(_SECRET),
            seed=_SEED,
            expires=(1 << 64) - 1,
            nonce=nonce,
        )
        signature = opening.sign(table.chain.domain, _PLAYER)
        words = tuple(vars(opening).values())
        table.bill.open.append(await table.send("openGame", words, signature, _SECRET))
        return cls(table, opening, bot_is_black=player)

    @property
    def dice(self) -> int:
        """What a bot to move would have to play with."""
        return dice(game_seed(_SECRET, _SEED), self.game.ply, self._history)

    async def play(self, index: int) -> None:
        """Play and measure one ply."""
        arena = load_artifact("Arena")
        mask = await self._table.traced(
            self._table.chain.addresses.arena, arena, "legalMask", self._id
        )
        self._table.bill.legal_mask.append(mask)
        bots_turn = self.game.ply % 2 == self._bots_parity
        await (self._bot_move(index) if bots_turn else self._player_move(index))
        self.game.play(index)
        self._history = next_history(self._history, index)

    async def _player_move(self, index: int) -> None:
        message = Move(self._id, self.game.ply, self._history, index)
        signature = message.sign(self._table.chain.domain, _PLAYER)
        gas = await self._table.send("move", self._id, self.game.ply, index, signature)
        self._table.bill.player_move.append(gas)

    async def _bot_move(self, index: int) -> None:
        table, ply = self._table, self.game.ply
        payee = table.chain.payee
        statement = Statement.of(
            self.game.position, self.game.mask, index, payee=payee, dice=self.dice
        )
        proof = table.prove(statement)
        verifier = load_artifact("Groth16MoveVerifier")
        words = _words(statement)
        table.bill.verify.append(
            await table.traced(table.verifier, verifier, "verifyMove", words, proof)
        )
        gas = await table.send("submitBotMove", self._id, ply, index, f"0x{payee:040x}", proof)
        table.bill.bot_move.append(gas)


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


def _silent(_line: str) -> None:
    """The progress of a caller who wants none."""


if __name__ == "__main__":
    print(json.dumps(measure(None), indent=2))
