"""What one address, and one key, may ask for; what a page may do; what a log tells."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from unittest.mock import Mock

import aiohttp
import pytest
import websockets
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from websockets.exceptions import ConnectionClosed, InvalidStatus

from proofs.signing import Resign
from server import messages as m
from server.client import Client
from server.errors import CommandRefused
from server.guests import Allowance, Guests
from server.limits import MOST_NAMES, Buckets
from tests.server.conftest import Served
from tests.server.fakes import DOMAIN
from tests.server.test_session import E4
from tests.server.test_sockets import ws_url


def request(remote: str | None, *forwarded: str) -> web.Request:
    transport = Mock()
    transport.get_extra_info.return_value = remote and (remote, 1234)
    headers = [("X-Forwarded-For", value) for value in forwarded]
    return make_mocked_request("GET", "/", headers=headers, transport=transport)


# --- addresses ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("remote", "name"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::99", "2001:db8:1:2::/64"),
        (None, "unknown"),
    ],
)
def test_an_address_is_that_of_the_other_end(remote: str | None, name: str) -> None:
    assert Guests().address_of(request(remote, "198.51.100.1")) == name


@pytest.mark.parametrize(
    ("forwarded", "name"),
    [
        (["198.51.100.1"], "198.51.100.1"),
        (["10.0.0.1, 198.51.100.1"], "198.51.100.1"),
        (["10.0.0.1", "198.51.100.1"], "198.51.100.1"),
        ([], "127.0.0.1"),
        (["nonsense"], "unknown"),
    ],
)
def test_behind_a_proxy_it_is_the_last_that_was_forwarded(forwarded: list[str], name: str) -> None:
    guests = Guests(behind_proxy=True)
    assert guests.address_of(request("127.0.0.1", *forwarded)) == name


def test_names_are_bounded_and_the_ones_in_use_stay() -> None:
    buckets = Buckets(0, 1)
    assert buckets.take("busy", 0)
    for number in range(MOST_NAMES + 10):
        buckets.take(str(number), 0)
        assert not buckets.take("busy", 0)
    assert len(buckets) == MOST_NAMES


def test_a_key_has_its_openings_whoever_brings_them() -> None:
    now = [0.0]
    guests = Guests(Allowance(openings_of_key=(1, 2), openings=(0, 100)), now=lambda: now[0])

    def open_game(address: str, key: str, *, fails: bool = False) -> None:
        with guests.opening(address, key):
            if fails:
                raise CommandRefused("bad_signature", "no")

    for address in "abc":  # not signed by the key: it does not count against it
        with pytest.raises(CommandRefused, match="no"):
            open_game(address, "0xKEY", fails=True)
    open_game("a", "0xKEY")
    open_game("b", "0xkey")
    with pytest.raises(CommandRefused) as caught:
        open_game("c", "0xKey")
    assert caught.value.code == "rate_limited"
    open_game("a", "0xother")
    now[0] = 1
    open_game("a", "0xkey")


# --- a server -----------------------------------------------------------------------------------


async def test_who_asks_too_often_is_told_to_wait_and_still_gets_the_page(served: Served) -> None:
    served.site.guests = Guests(Allowance(requests=(0, 3)))
    async with aiohttp.ClientSession(served.url) as http:
        statuses = []
        for _ in range(5):
            async with http.get("/api/games") as response:
                statuses.append(response.status)
        assert statuses == [200, 200, 200, 429, 429]
        assert response.headers["Retry-After"] == "1"
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        for path in ("/keys/00", "/files/00"):
            async with http.get(path) as response:
                assert response.status == 429
        for path in ("/", "/web/js/dom.js", "/healthz", "/metrics"):
            async with http.get(path) as response:
                assert response.status == 200


async def test_an_address_has_its_sockets_and_streams(served: Served) -> None:
    served.site.guests = Guests(Allowance(sockets=2))
    game = await served.open()
    async with aiohttp.ClientSession(served.url) as http:
        async with (
            await Client.connect(served.url),
            http.get(f"/api/games/{game}/stream") as stream,
        ):
            await stream.content.readline()
            with pytest.raises(InvalidStatus) as caught:
                await websockets.connect(ws_url(served))
            assert caught.value.response.status_code == 429
            async with http.get(f"/api/games/{game}/stream") as other:
                assert other.status == 429
        async with await Client.connect(served.url) as again:
            await again.ping()


async def test_an_addresss_frames_are_counted_over_all_its_sockets(served: Served) -> None:
    served.site.guests = Guests(Allowance(frames=(0, 5)))
    async with (
        websockets.connect(ws_url(served)) as one,
        websockets.connect(ws_url(served)) as other,
    ):
        for socket in (one, other, one, other, one):
            await socket.send('{"t": "ping"}')
            assert m.parse_server_frame(await socket.recv()).t == "pong"
        await other.send('{"t": "ping"}')
        reply = m.parse_server_frame(await other.recv())
        assert isinstance(reply, m.ErrorReply)
        assert reply.d.code == "rate_limited"
        with pytest.raises(ConnectionClosed):
            await other.recv()
        assert other.close_code == m.CLOSE_RATE_LIMITED


async def test_an_address_has_its_openings(served: Served) -> None:
    served.site.guests = Guests(Allowance(openings=(0, 1)))
    await served.open()
    with pytest.raises(CommandRefused) as caught:
        await served.open(nonce=1)
    assert caught.value.code == "rate_limited"
    assert len(list(served.arena.games())) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api/games",
        "/nothing",
        "/keys/00",
        "/web/nothing.js",
        "/web/img/icon.svg",  # a document when somebody opens it
        "/web/js/verify_worker.js",  # a worker has the policy of its own file
    ],
)
async def test_every_answer_tells_the_browser_what_the_page_may_do(
    served: Served, path: str
) -> None:
    async with aiohttp.ClientSession(served.url) as http, http.get(path) as response:
        headers = response.headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Permissions-Policy"].startswith("camera=()")
    assert "Server" not in headers, "it would name the versions that run here"


@pytest.mark.parametrize("path", ["/web/js/dom.js", "/web/css/base.css"])
async def test_a_file_of_the_page_carries_only_headers_that_it_minds(
    served: Served, path: str
) -> None:
    async with aiohttp.ClientSession(served.url) as http, http.get(path) as response:
        headers = response.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Content-Security-Policy" not in headers
    assert "Server" not in headers
    assert sum(len(f"{name}: {value}") + 2 for name, value in headers.items()) < 320


@pytest.fixture
def everything_logged() -> Iterator[None]:
    """Every logger at its most talkative."""
    with ExitStack() as stack:
        for name in ("", "server", "proofs", "aiohttp", "asyncio", "websockets.client"):
            logger = logging.getLogger(name)
            stack.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.DEBUG)
        logging.getLogger("websockets.client").setLevel(logging.WARNING)  # it is not the server
        yield


async def test_no_log_tells_a_signature_a_seed_or_a_secret(
    served: Served, caplog: pytest.LogCaptureFixture, everything_logged: None
) -> None:
    game = await served.open()
    raw = bytes.fromhex(game[2:])
    async with await served.client(game) as client:
        await served.move(client, E4)
        await client.wait_stage(1, "verified")
        with pytest.raises(CommandRefused):
            await client.move(2, E4, b"\x5e" * 65)
        await client.resign(Resign(raw).sign(DOMAIN, served.player.key))
        await client.wait_end()
    terms = served.arena.game(raw).session.terms
    landed = served.chain.held[raw].moves
    hidden = [terms.signature, terms.secret, terms.open.seed, b"\x5e" * 65]
    hidden += [move.signature for move in landed if move.signature]
    hidden.append(served.player.key.secret)
    assert len(hidden) == 6
    for record in caplog.records:
        told = f"{record.getMessage()} {record.exc_text} {record.args} {vars(record)}"
        assert not any(secret.hex() in told for secret in hidden), record.name
