"""One who looks at a game over a websocket, and comes back whenever the line is cut.

A plain websocket and JSON: the server's own client is not used, so that its mistakes are not made
twice.
"""

import asyncio
import contextlib
import itertools
import json
from collections.abc import Callable
from typing import Any, Final, Literal

import websockets

from server.bench.screen import Screen

Return = Literal["with_version", "fresh", "older"]
"""How to come back: with the last version seen, as a page loaded anew, with an older version."""

REPLY_SECONDS: Final = 20.0
_BACK_SECONDS: Final = 0.25
_OLDER_BY: Final = 12
_UNKNOWN_GAME: Final = 4004
_LOST: Final = (OSError, TimeoutError, websockets.WebSocketException)


class LineCut(Exception):
    """The socket ended before the answer came."""


class Reader:
    """A socket that feeds a screen; `where` names the server's address of the moment."""

    def __init__(self, where: Callable[[], str], screen: Screen) -> None:
        self.screen = screen
        self.news = asyncio.Condition()
        self.unknown = 0
        """How often the server said that there is no such game."""
        self._where = where
        self._socket: websockets.ClientConnection | None = None
        self._return: Return = "fresh"
        self._ids = itertools.count(1)
        self._replies: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._cut_next = False

    @property
    def is_connected(self) -> bool:
        return self._socket is not None

    async def run(self) -> None:
        """Look on until cancelled."""
        while True:
            with contextlib.suppress(*_LOST):
                await self._visit()
            await asyncio.sleep(_BACK_SECONDS)

    def come_back(self, how: Return) -> None:
        """Cut the line now, and return in this way."""
        self._return = how
        self._abort()

    def cut_next_command(self) -> None:
        """Cut the line right after the next command was sent, before its answer."""
        self._cut_next = True

    async def request(self, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        """Send a command; the frame that answers it.  Raises LineCut."""
        socket = self._socket
        if socket is None:
            raise LineCut
        echo = next(self._ids)
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._replies[echo] = future
        try:
            await socket.send(json.dumps({"t": kind, "id": echo, "d": data}))
            if self._cut_next:
                self._cut_next = False
                self.come_back("with_version")
            async with asyncio.timeout(REPLY_SECONDS):
                return await future
        except TimeoutError:
            self.come_back("with_version")
            raise LineCut from None
        except _LOST as error:
            raise LineCut from error
        finally:
            del self._replies[echo]
            _ = future.done() and not future.cancelled() and future.exception()  # it was heard

    async def until(self, is_so: Callable[[], bool], *, seconds: float | None = None) -> None:
        """Wait until something holds of what is shown.  Raises TimeoutError."""
        async with asyncio.timeout(seconds), self.news:
            await self.news.wait_for(is_so)

    # --- inside ---------------------------------------------------------------------------------

    def _abort(self) -> None:
        if self._socket is not None:
            self._socket.transport.abort()

    async def _visit(self) -> None:
        since = self._since()
        query = f"?game={self.screen.game}" + ("" if since is None else f"&v={since}")
        address = "ws" + self._where().removeprefix("http").rstrip("/") + "/ws" + query
        async with websockets.connect(
            address, max_size=None, compression=None, open_timeout=10, close_timeout=1
        ) as socket:
            self.screen.connect(since)
            self._socket = socket
            await self.tell()
            try:
                async for raw in socket:
                    await self._take(str(raw))
            finally:
                self._socket = None
                self.unknown += socket.close_code == _UNKNOWN_GAME
                self._fail_replies()

    def _since(self) -> int | None:
        how, self._return = self._return, "with_version"
        version = self.screen.version
        if version is None or how == "fresh":
            return None
        return version - _OLDER_BY if how == "older" else version

    async def _take(self, raw: str) -> None:
        frame = json.loads(raw)
        if "v" in frame:
            self.screen.frame(raw)
            await self.tell()
        elif (future := self._replies.get(frame.get("id"))) is not None and not future.done():
            future.set_result(frame)

    async def tell(self) -> None:
        """Let all look again who wait."""
        async with self.news:
            self.news.notify_all()

    def _fail_replies(self) -> None:
        for future in self._replies.values():
            if not future.done():
                future.set_exception(LineCut())
