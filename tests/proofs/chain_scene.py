"""A fresh local chain with the contracts, a bot whose verifier says yes, and games on it."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import chess
from coincurve import PrivateKey

from engine.game import Game
from engine.policy_map import move_index
from engine.start import USUAL, Start
from proofs.abi import load_artifact
from proofs.chain import Chain
from proofs.deploy import ensure_contracts
from proofs.node import Anvil
from proofs.records import Receipt
from proofs.sender import LOCAL_KEY
from proofs.signing import (
    Abort,
    Domain,
    Draw,
    Move,
    Open,
    Resign,
    address_of,
    player_side,
    start_words,
)
from proofs.statement import STATEMENT_ID, commitment, next_history

PLAYER = PrivateKey(b"\x11" * 32)
SECRET = b"\x33" * 32
NET, CIRCUIT, KEY = b"\x66" * 32, b"\x77" * 32, b"\x88" * 32


def opening(
    bot: bytes,
    *,
    player_is_white: bool = True,
    base_seconds: int = 300,
    expires: int = 1 << 40,
    nonce: int | None = None,
    start: Start = USUAL,
) -> Open:
    """The player against `bot`."""
    sides = (player_side(address_of(PLAYER)), bot)
    white, black = sides if player_is_white else sides[::-1]
    return Open(
        opener=address_of(PLAYER),
        white=white,
        black=black,
        **start_words(start),
        base_seconds=base_seconds,
        increment_seconds=2,
        delay_seconds=1,
        commitment=commitment(SECRET),
        seed=b"\x44" * 32,
        expires=expires,
        nonce=int.from_bytes(os.urandom(8), "big") if nonce is None else nonce,
    )


@dataclass
class Live:
    """A game that goes on, moved by moves in standard notation."""

    chain: Chain
    id: bytes
    history: bytes
    game: Game

    @property
    def domain(self) -> Domain:
        return self.chain.domain

    def index(self, san: str) -> int:
        return move_index(self.game.board, self.game.board.parse_san(san))

    def signed(self, index: int, *, key: PrivateKey = PLAYER) -> bytes:
        return Move(self.id, self.game.ply, self.history, index).sign(self.domain, key)

    async def player(self, san: str) -> Receipt:
        index = self.index(san)
        receipt = await self.chain.move(self.id, self.game.ply, index, self.signed(index))
        self.played(index)
        return receipt

    async def bot(self, san: str, proof: bytes = b"any") -> Receipt:
        index = self.index(san)
        receipt = await self.chain.submit_bot_move(
            self.id, self.game.ply, index, self.chain.payee, proof
        )
        self.played(index)
        return receipt

    async def play(self, sans: str, *, player: chess.Color = chess.WHITE) -> None:
        for san in sans.split():
            await (self.player(san) if self.game.turn == player else self.bot(san))

    def played(self, index: int) -> None:
        self.game.play(index)
        self.history = next_history(self.history, index)

    def resignation(self) -> bytes:
        return Resign(self.id).sign(self.domain, PLAYER)

    def abort(self) -> bytes:
        return Abort(self.id).sign(self.domain, PLAYER)

    def draw_claim(self) -> bytes:
        return Draw(self.id, self.game.ply, self.history).sign(self.domain, PLAYER)


@dataclass(frozen=True)
class Scene:
    node: Anvil
    chain: Chain
    yes: bytes

    async def open(self, message: Open | None = None) -> Live:
        message = message or opening(self.yes)
        signature = message.sign(self.chain.domain, PLAYER)
        await self.chain.open_game(message, signature, SECRET)
        game = message.game_id(self.chain.domain)
        return Live(self.chain, game, game, Game(message.begins))

    async def sleep(self, seconds: int) -> None:
        """Let the chain's clock run."""
        await self.chain.rpc.ask("evm_increaseTime", seconds)
        await self.chain.rpc.ask("evm_mine")


@asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Scene]:
    async with Anvil(folder / "chain") as node:
        bare = await Chain.connect(node.url, LOCAL_KEY)
        try:
            chain = bare.at(await ensure_contracts(bare, folder))
            verifier = await chain.deploy(load_artifact("YesVerifier"))
            assert verifier.contract is not None
            bot = await chain.register_custom(
                NET, CIRCUIT, KEY, STATEMENT_ID, verifier.contract, "yes"
            )
            yield Scene(node, chain, bot.id)
        finally:
            await bare.close()


async def empty_pool(chain: Chain) -> None:
    """Wait until a node has nothing left to mine.

    It shows a receipt a moment before it takes the transaction out of its pool; a chain that is
    turned back in that moment has it mined again.
    """
    async with asyncio.timeout(60):
        while int((await chain.rpc.ask("txpool_status"))["pending"], 16):  # noqa: ASYNC110  another process
            await asyncio.sleep(0.01)
