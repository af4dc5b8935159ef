"""The aiohttp application: everything on one port."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import WSCloseCode, web

from server import files, lobby
from server.guests import too_many
from server.pages import routes
from server.site import SITE, Site, add_security_headers
from server.sockets import websocket

_LIMITED: Final = ("/api/", "/keys/", "/files/")
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def limit_requests(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Turn away who asks too often; the page's own files cost little and are not counted."""
    if request.path.startswith(_LIMITED) and not request.app[SITE].guests.may_ask(request):
        raise too_many("too many requests; try again in a second")
    return await handler(request)


def make_app(site: Site) -> web.Application:
    """The page, the API and the websocket of one site."""
    app = web.Application(middlewares=[limit_requests])
    app[SITE] = site
    app.add_routes(routes)
    app.add_routes(files.routes)
    lobby.set_up(app)
    app.router.add_get("/ws", websocket)
    app.on_response_prepare.append(add_security_headers)
    app.on_shutdown.append(_on_shutdown)
    return app


async def close_sockets(site: Site) -> None:
    """Say goodbye to every socket (1001), all at once."""
    goodbyes = (
        socket.close(code=WSCloseCode.GOING_AWAY, message=b"the arena is closing")
        for socket in site.sockets
    )
    await asyncio.gather(*goodbyes, return_exceptions=True)


async def _on_shutdown(app: web.Application) -> None:
    await close_sockets(app[SITE])
