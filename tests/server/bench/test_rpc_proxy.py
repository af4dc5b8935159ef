"""The way to a node that misbehaves: each misdeed once, and none when it is over."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from proofs.errors import ChainDown
from proofs.rpc import Rpc
from server.bench.rpc_proxy import (
    Down,
    Garbage,
    HttpError,
    Misdeed,
    ReplyLost,
    RpcProxy,
    Slow,
)


@dataclass
class Scene:
    proxy: RpcProxy
    rpc: Rpc
    asked: list[str] = field(default_factory=list)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        question = await request.json()
        asked.append(question["method"])
        return web.json_response({"jsonrpc": "2.0", "id": question["id"], "result": "0x7"})

    app = web.Application()
    app.router.add_post("/", answer)
    server = TestServer(app)
    await server.start_server()
    async with RpcProxy(str(server.make_url("/"))) as proxy:
        rpc = Rpc(proxy.url)
        yield Scene(proxy, rpc, asked)
        await rpc.close()
    await server.close()


async def test_passesOn(scene: Scene) -> None:
    assert await scene.rpc.number("eth_blockNumber") == 7
    assert scene.asked == ["eth_blockNumber"]


@pytest.mark.parametrize("misdeed", [Down(), HttpError(), Garbage()])
async def test_noSenseIsHadUntilItIsOver(scene: Scene, misdeed: Misdeed) -> None:
    with scene.proxy.fault(misdeed):
        for _ in range(12):
            with pytest.raises(ChainDown):
                await scene.rpc.number("eth_blockNumber")
    assert scene.asked == []
    assert await scene.rpc.number("eth_blockNumber") == 7


async def test_slow_answersLate(scene: Scene) -> None:
    begun = time.monotonic()
    with scene.proxy.fault(Slow(0.1, 0.2)):
        assert await scene.rpc.number("eth_blockNumber") == 7
    assert time.monotonic() - begun >= 0.1


async def test_replyLost_doesTheDeed(scene: Scene) -> None:
    with scene.proxy.fault(ReplyLost()):
        assert await scene.rpc.number("eth_blockNumber") == 7
        with pytest.raises(ChainDown):
            await scene.rpc.ask("eth_sendRawTransaction", "0x")
    assert scene.asked == ["eth_blockNumber", "eth_sendRawTransaction"]
    assert scene.proxy.lost_replies == 1


async def test_held_letsNothingThrough(scene: Scene) -> None:
    async with scene.proxy.held():
        question = asyncio.create_task(scene.rpc.number("eth_blockNumber"))
        await asyncio.wait([question], timeout=0.1)
        assert scene.asked == []
    assert await question == 7


async def test_aNodeThatIsGoneIsALineThatIsCut(scene: Scene) -> None:
    with socket.socket() as silent:  # it has the port, and does not listen
        silent.bind(("127.0.0.1", 0))
        scene.proxy.target = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ChainDown):
            await scene.rpc.number("eth_blockNumber")
