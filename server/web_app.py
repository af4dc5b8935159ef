"""The aiohttp application: everything on one port."""

import asyncio

from aiohttp import WSCloseCode, web

from server.pages import routes
from server.site import SITE, Site, add_security_headers
from server.sockets import websocket


def make_app(site: Site) -> web.Application:
    """The page, the API and the websocket of one site."""
    app = web.Application()
    app[SITE] = site
    app.add_routes(routes)
    app.router.add_get("/ws", websocket)
    app.on_response_prepare.append(add_security_headers)
    app.on_shutdown.append(_close_sockets)
    return app


async def _close_sockets(app: web.Application) -> None:
    goodbyes = (
        socket.close(code=WSCloseCode.GOING_AWAY, message=b"the arena is closing")
        for socket in app[SITE].sockets
    )
    await asyncio.gather(*goodbyes, return_exceptions=True)
