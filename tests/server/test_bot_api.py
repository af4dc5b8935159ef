"""The bridge as bot programs see it: through berserk, and by hand where that is too polite."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import berserk
import chess
import pytest
from aiohttp.test_utils import TestServer
from coincurve import PrivateKey
from yarl import URL

from proofs.errors import ChainRejected
from server import cli_bridge
from server.bot_api import make_app
from server.bot_api_games import Bridge
from server.bot_api_shapes import speed_of
from server.errors import BadKeyFile
from server.messages import ClockTerms
from tests.server.conftest import Served
from tests.server.fakes import ChainGame

KEY = PrivateKey(b"\x11" * 32)
TOKEN = cli_bridge.token_of(KEY)


class Bridged:
    """A bridge before the served arena; `url` is the base URL of a bot program."""

    def __init__(self, bridge: Bridge, url: str) -> None:
        self.bridge = bridge
        self.url = url

    def berserk(self) -> berserk.Client:
        return berserk.Client(berserk.TokenSession(TOKEN), base_url=self.url)

    def http(self, **headers: str) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            self.url, headers={"Authorization": f"Bearer {TOKEN}"} | headers
        )


@pytest.fixture
async def bridged(served: Served) -> AsyncIterator[Bridged]:
    bridge = Bridge(served.url, KEY)
    await bridge.open()
    server = TestServer(make_app(bridge, TOKEN))
    await server.start_server()
    yield Bridged(bridge, str(server.make_url("/")))
    await server.close()
    await bridge.close()


def landed(served: Served) -> ChainGame:
    (game,) = served.chain.held.values()
    return game


# --- berserk ------------------------------------------------------------------------------------


def first_mate_or_capture(board: chess.Board) -> chess.Move:
    """A simple bot program's choice."""

    def worth(move: chess.Move) -> tuple[bool, int, int, str]:
        board.push(move)
        mates, loses = board.is_checkmate(), board.is_stalemate()
        board.pop()
        taken = board.piece_type_at(move.to_square) or 0
        return mates, -loses, taken + 9 * bool(move.promotion), move.uci()

    return max(board.legal_moves, key=worth)


def play(client: berserk.Client, *, bot: str, color: str, most: int = 200) -> list[dict[str, Any]]:
    """A bot program: challenges, waits for its game, and plays it; all that it was told of it."""
    events: Iterator[Any] = client.bots.stream_incoming_events()
    made = client.challenges.create(
        bot,
        rated=False,
        clock_limit=300,
        clock_increment=2,
        color=color,  # type: ignore[arg-type]
    )
    start = next(event for event in events if event["type"] == "gameStart")
    assert start["game"]["id"] == made["id"]
    mine = chess.WHITE if start["game"]["color"] == "white" else chess.BLACK
    told = []
    for event in client.bots.stream_game_state(made["id"]):
        told.append(event)
        state = event["state"] if event["type"] == "gameFull" else event
        if state["status"] != "started":
            break
        board = chess.Board()
        for uci in state["moves"].split():
            board.push_uci(uci)
        if board.turn != mine or board.is_game_over():
            continue
        if board.ply() >= most:
            client.bots.resign_game(made["id"])
        else:
            client.bots.make_move(made["id"], first_mate_or_capture(board).uci())
    assert next(event for event in events if event["type"] == "gameFinish")["game"]["id"]
    return told


@pytest.mark.parametrize("color", ["white", "black"])
async def test_berserk_plays_a_whole_game_through_the_bridge(
    served: Served, bridged: Bridged, color: str
) -> None:
    told = await asyncio.to_thread(play, bridged.berserk(), bot="First", color=color)
    full, last = told[0], told[-1]
    game = landed(served)
    assert full["type"] == "gameFull"
    assert full[color]["name"] == bridged.bridge.address
    assert full["initialFen"] == "startpos"
    assert last["status"] in ("mate", "draw", "stalemate"), last
    assert game.ended is not None
    winners = {"1-0": "white", "0-1": "black"}
    assert last.get("winner") == winners.get(str(game.ended.outcome.result))
    assert len(last["moves"].split()) == len(game.moves) > 10
    assert all((move.signature is None) != (move.proof is None) for move in game.moves)


async def test_berserk_resigns_and_learns_who_it_is(served: Served, bridged: Bridged) -> None:
    client = bridged.berserk()
    account = await asyncio.to_thread(client.account.get)
    assert account["id"] == bridged.bridge.address
    online = await asyncio.to_thread(lambda: list(client.bots.get_online_bots()))
    assert [user["username"] for user in online] == ["first", "last"]
    told = await asyncio.to_thread(play, client, bot="first", color="white", most=2)
    assert told[-1]["status"] == "resign"
    assert told[-1]["winner"] == "black"
    assert len(landed(served).moves) >= 2


# --- by hand ------------------------------------------------------------------------------------


async def challenge(http: aiohttp.ClientSession, name: str = "first", **fields: Any) -> str:
    body = {"color": "white", "clock.limit": 300, "clock.increment": 0, **fields}
    async with http.post(f"/api/challenge/{name}", json=body) as response:
        made = await response.json()
        assert response.status == 200, made
    game: str = made["id"]
    return game


async def test_without_the_token_nothing_is_told_or_done(bridged: Bridged) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN[:-1]}):
        async with (
            aiohttp.ClientSession(bridged.url, headers=headers) as http,
            http.get("/api/account") as response,
        ):
            assert response.status == 401
            assert await response.json() == {"error": "No such token"}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"[" * 5000),
        ("application/json", b"\xff"),
        ("application/json", b'{"fen": 7}'),
        ("application/json", b'{"fen": {"a": 1}}'),
        ("application/json", b'{"clock.limit": Infinity}'),
        ("application/json; charset=none", b"["),
        ("application/x-www-form-urlencoded; charset=none", b"a=b"),
        ("application/x-www-form-urlencoded", b"fen=\xff"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n"),
    ],
)
async def test_a_body_that_makes_no_sense_is_the_senders_fault(
    served: Served, bridged: Bridged, kind: str, body: bytes
) -> None:
    async with bridged.http() as http:
        headers = {"Content-Type": kind}
        async with http.post("/api/challenge/first", data=body, headers=headers) as response:
            assert response.status == 400
            assert "\n" not in (await response.json())["error"]
    assert served.chain.sent == []


async def test_bytes_that_are_no_text_are_no_token(bridged: Bridged) -> None:
    url = URL(bridged.url)
    assert url.host is not None
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = b"GET /api/account HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    writer.write(head + b"Authorization: Bearer \xff\xfe\r\n\r\n")
    assert b" 401 " in await reader.readline()
    writer.close()
    async with bridged.http() as http:
        headers = {"Content-Type": "text/plain; charset=none"}
        body = b"\xff," + TOKEN.encode()
        async with http.post("/api/token/test", data=body, headers=headers) as response:
            assert (await response.json())[TOKEN] is not None


async def test_a_game_that_the_contract_refuses_to_open_is_over(
    served: Served, bridged: Bridged
) -> None:
    served.chain.faults = [ChainRejected("OfferExpired", {})]
    async with bridged.http() as http:
        game = await challenge(http)
        async with asyncio.timeout(60), http.get(f"/api/bot/game/stream/{game}") as stream:
            *_, last = [json.loads(line) async for line in stream.content if line.strip()]
        assert last.get("state", last)["status"] == "aborted"
        async with http.get("/api/account/playing") as response:
            assert (await response.json())["nowPlaying"] == []


async def test_pages_are_turned_away_even_with_the_token(bridged: Bridged) -> None:
    async with bridged.http(Origin="http://evil.example") as http:
        for path in ("/api/account", "/api/stream/event"):
            async with http.get(path) as response:
                assert response.status == 403


async def test_a_program_may_ask_whether_its_token_is_good(bridged: Bridged) -> None:
    async with (
        aiohttp.ClientSession(bridged.url) as http,
        http.post("/api/token/test", data=f"{TOKEN},other") as response,
    ):
        told = await response.json()
    assert told[TOKEN]["scopes"] == "bot:play"
    assert told["other"] is None


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/challenge/nobody", {}, 404),
        ("/api/challenge/custom", {}, 404),
        ("/api/challenge/first", {"clock.limit": "x"}, 400),
        ("/api/challenge/first", {"clock.limit": 1}, 400),
        ("/api/challenge/first", {"clock.increment": 9999}, 400),
        ("/api/challenge/first", {"variant": "atomic"}, 400),
        ("/api/challenge/first", {"rated": True}, 400),
        ("/api/challenge/first", {"days": 2}, 400),
        ("/api/challenge/first", {"fen": "no position"}, 400),
        ("/api/challenge/first", [], 400),
        ("/api/challenge/first/accept", {}, 404),
        ("/api/challenge/first", {"fen": "8" * 20_000}, 413),
        ("/api/bot/game/0x00/resign", {}, 404),
        ("/api/bot/game/0x00/move/e2e4", {}, 404),
    ],
)
async def test_what_cannot_be_had_is_said_in_one_line(
    bridged: Bridged, path: str, body: Any, status: int
) -> None:
    async with bridged.http() as http, http.post(path, json=body) as response:
        told = await response.json()
        assert response.status == status, told
        assert set(told) == {"error"}
        assert "\n" not in told["error"]
    assert bridged.bridge.tables == {}


async def test_moves_that_are_none_are_refused_and_change_nothing(bridged: Bridged) -> None:
    async with bridged.http() as http:
        game = await challenge(http)
        for uci in ("e2e5", "nonsense", "e7e5", "0000", "e2e4q"):
            async with http.post(f"/api/bot/game/{game}/move/{uci}") as response:
                assert response.status == 400
        async with http.post(f"/api/bot/game/{game}/move/e2e4") as response:
            assert await response.json() == {"ok": True}
    assert bridged.bridge.tables[game].client.moves[0].uci == "e2e4"


async def test_a_form_is_as_good_as_json_and_chat_is_dropped(bridged: Bridged) -> None:
    async with bridged.http() as http:
        form = {"color": "black", "clock.limit": "60", "clock.increment": "1", "rated": "false"}
        async with http.post("/api/challenge/last", data=form) as response:
            made = await response.json()
        assert made["timeControl"]["show"] == "1+1"
        assert made["finalColor"] == "black"
        chat = f"/api/bot/game/{made['id']}/chat"
        async with http.post(chat, data={"room": "player", "text": "hi"}) as response:
            assert await response.json() == {"ok": True}
        async with http.get(chat) as response:
            assert await response.json() == []
        async with http.get("/api/account/playing") as response:
            (info,) = (await response.json())["nowPlaying"]
    assert (info["color"], info["opponent"]["username"]) == ("black", "last")


async def test_a_game_from_a_position_names_it(bridged: Bridged) -> None:
    fen = "4k3/8/8/8/8/8/4P3/4K3 w - - 0 1"
    async with bridged.http() as http:
        game = await challenge(http, fen=fen)
        async with http.get(f"/api/bot/game/stream/{game}") as stream:
            full = json.loads(await stream.content.readline())
    assert full["initialFen"] == fen
    assert full["variant"]["key"] == "fromPosition"


async def test_a_game_is_aborted(served: Served, bridged: Bridged) -> None:
    async with bridged.http() as http:
        game = await challenge(http)
        async with http.get(f"/api/bot/game/stream/{game}") as stream:
            await stream.content.readline()
            async with http.post(f"/api/bot/game/{game}/abort") as response:
                assert await response.json() == {"ok": True}
            states = [json.loads(line) async for line in stream.content if line.strip()]
    assert states[-1]["status"] == "aborted"
    assert "winner" not in states[-1]


async def test_claims_come_to_the_arena_and_its_no_comes_back(bridged: Bridged) -> None:
    async with bridged.http() as http:
        game = await challenge(http)
        for claim in ("draw/yes", "claim-victory"):
            async with http.post(f"/api/bot/game/{game}/{claim}") as response:
                assert response.status == 400
        async with http.post(f"/api/bot/game/{game}/draw/no") as response:
            assert response.status == 200


async def test_a_bridge_that_starts_again_takes_its_games_up(
    served: Served, bridged: Bridged
) -> None:
    async with bridged.http() as http:
        game = await challenge(http)
    again = Bridge(served.url, KEY)
    try:
        assert await again.open() == 1
        await again.table(game).play("e2e4")
        assert len(again.table(game).client.moves) == 2
        assert await Bridge(served.url, PrivateKey(b"\x12" * 32)).open() == 0
    finally:
        await again.close()


async def test_an_arena_that_is_closing_is_no_fault_of_the_program(
    served: Served, bridged: Bridged
) -> None:
    served.site.arena = None
    async with bridged.http() as http, http.post("/api/challenge/first", json={}) as response:
        assert response.status == 503


# --- key ----------------------------------------------------------------------------------------


def test_a_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "new" / "bridge.key"
    key, is_new = cli_bridge.load_key(file)
    assert is_new
    assert file.stat().st_mode & 0o777 == 0o600
    again, is_new = cli_bridge.load_key(file)
    assert not is_new
    assert again.secret == key.secret
    assert key.secret.hex() not in cli_bridge.token_of(key)


@pytest.mark.parametrize("text", ["", "0x12", "zz" * 32, "00" * 32, "ff" * 32, "é"])
def test_a_file_that_holds_no_key_is_told_without_its_contents(tmp_path: Path, text: str) -> None:
    file = tmp_path / "bridge.key"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadKeyFile) as caught:
        cli_bridge.load_key(file)
    assert not text or text not in str(caught.value)


@pytest.mark.parametrize(
    ("base", "increment", "speed"),
    [
        (10, 0, "ultraBullet"),
        (60, 1, "bullet"),
        (300, 0, "blitz"),
        (600, 5, "rapid"),
        (1800, 0, "classical"),
    ],
)
def test_speeds_are_lichess_own(base: int, increment: int, speed: str) -> None:
    clock = ClockTerms(base_seconds=base, increment_seconds=increment, delay_seconds=0)
    assert speed_of(clock) == speed
