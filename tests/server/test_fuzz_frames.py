"""Frames that nobody would send: a typed error or a close code for each, never a traceback."""

import asyncio
import copy
import json
import logging
import struct
from random import Random
from typing import Any, get_args
from urllib.parse import quote

import pytest
import websockets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed, InvalidStatus

from server import messages as m
from server import schema_examples as examples
from server.schema import json_schema
from tests.server.conftest import Served
from tests.server.json_schema import Schemas

BOUNDED = settings(
    max_examples=60,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SERVER = json_schema()["server"]
CODES = {1002, 1007, 1009, m.CLOSE_RATE_LIMITED, m.CLOSE_UNKNOWN_GAME}

# --- what is sent -------------------------------------------------------------------------------

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 300), 1 << 300)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=40)
    | st.sampled_from(["0x", "0x" + "ff" * 32, "0x" + "00" * 65, "__proto__", "ping", "\ud800"])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)


def places_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to every part of a frame."""
    found = [path]
    if isinstance(value, dict):
        for name, inner in value.items():
            found += places_in(inner, (*path, name))
    return found


@st.composite
def altered(draw: st.DrawFn) -> str:
    """A good frame with something changed, left out or added."""
    frame = copy.deepcopy(draw(st.sampled_from(list(examples.commands().values()))))
    place = draw(st.sampled_from([("id",), *places_in(frame)[1:]]))
    parent: Any = frame
    for name in place[:-1]:
        parent = parent[name]
    match draw(st.sampled_from(["change", "drop", "add"])):
        case "change":
            parent[place[-1]] = draw(values)
        case "drop":
            del parent[place[-1]]
        case _:
            parent[draw(st.text(max_size=12))] = draw(values)
    return json.dumps(frame)


@st.composite
def cut(draw: st.DrawFn) -> str:
    """A good frame that ends too early, or goes on."""
    text = json.dumps(draw(st.sampled_from(list(examples.commands().values()))))
    return text[: draw(st.integers(0, len(text)))] + draw(st.sampled_from(["", "}", "\0", text]))


others = cut() | st.builds(json.dumps, values) | st.text(max_size=200)
# mostly what is nearly right: that gets furthest
texts = altered() | altered() | altered() | altered() | others
frames = texts.filter(lambda text: "\ud800" not in text) | st.binary(max_size=200)


# --- what comes back ----------------------------------------------------------------------------


async def answers_to(socket: websockets.ClientConnection, count: int) -> list[dict[str, Any]]:
    """The answers to so many frames; fewer when the socket ends."""
    found: list[dict[str, Any]] = []
    try:
        async with asyncio.timeout(20):
            while len(found) < count:
                came = json.loads(await socket.recv())
                if "v" not in came:
                    found.append(came)
    except ConnectionClosed:
        assert socket.close_code in CODES
    return found


def check(answers: list[dict[str, Any]]) -> None:
    schemas = Schemas(SERVER)
    for answer in answers:
        schemas.check(answer, SERVER)
        if answer["t"] == "error":
            assert answer["d"]["code"] in get_args(m.ErrorCode)
            assert answer["d"]["code"] != "internal"
            assert "Traceback" not in answer["d"]["message"]
            assert len(answer["d"]["message"]) < 500


def no_complaint(caplog: pytest.LogCaptureFixture) -> None:
    bad = [r for r in caplog.records if r.levelno >= logging.ERROR or r.exc_info]
    assert bad == []


def address(served: Served, query: str = "") -> str:
    return "ws" + served.url.removeprefix("http") + "ws" + query


@BOUNDED
@given(batch=st.lists(frames, min_size=1, max_size=25))
async def test_any_frame_gets_a_typed_answer(
    served: Served, caplog: pytest.LogCaptureFixture, batch: list[str | bytes]
) -> None:
    games = list(served.arena.games())
    game = "0x" + games[0].session.id.hex() if games else await served.open()
    for query in ("", f"?game={game}"):
        async with websockets.connect(address(served, query), compression=None) as socket:
            for raw in batch:
                await socket.send(raw)
            answers = await answers_to(socket, len(batch))
            assert len(answers) == len(batch)
            check(answers)
            await socket.send('{"t": "ping", "id": "still here"}')
            assert (await answers_to(socket, 1))[0]["t"] == "pong"
    no_complaint(caplog)


@BOUNDED
@given(
    game=st.text(max_size=80) | st.from_regex(r"0x[0-9a-f]{64}", fullmatch=True),
    version=st.text(max_size=20) | st.integers().map(str),
    player=st.text(max_size=50),
)
async def test_any_address_is_answered(
    served: Served, caplog: pytest.LogCaptureFixture, game: str, version: str, player: str
) -> None:
    parts = {"game": game, "v": version, "player": player}
    query = "&".join(f"{n}={quote(v, safe='', errors='replace')}" for n, v in parts.items())
    async with websockets.connect(address(served, "?" + query)) as socket:
        await answers_to(socket, 1)
        assert socket.close_code == m.CLOSE_UNKNOWN_GAME
    no_complaint(caplog)


# --- below the frames ---------------------------------------------------------------------------


def masked(first: int, payload: bytes, *, size: int | None = None, mask: bool = True) -> bytes:
    """A client's websocket frame, or something like one."""
    length = len(payload) if size is None else size
    bit = 0x80 if mask else 0
    head = struct.pack("!BB", first, bit | min(length, 125))
    if length >= 126:
        head = struct.pack("!BBQ", first, bit | 127, length)
    return head + (bytes(4) if mask else b"") + payload


ENDLESS = {"no mask", "a ping in pieces", "a length of 2^63", "a length of a terabyte"}
"""Those that a server may well wait after: it answers, or waits for the rest."""

JUNK = {
    "an unknown opcode": masked(0x83, b"x"),
    "a reserved bit": masked(0xC1, b"x"),
    "no mask": masked(0x81, b"{}", mask=False),
    "text that is no UTF-8": masked(0x81, b"\xff\xfe"),
    "a continuation of nothing": masked(0x80, b"x"),
    "a long ping": masked(0x89, bytes(126)),
    "a ping in pieces": masked(0x09, b"x"),
    "a close of one byte": masked(0x88, b"x"),
    "a close with no such code": masked(0x88, struct.pack("!H", 999)),
    "a length of 2^63": masked(0x81, b"", size=1 << 63),
    "a length of a terabyte": masked(0x82, b"x", size=1 << 40),
    "a frame too large": masked(0x81, bytes(m.MAX_FRAME_BYTES + 1)),
    "pieces that grow too large": masked(0x01, b"x" * 9000) + masked(0x80, b"x" * 9000),
    "nothing of the kind": b"GET / HTTP/1.1\r\n\r\n",
    "noise": Random(7).randbytes(64) * 40,  # by chance it could be the start of a long frame
}


@pytest.mark.parametrize("name", JUNK)
async def test_what_is_no_websocket_frame_ends_the_socket_alone(
    served: Served, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    port = int(served.url.rsplit(":", 1)[1].strip("/"))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    assert b"101" in await reader.readuntil(b"\r\n\r\n")
    writer.write(JUNK[name])
    if name in ENDLESS:
        writer.write_eof()
    async with asyncio.timeout(20):
        rest = await reader.read()
    writer.close()
    assert rest == b"" or rest[0] == 0x88 or b"bad_frame" in rest
    async with websockets.connect(address(served)) as socket:
        await socket.send('{"t": "ping"}')
        assert json.loads(await socket.recv())["t"] == "pong"
    no_complaint(caplog)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-WebSocket-Version": "12"},
        {"Sec-WebSocket-Key": "short"},
        {"Upgrade": "h2c"},
        {"Connection": "close"},
    ],
)
async def test_a_handshake_that_is_none_is_a_bad_request(
    served: Served, caplog: pytest.LogCaptureFixture, headers: dict[str, str]
) -> None:
    port = int(served.url.rsplit(":", 1)[1].strip("/"))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    asked = {
        "Host": "x",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        **headers,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in asked.items())
    writer.write(f"GET /ws HTTP/1.1\r\n{lines}\r\n".encode())
    async with asyncio.timeout(20):
        status = await reader.readline()
    writer.close()
    assert b" 400 " in status
    no_complaint(caplog)


async def test_a_full_arena_says_so_before_the_handshake(served: Served) -> None:
    served.site.max_sockets = 0
    with pytest.raises(InvalidStatus) as caught:
        await websockets.connect(address(served))
    assert caught.value.response.status_code == 503
