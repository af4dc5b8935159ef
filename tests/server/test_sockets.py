"""Hostile and unlucky sockets: typed errors, close codes, and nobody else disturbed."""

import asyncio
import contextlib
import json
import socket
import time
from types import SimpleNamespace

import aiohttp
import pytest
import websockets
from aiohttp import WSMsgType
from websockets.exceptions import ConnectionClosed, InvalidStatus

from server import messages as m
from server import sockets
from server.client import Client
from server.errors import CommandRefused, Unreachable
from server.hub import QUEUE_LIMIT
from server.sockets import FRAMES_AT_ONCE
from tests.server.conftest import Served
from tests.server.fakes import BOT
from tests.server.test_session import E4

BOT_HEX = "0x" + BOT.hex()


def ws_url(served: Served, query: str = "") -> str:
    return "ws" + served.url.removeprefix("http") + "ws" + query


async def error_of(socket: websockets.ClientConnection, raw: str | bytes) -> m.ErrorData:
    await socket.send(raw)
    reply = m.parse_server_frame(await socket.recv())
    assert isinstance(reply, m.ErrorReply)
    return reply.d


# --- origin ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "https://localhost",
        "null",
        "",
        "http://localhost.evil.example:8000",
    ],
)
async def test_a_foreign_origin_is_forbidden(served: Served, origin: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        await websockets.connect(ws_url(served), additional_headers={"Origin": origin})
    assert caught.value.response.status_code == 403


async def test_the_pages_own_origin_and_no_origin_are_welcome(served: Served) -> None:
    port = served.url.rsplit(":", 1)[1].strip("/")
    for origin in (f"http://127.0.0.1:{port}", f"http://localhost:{port}", None):
        headers = {} if origin is None else {"Origin": origin}
        async with websockets.connect(ws_url(served), additional_headers=headers) as socket:
            await socket.send('{"t": "ping", "id": 1, "d": {}}')
            told = {"at": served.clock.time}
            assert json.loads(await socket.recv()) == {"t": "pong", "id": 1, "d": told}


async def test_a_configured_origin_is_welcome(served: Served) -> None:
    served.site.origins = frozenset({"https://arena.example"})
    headers = {"Origin": "https://arena.example"}
    async with websockets.connect(ws_url(served), additional_headers=headers) as socket:
        await socket.ping()


# --- frames ------------------------------------------------------------------------------------


async def test_bad_frames_get_typed_errors_and_the_socket_lives(served: Served) -> None:
    async with websockets.connect(ws_url(served)) as socket:
        for raw, code in (
            ("nonsense", "bad_frame"),
            (b"\x00\xff", "bad_frame"),
            ('{"t": "castle", "d": {}}', "unknown_type"),
            ('{"t": "move", "d": {"ply": 1}}', "bad_frame"),
            ('{"t": "resign", "d": {"signature": "0x' + "00" * 65 + '"}}', "unknown_game"),
            ('{"t": "timeout"}', "unknown_game"),
            ('{"t": "offer", "d": {"bot": "0x' + "00" * 32 + '"}}', "unknown_bot"),
        ):
            assert (await error_of(socket, raw)).code == code
        await socket.send(json.dumps({"t": "offer", "id": "x", "d": {"bot": BOT_HEX}}))
        assert json.loads(await socket.recv())["t"] == "offer"


async def test_an_oversized_frame_closes_the_socket(served: Served) -> None:
    async with websockets.connect(ws_url(served)) as socket:
        await socket.send(" " * (m.MAX_FRAME_BYTES + 1))
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == 1009


async def test_an_unknown_game_closes_the_socket(served: Served) -> None:
    for query in ("?game=0x" + "00" * 32, "?game=7", "?game=", "?game=../../etc"):
        async with websockets.connect(ws_url(served, query)) as socket:
            with pytest.raises(ConnectionClosed):
                await socket.recv()
            assert socket.close_code == m.CLOSE_UNKNOWN_GAME


async def test_a_mistake_of_ours_is_an_internal_error(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(version: bytes) -> None:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(served.arena, "offer", fail)
    async with await Client.connect(served.url) as client:
        with pytest.raises(CommandRefused) as caught:
            await client.offer(BOT)
        assert caught.value.code == "internal"
        assert "mistake" not in caught.value.message.split(";", maxsplit=1)[1]
        await client.ping()


async def test_a_flood_is_told_off_and_closed(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    game = await served.open()
    # no time passes: on a slow machine some of the flood would be in order
    monkeypatch.setattr(sockets, "time", SimpleNamespace(monotonic=lambda: 0.0))
    async with (
        await Client.connect(served.url, game=game) as other,
        websockets.connect(ws_url(served)) as socket,
    ):
        for _ in range(int(FRAMES_AT_ONCE) + 30):
            await socket.send('{"t": "ping", "d": {}}')
        frames = []
        with contextlib.suppress(ConnectionClosed):
            async for raw in socket:
                frames.append(m.parse_server_frame(raw))
        last = frames[-1]
        assert isinstance(last, m.ErrorReply)
        assert last.d.code == "rate_limited"
        assert socket.close_code == m.CLOSE_RATE_LIMITED
        assert len(frames) - 1 == FRAMES_AT_ONCE
        await other.ping()


# --- slow and idle -----------------------------------------------------------------------------


async def test_a_slow_reader_is_dropped_and_comes_back(served: Served) -> None:
    game = await served.open()
    hosted = served.arena.game(bytes.fromhex(game[2:]))
    async with aiohttp.ClientSession() as session:
        slow = await session.ws_connect(served.url + f"ws?game={game}", max_msg_size=0)
        first = json.loads((await slow.receive()).data)
        connection = slow._response.connection
        assert connection is not None
        transport = connection.transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        async with await Client.connect(served.url, game=game) as quick:
            await quick.wait_until(lambda: quick.snapshot is not None)
            sent = 0
            while hosted.room.spectators == 2:
                hosted.room.publish(big_event())
                sent += 1
                await asyncio.sleep(0)  # let the writers write
                assert sent < 20_000
            version = hosted.room.version
            await quick.wait_until(lambda: quick.version == version)
            assert sent > QUEUE_LIMIT
            await served.move(quick, E4)
            await quick.wait_stage(1, "verified")
        transport.resume_reading()
        seen = first["v"]
        async for message in slow:
            if message.type is WSMsgType.TEXT:
                seen = json.loads(message.data)["v"]
        await slow.close()
    async with await Client.connect(served.url, game=game, since=seen) as again:
        await again.wait_stage(1, "verified")


def big_event() -> m.ChainEvent:
    return m.ChainEvent(d=m.ChainData(ply=99, stage="submitted", at=0, reason="x" * 10_000))


async def test_the_system_keeps_little_for_who_does_not_read(served: Served) -> None:
    """Without a bound of ours it takes megabytes before the server learns of it."""
    game = await served.open()
    hosted = served.arena.game(bytes.fromhex(game[2:]))
    port = int(served.url.rsplit(":", 1)[1].strip("/"))
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    with line:
        line.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(line, ("127.0.0.1", port))
        await loop.sock_sendall(
            line,
            f"GET /ws?game={game} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode(),
        )
        async with asyncio.timeout(60):
            while hosted.room.is_empty:  # noqa: ASYNC110 the socket joins by itself
                await asyncio.sleep(0.01)
        (reader,) = hosted.room._subscribers
        sent = 0
        while not len(reader._queue) > 5:
            hosted.room.publish(big_event())
            sent += 10_000
            await asyncio.sleep(0)
        assert sent < 600_000


async def test_two_hundred_idle_sockets_cost_little(served: Served) -> None:
    game = await served.open()
    idle = [await Client.connect(served.url, game=game) for _ in range(200)]
    async with await Client.connect(served.url, game=game) as player:
        await player.wait_until(lambda: player.snapshot is not None)
        begun = time.process_time()  # what others of this machine do is no cost of ours
        await served.move(player, E4)
        await player.wait_stage(1, "verified")
        for client in idle:
            await client.wait_stage(1, "verified")
        assert time.process_time() - begun < 10
        seen = player.version or 0
        for client in idle:
            await client.wait_until(lambda client=client: (client.version or 0) >= seen)  # type: ignore[misc]
    await asyncio.gather(*(client.close() for client in idle))


async def test_sockets_are_bounded(served: Served) -> None:
    served.site.max_sockets = 2
    async with await Client.connect(served.url), await Client.connect(served.url):
        with pytest.raises(Unreachable, match="too many sockets are open"):
            await Client.connect(served.url)
