"""Lichess's Bot API in front of an arena, for one key on this machine.

    GET   /api/account                            who we are
    GET   /api/account/playing                    our games that go on
    GET   /api/stream/event                       gameStart, gameFinish, one a line
    GET   /api/bot/online                         the arena's bots, one a line
    GET   /api/bot/game/stream/{id}               gameFull, then gameState, until the end
    POST  /api/bot/game/{id}/move/{uci}           and /resign, /abort, /draw/yes, /claim-victory
    POST  /api/challenge/{bot}                    open a game; it begins at once
    POST  /api/token/test, /api/bot/account/upgrade

Who holds the token may play with the key, and nobody else: no page in a browser of this machine,
which would name its origin.  There is no chat and no rating here: what is said is dropped.
"""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from engine.errors import EngineError
from server import bot_api_shapes as shapes
from server.bot_api_games import Bridge, Event, Listener, Table
from server.errors import ArenaError, CommandRefused, FrameError

KEEP_ALIVE_SECONDS: Final = 6.0
_MAX_BODY: Final = 16 * 1024
_OK: Final = {"ok": True}
_NOT_FOUND: Final = ("unknown_game", "unknown_bot")

BRIDGE: Final = web.AppKey("bridge", Bridge)
_TOKEN: Final = web.AppKey("token", str)
_STREAMS: Final = web.AppKey("streams", set[asyncio.Task[Any]])
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

routes = web.RouteTableDef()


def make_app(bridge: Bridge, token: str) -> web.Application:
    """The bridge's own server; listen on this machine alone."""
    app = web.Application(middlewares=[_guard], client_max_size=_MAX_BODY)
    app[BRIDGE], app[_TOKEN], app[_STREAMS] = bridge, token, set()
    app.add_routes(routes)
    app.on_shutdown.append(_end_streams)
    return app


@web.middleware
async def _guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
    if "Origin" in request.headers:
        return _problem(HTTPStatus.FORBIDDEN, "this address is not for pages")
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    is_test = request.path == "/api/token/test"  # it asks about the tokens in its body
    if not is_test and not _is_token(request, given):
        return _problem(HTTPStatus.UNAUTHORIZED, "No such token")
    return await _told(request, handler)


async def _told(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """What the handler says, or in one line why not."""
    try:
        return await handler(request)
    except CommandRefused as refused:
        missing = refused.code in _NOT_FOUND
        status = HTTPStatus.NOT_FOUND if missing else _status_of(refused)
        return _problem(status, refused.message)
    except web.HTTPException as error:  # aiohttp's own: no such path, too large a body
        return _problem(HTTPStatus(error.status), error.reason)
    except (FrameError, EngineError) as error:
        return _problem(HTTPStatus.BAD_REQUEST, str(error))
    except (ArenaError, ConnectionError, TimeoutError) as error:
        return _problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error) or "the arena does not answer")


def _is_token(request: web.Request, given: str) -> bool:
    # whatever bytes a header brings, aiohttp makes text of: some of it is no UTF-8 again
    return hmac.compare_digest(given.encode(errors="replace"), request.app[_TOKEN].encode())


def _status_of(refused: CommandRefused) -> HTTPStatus:
    if refused.code in ("rate_limited", "too_many_games"):
        return HTTPStatus.TOO_MANY_REQUESTS
    return HTTPStatus.BAD_REQUEST


def _problem(status: HTTPStatus, message: str) -> web.Response:
    return web.json_response({"error": message}, status=status)


# --- who ----------------------------------------------------------------------------------------


@routes.get("/api/account")
async def account(request: web.Request) -> web.Response:
    name = shapes.user_name(request.app[BRIDGE].address)
    return web.json_response({"id": name, "username": name, "title": "BOT", "perfs": {}})


@routes.post("/api/token/test")
async def test_token(request: web.Request) -> web.Response:
    """Which of the tokens in the body, with commas between them, are ours."""
    told: dict[str, Any] = {}
    for token in (await request.read()).decode(errors="replace").split(","):
        name = shapes.user_name(request.app[BRIDGE].address)
        ours = {"userId": name, "scopes": "bot:play", "expires": None}
        told[token] = ours if _is_token(request, token) else None
    return web.json_response(told)


@routes.post("/api/bot/account/upgrade")
async def upgrade(request: web.Request) -> web.Response:  # noqa: ARG001 aiohttp's signature
    return web.json_response(_OK)


@routes.get("/api/account/playing")
async def playing(request: web.Request) -> web.Response:
    tables = request.app[BRIDGE].tables.values()
    return web.json_response({"nowPlaying": [t.info() for t in tables if not t.is_over]})


@routes.get("/api/bot/online")
async def online(request: web.Request) -> web.Response:
    names = [bot["name"] for bot in await request.app[BRIDGE].bots()]
    users = ({"id": n.lower(), "username": n, "title": "BOT", "perfs": {}} for n in names)
    lines = "".join(json.dumps(user) + "\n" for user in users)
    return web.Response(text=lines, content_type="application/x-ndjson")


# --- streams ------------------------------------------------------------------------------------


@routes.get("/api/stream/event")
async def events(request: web.Request) -> web.StreamResponse:
    return await _stream(request, _events(request.app[BRIDGE]))


async def _events(bridge: Bridge) -> AsyncIterator[Event | None]:
    """The games that go on, then what begins and ends; None now and then."""
    listener = Listener()
    bridge.listeners.add(listener)
    try:
        for table in [t for t in bridge.tables.values() if not t.is_over]:
            yield {"type": "gameStart", "game": table.info()}
        while not listener.is_lost:
            try:
                async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                    event = await listener.queue.get()
            except TimeoutError:
                yield None
            else:
                yield event
    finally:
        bridge.listeners.discard(listener)


@routes.get("/api/bot/game/stream/{id}")
async def game(request: web.Request) -> web.StreamResponse:
    return await _stream(request, _states(_table(request)))


async def _states(table: Table) -> AsyncIterator[Event | None]:
    told = table.line()
    yield table.full()
    while not table.is_over or told != table.line():
        try:
            await table.client.wait_until(
                lambda: table.line() != told,  # noqa: B023 it is asked before `told` changes
                seconds=KEEP_ALIVE_SECONDS,
            )
        except TimeoutError:
            yield None
        else:
            told = table.line()
            yield table.state()


async def _stream(request: web.Request, source: AsyncIterator[Event | None]) -> web.StreamResponse:
    """Each event a line; an empty one shows that the line is not dead, as Lichess does it."""
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(request)
    task = asyncio.current_task()
    assert task is not None
    request.app[_STREAMS].add(task)
    try:
        async for event in source:
            line = b"" if event is None else json.dumps(event).encode()
            await response.write(line + b"\n")
    except ConnectionError:  # the reader has gone, or the arena for good
        pass
    finally:
        request.app[_STREAMS].discard(task)
    return response


async def _end_streams(app: web.Application) -> None:
    for task in app[_STREAMS].copy():
        task.cancel()


# --- commands -----------------------------------------------------------------------------------


@routes.post("/api/bot/game/{id}/move/{uci}")
async def move(request: web.Request) -> web.Response:
    await _table(request).play(request.match_info["uci"])
    return web.json_response(_OK)


@routes.post("/api/bot/game/{id}/resign")
async def resign(request: web.Request) -> web.Response:
    await _table(request).resign()
    return web.json_response(_OK)


@routes.post("/api/bot/game/{id}/abort")
async def abort(request: web.Request) -> web.Response:
    await _table(request).abort()
    return web.json_response(_OK)


@routes.post("/api/bot/game/{id}/draw/{accept}")
async def draw(request: web.Request) -> web.Response:
    """`yes` claims a draw by the rules; nobody here offers or takes one otherwise."""
    table = _table(request)
    if request.match_info["accept"] in ("yes", "true"):
        await table.claim_draw()
    return web.json_response(_OK)


@routes.post("/api/bot/game/{id}/claim-victory")
async def claim_victory(request: web.Request) -> web.Response:
    """When the other side's time has run out."""
    await _table(request).claim_time()
    return web.json_response(_OK)


@routes.get("/api/bot/game/{id}/chat")
async def read_chat(request: web.Request) -> web.Response:
    _table(request)
    return web.json_response([])


@routes.post("/api/bot/game/{id}/chat")
async def write_chat(request: web.Request) -> web.Response:
    _table(request)
    return web.json_response(_OK)


@routes.post("/api/challenge/{name}")
async def challenge(request: web.Request) -> web.Response:
    asked = await _fields(request)
    variant = asked.get("variant") or "standard"
    if variant not in ("standard", "fromPosition"):
        raise CommandRefused("bad_start", f"Only standard chess is played here, not {variant}")
    if asked.get("rated") in (True, "true") or asked.get("days"):
        raise CommandRefused("bad_clock", "Games here are unrated and have a clock")
    table = await request.app[BRIDGE].challenge(
        request.match_info["name"],
        color=str(asked.get("color") or "random"),
        base=_number(asked, "clock.limit"),
        increment=_number(asked, "clock.increment"),
        fen=_text(asked, "fen"),
    )
    return web.json_response(shapes.challenge(table.client.view, table.color))


async def _fields(request: web.Request) -> dict[str, Any]:
    """The body, as JSON or as a form: programs send either.  Raises FrameError."""
    if request.content_type != "application/json":
        try:
            return dict(await request.post())
        except (ValueError, LookupError):  # bytes or a charset that make no text
            raise FrameError("bad_frame", "the body is no form") from None
    try:
        told = json.loads(await request.read())
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise FrameError("bad_frame", "the body is one JSON object")
    return told


def _text(asked: dict[str, Any], name: str) -> str | None:
    value = asked.get(name) or None
    if not isinstance(value, str | None):
        raise FrameError("bad_frame", f"{name} is a text")
    return value


def _number(asked: dict[str, Any], name: str) -> int | None:
    value = asked.get(name)
    if value is None or value == "":
        return None
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        number = -1
    if not 0 <= number < 1 << 16:
        raise FrameError("bad_frame", f"{name} is a number of seconds")
    return number


def _table(request: web.Request) -> Table:
    return request.app[BRIDGE].table(request.match_info["id"])
