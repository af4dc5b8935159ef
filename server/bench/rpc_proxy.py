"""A node's RPC address that misbehaves when told to: slow, down, wrong, or silent after the deed.

async with RpcProxy(node_url) as proxy:
    proxy.url                      # what the server is given
    with proxy.fault(Garbage()):
        ...
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import aiohttp
from aiohttp import web

_SEND: Final = "eth_sendRawTransaction"
_NONSENSE: Final = (
    b"",
    b"[]",
    b"null",
    b"{}",
    b'{"jsonrpc":"2.0","id":1,"result":[{}]}',
    b'{"jsonrpc":"2.0","id":1,"result":"0x"}',
    b'{"jsonrpc":"2.0","id":1,"result":{"status":',
    b"<html>502 Bad Gateway</html>",
    b"\xff\xfe\x00",
)
_UPSTREAM: Final = aiohttp.ClientTimeout(total=60)


@dataclass(frozen=True)
class Slow:
    """Every answer comes some seconds late."""

    least: float
    most: float


@dataclass(frozen=True)
class Down:
    """Connections are cut before anything is answered."""


@dataclass(frozen=True)
class HttpError:
    """500, whatever is asked."""


@dataclass(frozen=True)
class Garbage:
    """Anything but the answer."""


@dataclass(frozen=True)
class ReplyLost:
    """A transaction is passed on, and the line is cut instead of saying so."""


Misdeed = Slow | Down | HttpError | Garbage | ReplyLost


class RpcProxy:
    """Passes JSON-RPC on to `target`, which may come and go."""

    def __init__(self, target: str, *, seed: int = 0) -> None:
        self.target = target
        self.url = ""
        self.lost_replies = 0
        """How many transactions were passed on without an answer."""
        self._rng = random.Random(seed)
        self._fault: Misdeed | None = None
        self._open = asyncio.Event()
        self._open.set()
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=1 << 24)
        app.router.add_post("/", self._serve)
        self._session = aiohttp.ClientSession(timeout=_UPSTREAM)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.set()
        assert self._runner is not None
        assert self._session is not None
        await self._session.close()
        await self._runner.cleanup()

    @contextmanager
    def fault(self, fault: Misdeed) -> Iterator[None]:
        """Misbehave for a while; the latest of several counts."""
        self._fault = fault
        try:
            yield
        finally:
            if self._fault is fault:
                self._fault = None

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Let nothing through for a moment; who asks meanwhile waits."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        await self._open.wait()
        match self._fault:
            case Slow(least=least, most=most):
                await asyncio.sleep(self._rng.uniform(least, most))
            case Down():
                return _cut(request)
            case HttpError():
                return web.Response(status=500, text="out of order")
            case Garbage():
                return _json(self._rng.choice(_NONSENSE))
            case ReplyLost() if _method(body) == _SEND:
                self.lost_replies += 1
                await self._pass_on(body)
                return _cut(request)
            case _:
                pass
        answer = await self._pass_on(body)
        return _cut(request) if answer is None else answer

    async def _pass_on(self, body: bytes) -> web.Response | None:
        """The node's answer, None if there is none."""
        assert self._session is not None
        headers = {"Content-Type": "application/json"}
        try:
            async with self._session.post(self.target, data=body, headers=headers) as answer:
                return _json(await answer.read(), answer.status)
        except (aiohttp.ClientError, OSError, TimeoutError, RuntimeError):
            return None


def _method(body: bytes) -> str:
    try:
        return str(json.loads(body)["method"])
    except (ValueError, LookupError, TypeError):
        return ""


def _json(body: bytes, status: int = 200) -> web.Response:
    return web.Response(body=body, status=status, content_type="application/json")


def _cut(request: web.Request) -> web.Response:
    """End the connection without a word."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
