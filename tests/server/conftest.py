"""A served arena with fakes behind it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from server.arena import Arena
from server.client import Client
from server.hosted import Limits
from server.site import Site
from server.web_app import make_app
from tests.server.fake_arena import PAGE, fake_info
from tests.server.fakes import BOT, BOTS, DOMAIN, FakeChain, FakeProver, Player

LIMITS = Limits(first_pause=0.01, longest_pause=0.02, watch_every=0.02, games_per_opener=3, games=5)


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    time: float = 1_000_000.0

    def __call__(self) -> float:
        return self.time


@dataclass
class Served:
    """A test server with everything behind it in reach."""

    url: str
    site: Site
    arena: Arena
    chain: FakeChain
    prover: FakeProver
    clock: Clock
    player: Player = field(default_factory=Player)

    async def open(self, *, nonce: int = 0, white: bytes | None = None, **more: Any) -> str:
        """Open a game of the player against BOT over a socket of its own."""
        async with await Client.connect(self.url) as lobby:
            offer = await lobby.offer(BOT)
            opening = self.player.open(
                bytes.fromhex(offer.commitment[2:]),
                white=white,
                black=None if white is None else self.player.side,
                expires=offer.expires,
                nonce=nonce,
                **more,
            )
            return await lobby.open(opening, opening.sign(DOMAIN, self.player.key))

    async def client(self, game: str) -> Client:
        """One that looks at a game, has it, and stays."""
        client = await Client.connect(self.url, game=game, stay=True)
        await client.ready()
        return client

    async def move(self, client: Client, index: int) -> None:
        """Sign and play the next ply."""
        game = bytes.fromhex(client.snapshot.game[2:]) if client.snapshot else b""
        ply = client.view.next
        await client.move(ply, index, self.player.move(game, ply, client.history, index))


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    clock = Clock()
    chain, prover = FakeChain(now=clock), FakeProver()
    arena = Arena(chain, prover, BOTS, limits=LIMITS, now=clock)
    site = Site(page=PAGE, arena=arena, info=fake_info())
    server = TestServer(make_app(site))
    await server.start_server()
    yield Served(str(server.make_url("/")), site, arena, chain, prover, clock)
    await arena.close()
    await server.close()
