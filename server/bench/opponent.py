"""The bot's opponents in a bench: keys of their own that play legal moves at random."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Self

import chess
from coincurve import PrivateKey
from eth_utils.crypto import keccak

from engine.policy_map import move_index
from proofs.signing import Domain, Move, Open, address_of, player_side
from server.arena_http import ArenaHttp
from server.bench.host import Host
from server.client import Client
from server.errors import ClientError, CommandRefused, HostFailed, NotAnArena

BASE_SECONDS: Final = 3 * 3600
"""No game of a bench is to end by its clock."""


@dataclass(frozen=True)
class Venue:
    """Where is played, and against which bot."""

    url: str
    domain: Domain
    bot: bytes

    @classmethod
    async def at(cls, url: str, bot: str) -> Self:
        """Ask the arena at `url`.  Raises Unreachable, NotAnArena."""
        async with ArenaHttp(url) as http:
            told: dict[str, Any] = await http.json("/api/config")
        for known in told["bots"]:
            if known["name"] == bot:
                domain = Domain(told["chainId"], told["arena"])
                return cls(url, domain, bytes.fromhex(known["version"][2:]))
        raise NotAnArena(url, f"no bot called {bot} plays there")


class Opponent:
    """White in one game after another; the same name and seed play the same way."""

    def __init__(self, name: str, venue: Venue, *, seed: int) -> None:
        self.key = PrivateKey(keccak(f"checkproof bench/{seed}/{name}".encode()))
        self.address = address_of(self.key)
        self._venue = venue
        self._random = random.Random(f"{seed}/{name}")
        self._opened = 0

    async def open(self, lobby: Client) -> str:
        """Open a game against the venue's bot; its id."""
        offer = await lobby.offer(self._venue.bot)
        opening = Open(
            opener=self.address,
            white=player_side(self.address),
            black=self._venue.bot,
            start=bytes(32),
            base_seconds=BASE_SECONDS,
            increment_seconds=0,
            delay_seconds=0,
            commitment=bytes.fromhex(offer.commitment[2:]),
            seed=self._random.randbytes(32),
            expires=offer.expires,
            nonce=self._opened,
        )
        self._opened += 1
        return await lobby.open(opening, opening.sign(self._venue.domain, self.key))

    async def move(self, client: Client) -> int | None:
        """Sign and send a legal move of the last known position.

        Its ply; None where there is nothing to play any more.
        """
        board = chess.Board(client.view.fen)
        if client.end is not None or board.is_game_over():
            return None
        assert client.snapshot is not None
        ply, game = client.view.next, bytes.fromhex(client.snapshot.game[2:])
        index = move_index(board, self._random.choice(list(board.legal_moves)))
        message = Move(game, ply, client.history, index)
        try:
            await client.move(ply, index, message.sign(self._venue.domain, self.key))
        except CommandRefused as refused:
            if refused.code != "game_over":  # by repetition, which a position does not show
                raise
            return None
        return ply


@asynccontextmanager
async def told_by(host: Host) -> AsyncIterator[None]:
    """Where playing goes wrong, the server's own last words are told with it: HostFailed."""
    try:
        yield
    except TimeoutError as error:
        raise HostFailed("did not go on", host.tail()) from error
    except (ConnectionError, ClientError) as error:
        raise HostFailed(f"failed its players ({error})", host.tail()) from error
