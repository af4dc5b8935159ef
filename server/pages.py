"""The page, the JSON API, the event stream and the keys, all read-only."""

import asyncio
import contextlib
import json
import re
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from server.arena import Arena
from server.asyncapi import document
from server.describe import clock_of, result_of, side_of
from server.errors import CommandRefused
from server.expected import expected_seconds
from server.health import Part, Status, worst
from server.hosted import Hosted
from server.hub import Subscriber
from server.info import ArenaInfo
from server.metrics import CONTENT_TYPE
from server.ply import hex_of
from server.schema import json_schema
from server.session import Session
from server.site import SITE, KeyFiles, Site, offered
from server.static import TYPES, Files

routes = web.RouteTableDef()
_schema, _asyncapi = cache(json_schema), cache(document)  # a tenth of a second each
FILES: Final = Files()

_FOLDERS: Final = frozenset({"css", "fonts", "img", "js", "vendor"})
_WARMING: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="2">
<title>checkproof is warming up</title></head>
<body><h1>The arena is warming up</h1><p>{step}</p>
<p>This page comes back by itself.</p></body></html>
"""
_HASH: Final = re.compile(r"(0x)?([0-9a-fA-F]{64})")
_GAMES_LISTED: Final = 200
GONE_SECONDS: Final = 10.0


# --- page ---------------------------------------------------------------------------------------


@routes.get("/")
async def index(request: web.Request) -> web.StreamResponse:
    return await _page(request, "index.html")


@routes.get("/game/{id}")
@routes.get("/watch/{id}")
async def game_page(request: web.Request) -> web.StreamResponse:
    return await _page(request, "game.html")


@routes.get("/tv")
async def tv_page(request: web.Request) -> web.StreamResponse:
    return await _page(request, "tv.html")


@routes.get("/replay/{id}")
async def replay_page(request: web.Request) -> web.StreamResponse:
    return await _page(request, "replay.html")


@routes.get("/embed/{id}")
async def embedded_board(request: web.Request) -> web.StreamResponse:
    return await _page(request, "embed.html")


@routes.get("/web/{path:.+}")
async def static(request: web.Request) -> web.StreamResponse:
    """The page's own files: no listings, no other folders, no unknown types."""
    file = _own_file(request.app[SITE].page, request.match_info["path"])
    if file is None:
        raise web.HTTPNotFound
    return await FILES.response(request, file)


def _own_file(page: Path, name: str) -> Path | None:
    root = page.resolve()
    try:
        file = (root / name).resolve()
        parts = file.relative_to(root).parts
    except ValueError:  # a zero byte, or a way out of the folder
        return None
    is_ours = len(parts) > 1 and parts[0] in _FOLDERS and not any(p[0] == "." for p in parts)
    return file if is_ours and file.suffix in TYPES and file.is_file() else None


async def _page(request: web.Request, name: str) -> web.StreamResponse:
    site = request.app[SITE]
    if site.arena is None:
        text = _WARMING.format(step=escape(site.warming))
        return web.Response(text=text, content_type="text/html", status=503)
    return await FILES.response(request, site.page / name)


# --- API ----------------------------------------------------------------------------------------


@routes.get("/healthz")
async def healthz(request: web.Request) -> web.Response:
    """200 when games can be played, 503 otherwise; why, and how each part is."""
    site = request.app[SITE]
    status, told = health(site)
    return _json(told, status=503 if status == "down" else 200)


@routes.get("/metrics")
async def metrics(request: web.Request) -> web.Response:
    """Prometheus' text format."""
    site = request.app[SITE]
    headers = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}
    return web.Response(body=site.metrics.text(site), headers=headers)


@routes.get("/api/config")
async def config(request: web.Request) -> web.Response:
    site, arena = request.app[SITE], _arena(request)
    info = _info(site)
    bots, expected = [], expected_seconds(info.bots, arena.proof_seconds)
    for bot in info.bots:
        version = bytes.fromhex(bot.version[2:])
        seen = {
            "prove_seconds": arena.proof_seconds(version),
            "expect_seconds": expected.get(bot.version),
            "gas": site.gas.median(version),
        }
        bots.append(bot.model_copy(update=seen))
    told = {"bots": bots, "rpc_url": next(iter(offered(request)), None)}
    return _json(info.model_copy(update=told).model_dump(by_alias=True))


@routes.get("/api/schema")
async def schema(request: web.Request) -> web.Response:  # noqa: ARG001 aiohttp's signature
    return _json(await asyncio.to_thread(_schema))


@routes.get("/api/asyncapi")
async def asyncapi(request: web.Request) -> web.Response:  # noqa: ARG001 aiohttp's signature
    return _json(await asyncio.to_thread(_asyncapi))


@routes.get("/api/games")
async def games(request: web.Request) -> web.Response:
    """The newest games, shortly."""
    arena = _arena(request)
    newest = [summary(h) for h, _ in zip(arena.games(), range(_GAMES_LISTED), strict=False)]
    return _json(newest)


@routes.get("/api/games/{id}")
async def game(request: web.Request) -> web.Response:
    full = _hosted(request).room.full()
    return _json({**full.d.model_dump(by_alias=True), "v": full.v})


@routes.get("/api/games/{id}/stream")
async def stream(request: web.Request) -> web.StreamResponse:
    """The frames of a game, one a line, until it ends."""
    site, hosted, arena = request.app[SITE], _hosted(request), _arena(request)
    if site.is_full:
        raise web.HTTPServiceUnavailable(text="too many readers\n")
    with site.guests.entered(site.guests.address_of(request)):
        return await _stream(request, hosted, arena)


async def _stream(request: web.Request, hosted: Hosted, arena: Arena) -> web.StreamResponse:
    site = request.app[SITE]
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(request)
    queue = Subscriber(on_drop=lambda: _cut(request))
    site.streams += 1
    arena.join(hosted, queue)
    try:
        await _write_lines(request, response, hosted, queue)
    finally:
        site.streams -= 1
        arena.leave(hosted, queue)
    return response


async def _write_lines(
    request: web.Request, response: web.StreamResponse, hosted: Hosted, queue: Subscriber
) -> None:
    if hosted.session.is_over:
        queue.close()
    while (wire := await _next_of(request, queue)) is not None:
        await response.write(wire.encode() + b"\n")
        if hosted.session.is_over:
            queue.close()
    if not queue.is_dropped and request.transport is not None:
        await response.write_eof()


async def _next_of(request: web.Request, queue: Subscriber) -> str | None:
    """The next frame; None at the end, and soon after the reader went away.

    Nobody tells a handler that; at a game in which nothing happens it would stay for ever.
    """
    while request.transport is not None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GONE_SECONDS):
                return await queue.next()
    return None


def _cut(request: web.Request) -> None:
    """A reader that stands still would hold its connection for ever."""
    request.app[SITE].dropped += 1
    if request.transport is not None:
        request.transport.abort()


def summary(hosted: Hosted) -> dict[str, Any]:
    """A game without its moves: two hundred whole ones would hold the event loop up."""
    session: Session = hosted.session
    terms, ended, plies = session.terms, session.ended, session.line.plies
    result = result_of(ended.outcome) if ended else None
    return {
        "game": hex_of(session.id),
        "white": side_of(terms, terms.open.white).model_dump(by_alias=True),
        "black": side_of(terms, terms.open.black).model_dump(by_alias=True),
        "clock": clock_of(terms).model_dump(by_alias=True),
        "status": session.status,
        "result": result.model_dump(by_alias=True) if result else None,
        "spectators": hosted.room.spectators,
        "plies": len(plies),
        "verified": len(plies) - len(session.line.pending),
        "fen": session.line.fen,
        "lastMove": plies[-1].uci if plies else None,
    }


# --- keys ---------------------------------------------------------------------------------------


@routes.get("/keys/{hash}")
async def key(request: web.Request) -> web.Response:
    """A key by the SHA-256 of its verifying key: anyone may verify, and prove."""
    found = _key(request)
    links = {"verifyingKeyFile": f"/keys/{found.key_hash}/verifying"}
    if found.proving_key is not None:
        links["provingKeyFile"] = f"/keys/{found.key_hash}/proving"
    return _json(
        {
            "keyHash": found.key_hash,
            "circuitHash": found.circuit_hash,
            "setup": found.kind,
            "proofSystem": found.proof_system,
            "files": {
                name: {"sha256": sha256, "url": f"/files/{sha256}"}
                for name, sha256 in found.files.items()
            },
            "verifyingKey": "0x" + found.verifying_key.hex(),
            **links,
        }
    )


@routes.get("/keys/{hash}/verifying")
async def verifying_key(request: web.Request) -> web.Response:
    found = _key(request)
    return web.Response(
        body=found.verifying_key,
        content_type="application/octet-stream",
        headers=_download(f"{found.key_hash}.vk"),
    )


@routes.get("/keys/{hash}/proving")
async def proving_key(request: web.Request) -> web.StreamResponse:
    found = _key(request)
    if found.proving_key is None:
        raise _not_found("no_key", "this server does not hold the proving key")
    name = f"{found.key_hash}{found.proving_key.suffix}"
    headers = {"Content-Type": "application/octet-stream", **_download(name)}
    return web.FileResponse(found.proving_key, headers=headers)


def _key(request: web.Request) -> KeyFiles:
    match = _HASH.fullmatch(request.match_info["hash"])
    found = request.app[SITE].find_key(match.group(2).lower()) if match else None
    if found is None:
        raise _not_found("no_key", "no key of this hash is here")
    return found


def _download(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


# --- health -------------------------------------------------------------------------------------


def health(site: Site) -> tuple[Status, dict[str, Any]]:
    """The status of the whole, and all that /healthz says."""
    arena, vitals = site.arena, site.vitals
    ready = Part("ok") if site.is_open else Part("down", site.warming)
    parts = {
        "chain": vitals.chain(arena.chain_fault if arena is not None else None),
        "prover": vitals.prover(),
        "store": vitals.store(arena.store_fault if arena is not None else None),
    }
    reasons = [part.what for part in (ready, *parts.values()) if part.what is not None]
    status = worst(ready, *parts.values())
    return status, {
        "status": status,
        "what": "; ".join(reasons) or None,
        **{name: part.json() for name, part in parts.items()},
    }


# --- small change -------------------------------------------------------------------------------


def _arena(request: web.Request) -> Arena:
    site = request.app[SITE]
    if site.arena is None:
        raise web.HTTPServiceUnavailable(
            text=_error("warming_up", site.warming), content_type="application/json"
        )
    return site.arena


def _info(site: Site) -> ArenaInfo:
    if site.info is None:
        raise web.HTTPServiceUnavailable(
            text=_error("warming_up", site.warming), content_type="application/json"
        )
    return site.info


def _hosted(request: web.Request) -> Hosted:
    arena, match = _arena(request), _HASH.fullmatch(request.match_info["id"])
    if match is None:
        raise _not_found("unknown_game", "a game is named by 32 bytes in hex")
    try:
        return arena.game(bytes.fromhex(match.group(2)))
    except CommandRefused as error:
        raise _not_found(error.code, error.message) from error


def _not_found(code: str, message: str) -> web.HTTPNotFound:
    return web.HTTPNotFound(text=_error(code, message), content_type="application/json")


def _error(code: str, message: str) -> str:
    return json.dumps({"error": {"code": code, "message": message}})


def _json(value: Any, *, status: int = 200) -> web.Response:
    return web.json_response(value, status=status, headers={"Cache-Control": "no-store"})
