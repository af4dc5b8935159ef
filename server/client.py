"""A client of the arena's websocket: plays, watches, and comes back where it left off.

async with await Client.connect("http://127.0.0.1:8000") as lobby:
    offer = await lobby.offer(bot)
    game = await lobby.open(opening, signature)
async with await Client.connect(url, game=game) as player:
    await player.move(0, index, signature)
    await player.wait_stage(1, "verified")
"""

import asyncio
import contextlib
import itertools
import json
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self

import websockets

from proofs.signing import Open
from server import messages as m
from server.errors import CommandRefused
from server.ply import hex_of

_REPLY_SECONDS: Final = 30.0


class Client:
    """One socket.  `events` holds all that came, `moves` the plies as they stand."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._replies: dict[int, asyncio.Future[m.Reply]] = {}
        self._changed = asyncio.Condition()
        self._error: BaseException | None = None
        self.snapshot: m.Snapshot | None = None
        self.moves: list[m.MoveRecord] = []
        self.events: list[m.GameEvent] = []
        self.end: m.EndData | None = None
        self.version: int | None = None
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def connect(
        cls, url: str, *, game: str | None = None, since: int | None = None
    ) -> "Client":
        """Connect to the arena at an http URL, as its lobby or to one game."""
        query = "&".join(
            f"{name}={value}" for name, value in (("game", game), ("v", since)) if value is not None
        )
        address = (
            "ws" + url.removeprefix("http").rstrip("/") + "/ws" + (f"?{query}" if query else "")
        )
        return cls(await websockets.connect(address, max_size=None, compression=None))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._socket.close()
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader

    # --- commands -------------------------------------------------------------------------------

    async def request(self, kind: str, data: dict[str, Any]) -> m.Reply:
        """Send a command, wait for its answer.  Raises CommandRefused with the server's code."""
        echo = next(self._ids)
        future = asyncio.get_running_loop().create_future()
        self._replies[echo] = future
        frame = {"t": kind, "id": echo, "d": data}
        try:
            await self._socket.send(json.dumps(frame))
            async with asyncio.timeout(_REPLY_SECONDS):
                reply: m.Reply = await future
        finally:
            del self._replies[echo]
        if isinstance(reply, m.ErrorReply):
            raise CommandRefused(reply.d.code, reply.d.message)
        return reply

    async def offer(self, bot: bytes) -> m.OfferReply:
        reply = await self.request("offer", {"bot": hex_of(bot)})
        assert isinstance(reply, m.Offered)
        return reply.d

    async def open(self, opening: Open, signature: bytes) -> str:
        """Open a signed game; its id as 0x hex."""
        data = {"open": open_to_json(opening), "signature": hex_of(signature)}
        reply = await self.request("open", data)
        assert isinstance(reply, m.Opened)
        return reply.d.game

    async def move(self, ply: int, index: int, signature: bytes) -> None:
        await self.request("move", {"ply": ply, "index": index, "signature": hex_of(signature)})

    async def resign(self, signature: bytes) -> None:
        await self.request("resign", {"signature": hex_of(signature)})

    async def draw(self, ply: int, signature: bytes) -> None:
        await self.request("draw", {"ply": ply, "signature": hex_of(signature)})

    async def claim_timeout(self) -> None:
        await self.request("timeout", {})

    async def ping(self) -> None:
        await self.request("ping", {})

    # --- waiting --------------------------------------------------------------------------------

    async def wait_until(self, is_so: Callable[[], bool], *, seconds: float = 60.0) -> None:
        """Wait until something holds of what came.  Raises TimeoutError, ConnectionError."""
        async with asyncio.timeout(seconds), self._changed:
            while not is_so():
                if self._error is not None:
                    raise ConnectionError("the socket has ended") from self._error
                await self._changed.wait()

    async def wait_ply(self, ply: int, *, seconds: float = 60.0) -> m.MoveRecord:
        """Wait until ply `ply` is known."""
        await self.wait_until(lambda: len(self.moves) > ply, seconds=seconds)
        return self.moves[ply]

    async def wait_stage(self, ply: int, stage: m.Stage, *, seconds: float = 60.0) -> m.MoveRecord:
        """Wait until ply `ply` has reached a stage."""
        await self.wait_until(
            lambda: len(self.moves) > ply and self.moves[ply].stage == stage, seconds=seconds
        )
        return self.moves[ply]

    async def wait_end(self, *, seconds: float = 60.0) -> m.EndData:
        await self.wait_until(lambda: self.end is not None, seconds=seconds)
        assert self.end is not None
        return self.end

    @property
    def history(self) -> bytes:
        """The history hash after the last known move."""
        assert self.snapshot is not None
        text = self.moves[-1].history if self.moves else self.snapshot.game
        return bytes.fromhex(text[2:])

    # --- frames ---------------------------------------------------------------------------------

    async def _read(self) -> None:
        try:
            async for raw in self._socket:
                await self._take(m.parse_server_frame(raw))
        except BaseException as error:
            self._error = error
            raise
        else:
            self._error = ConnectionError("closed")
        finally:
            for future in self._replies.values():
                if not future.done():
                    future.set_exception(ConnectionError("the socket has ended"))
            async with self._changed:
                self._changed.notify_all()

    async def _take(self, frame: m.ServerFrame) -> None:
        if isinstance(frame, m.Offered | m.Opened | m.Ack | m.Pong | m.ErrorReply):
            future = self._replies.get(frame.id) if isinstance(frame.id, int) else None
            if future is not None and not future.done():
                future.set_result(frame)
            return
        async with self._changed:
            self._apply(frame)
            self._changed.notify_all()

    def _apply(self, event: m.GameEvent) -> None:
        self.events.append(event)
        self.version = event.v
        match event:
            case m.FullEvent(d=d):
                self.snapshot, self.moves = d, list(d.moves)
                if d.result is not None:
                    self.end = m.EndData(result=d.result.result, reason=d.result.reason, tx=None)
            case m.MoveEvent(d=d):
                self.moves[d.ply :] = [d]
            case m.ProofEvent(d=d) | m.ChainEvent(d=d) if d.ply >= 0:
                self._patch(d)
            case m.EndEvent(d=d):
                self.end = d
            case _:
                pass

    def _patch(self, data: m.ProofData | m.ChainData) -> None:
        """Bring a ply up to date; what the event does not say stays as it was."""
        if data.ply >= len(self.moves):
            return
        old = self.moves[data.ply]
        news = {k: v for k, v in data.model_dump(exclude={"at"}).items() if v is not None}
        self.moves[data.ply] = old.model_copy(
            update={**news, "at": {**old.at, data.stage: data.at}}
        )


def open_to_json(opening: Open) -> dict[str, Any]:
    """The fields of a signed opening, as they travel."""
    return {
        "opener": opening.opener,
        "white": hex_of(opening.white),
        "black": hex_of(opening.black),
        "start": hex_of(opening.start),
        "baseSeconds": opening.base_seconds,
        "incrementSeconds": opening.increment_seconds,
        "delaySeconds": opening.delay_seconds,
        "commitment": hex_of(opening.commitment),
        "seed": hex_of(opening.seed),
        "expires": opening.expires,
        "nonce": str(opening.nonce),
    }
