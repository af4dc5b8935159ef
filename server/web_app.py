"""The aiohttp application: everything on one port."""

import asyncio

from aiohttp import WSCloseCode, web

from server import files, lobby
from server.pages import routes
from server.site import SITE, Site, add_security_headers
from server.sockets import websocket


def make_app(site: Site) -> web.Application:
    """The page, the API and the websocket of one site."""
    app = web.Application()
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
