"""A browser for all tests of a module, and a fake arena for each of them."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest_asyncio
from aiohttp import WSCloseCode, web
from aiohttp.typedefs import Handler, Middleware
from playwright.async_api import Browser

from server.arena import Arena
from server.site import Site
from server.web_app import make_app
from tests.server.fake_arena import PAGE, fake_info
from tests.server.fakes import BOTS, FakeChain, FakeProver
from tests.web.browser import Hand, chromium


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@dataclass(frozen=True)
class FakeArena:
    """The real server on a free port, before a chain and a prover that are not real."""

    url: str
    site: Site
    hosts: Arena
    chain: FakeChain
    prover: FakeProver
    is_here: asyncio.Event

    async def cut(self) -> None:
        """Close every socket, as a restart would."""
        for socket in list(self.site.sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY)

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """Close every socket, and let none in for so long."""
        self.is_here.clear()
        try:
            await self.cut()
            yield
        finally:
            self.is_here.set()


def sockets_wait(is_here: asyncio.Event) -> Middleware:
    @web.middleware
    async def wait(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == "/ws":
            await is_here.wait()
        return await handler(request)

    return wait


@pytest_asyncio.fixture(loop_scope="module")
async def arena() -> AsyncIterator[FakeArena]:
    chain, prover = FakeChain(now=time.time), FakeProver()
    hosts = Arena(chain, prover, BOTS)
    site = Site(page=PAGE, arena=hosts, info=fake_info())
    app, is_here = make_app(site), asyncio.Event()
    is_here.set()
    app.middlewares.append(sockets_wait(is_here))
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    port = runner.addresses[0][1]
    try:
        yield FakeArena(f"http://127.0.0.1:{port}", site, hosts, chain, prover, is_here)
    finally:
        await hosts.close()
        await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="module")
async def hand(browser: Browser) -> AsyncIterator[Hand]:
    """A player's page; its console has to stay clean."""
    hand = await Hand.of(browser)
    yield hand
    assert hand.faults == []
    await hand.close()
