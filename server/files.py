"""Files by their SHA-256: what an ONNX bot was made of and with, for whoever wants to make it anew.

Whoever has the hash knows what to expect, so nothing of it has to be believed, and nothing ever
changes under its name.
"""

import re
from typing import Final

from aiohttp import web

from server.site import SITE

routes = web.RouteTableDef()

_HASH: Final = re.compile(r"(0x)?([0-9a-fA-F]{64})")


@routes.get("/files/{hash}")
async def file(request: web.Request) -> web.StreamResponse:
    """A file, or a range of it; they may be large, so they are never read whole."""
    match = _HASH.fullmatch(request.match_info["hash"])
    name = match.group(2).lower() if match else ""
    found = request.app[SITE].find_file(name) if match else None
    if found is None or not found.is_file():
        raise web.HTTPNotFound(
            text='{"error": {"code": "no_key", "message": "no file of this hash is here"}}',
            content_type="application/json",
        )
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f'attachment; filename="{name[:16]}-{found.name}"',
        "Cache-Control": "public, max-age=31536000, immutable",
    }
    return web.FileResponse(found, headers=headers)
