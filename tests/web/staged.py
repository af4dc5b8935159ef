"""Games in a fake arena that are played by calling it, faster than by clicking."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from engine.policy_map import move_index
from proofs.signing import Resign
from server import messages as m
from server.arena import Arena
from server.hub import Subscriber
from tests.server.fakes import BOT, DOMAIN, Player

PATIENCE: Final = 60.0


class Staged:
    """A game against the bot `first`: of a player, or of the bot `white`, with White."""

    def __init__(
        self,
        arena: Arena,
        *,
        name: str = "player",
        base: int = 300,
        delay: int = 0,
        white: bytes | None = None,
    ) -> None:
        self.arena = arena
        self.player = Player(name)
        offer = arena.offer(BOT)
        opening = self.player.open(
            bytes.fromhex(offer.commitment[2:]),
            base=base,
            white=white,
            expires=offer.expires,
            nonce=time.monotonic_ns(),
        )
        opening = replace(opening, delay_seconds=delay)
        self.game = arena.open_game(opening, opening.sign(DOMAIN, self.player.key))
        self.hosted = arena.game(self.game)

    @property
    def id(self) -> str:
        return "0x" + self.game.hex()

    @property
    def fen(self) -> str:
        """Where the game stands, as the arena tells it."""
        return self.hosted.session.line.fen

    async def play(self, sans: str) -> None:
        """The player's moves, each answered by the bot; then all of it landed."""
        for san in sans.split():
            line = self.hosted.session.line
            index = self._index(san)
            signature = self.player.move(self.game, line.next, line.history, index)
            data = m.MoveData(ply=line.next, index=index, signature="0x" + signature.hex())
            self.arena.command(self.hosted, m.Move(t="move", d=data))
        await self.settled()

    def _index(self, san: str) -> int:
        board = self.hosted.session.line.game.board
        return move_index(board, board.parse_san(san))

    async def settled(self) -> None:
        """Wait until the chain holds every ply."""
        await self._until(lambda: not self.hosted.session.needs_prover and self._landed())

    def _landed(self) -> bool:
        return all(ply.stage == "verified" for ply in self.hosted.session.line.plies)

    async def resign(self) -> None:
        signature = Resign(self.game).sign(DOMAIN, self.player.key)
        data = m.ResignData(signature="0x" + signature.hex())
        self.arena.command(self.hosted, m.Resign(t="resign", d=data))
        await self._until(lambda: self.hosted.session.ended is not None)

    async def _until(self, done: Callable[[], bool]) -> None:
        """Look again after each event of the game."""
        queue = Subscriber()
        queue.is_player = True
        self.arena.join(self.hosted, queue)
        try:
            async with asyncio.timeout(PATIENCE):
                while not done():
                    await queue.next()
        finally:
            self.arena.leave(self.hosted, queue)
