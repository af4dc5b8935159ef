"""A node between us and the real one that alters some of the answers."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

Lie = Callable[[str, list[Any], Any], Any]
"""What is answered to a method with these parameters in place of the true result."""


@asynccontextmanager
async def lying_node(url: str, lie: Lie) -> AsyncIterator[str]:
    """The address of a node that lies about the chain at `url`."""
    async with aiohttp.ClientSession() as session:

        async def answer(request: web.Request) -> web.Response:
            question = await request.json()
            async with session.post(url, json=question) as response:
                told = await response.json()
            if "result" in told:
                told["result"] = lie(question["method"], question["params"], told["result"])
            return web.json_response(told)

        app = web.Application()
        app.router.add_post("/", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            host, port = runner.addresses[0][:2]
            yield f"http://{host}:{port}/"
        finally:
            await runner.cleanup()
