"""The websocket endpoint: frames in, frames out, and when a socket is let go."""

import asyncio
import contextlib
import logging
import re
import time
from socket import SO_SNDBUF, SOL_SOCKET
from typing import Final

from aiohttp import WSMsgType, web

from proofs import signing
from server import messages as m
from server.arena import Arena
from server.errors import ClientError, CommandRefused, FrameError
from server.hosted import Hosted
from server.hub import Subscriber
from server.limits import TokenBucket
from server.site import SITE, Site, is_allowed_origin

HEARTBEAT_SECONDS: Final = 25.0
FRAMES_PER_SECOND: Final = 10.0
FRAMES_AT_ONCE: Final = 40.0
_GOODBYE_SECONDS: Final = 2.0
_SEND_BUFFER: Final = 32 * 1024
_GAME: Final = re.compile(r"0x[0-9a-fA-F]{64}")
_LOG: Final = logging.getLogger(__name__)


async def websocket(request: web.Request) -> web.StreamResponse:
    """/ws for the lobby, /ws?game=ID[&v=N][&player=ADDRESS] for a game."""
    site = request.app[SITE]
    if not is_allowed_origin(request):
        raise web.HTTPForbidden(text="this page may not use the arena's socket\n")
    if site.arena is None:
        raise web.HTTPServiceUnavailable(text=f"warming up: {site.warming}\n")
    if site.is_full:
        raise web.HTTPServiceUnavailable(text="too many sockets are open\n")
    with site.guests.entered(site.guests.address_of(request)):
        return await _serve(request, site, site.arena)


async def _serve(request: web.Request, site: Site, arena: Arena) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(
        max_msg_size=m.MAX_FRAME_BYTES,
        heartbeat=HEARTBEAT_SECONDS,
        timeout=_GOODBYE_SECONDS,
        compress=False,  # costs two thirds of the throughput for frames this small
    )
    await socket.prepare(request)
    _bound_buffer(request.transport)
    site.sockets.add(socket)
    try:
        await Client(socket, request, arena).run()
    finally:
        site.sockets.discard(socket)
    return socket


def _bound_buffer(transport: asyncio.Transport | None) -> None:
    """Left alone, the system keeps up to 4 MB for each reader that does not read (tcp_wmem)."""
    line = transport.get_extra_info("socket") if transport is not None else None
    if line is not None:
        with contextlib.suppress(OSError):  # one that has gone already
            line.setsockopt(SOL_SOCKET, SO_SNDBUF, _SEND_BUFFER)


class Client:
    """One socket: reads commands, and writes what its queue holds."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request, arena: Arena) -> None:
        self._socket = socket
        self._request = request
        self._arena = arena
        self._guests = request.app[SITE].guests
        self._address = self._guests.address_of(request)
        self._transport = request.transport
        self._queue = Subscriber(on_drop=self._drop, outlet=self._send_now)
        self._bucket = TokenBucket(
            rate=FRAMES_PER_SECOND, burst=FRAMES_AT_ONCE, now=time.monotonic()
        )
        self._hosted: Hosted | None = None
        self._writer: asyncio.Task[None] | None = None
        self._kick: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Serve the socket until it ends."""
        game = self._request.query.get("game")
        if game is not None and not self._join(game):
            await self._socket.close(code=m.CLOSE_UNKNOWN_GAME, message=b"unknown game")
            return
        self._writer = asyncio.create_task(self._write())
        try:
            await self._read()
        finally:
            if self._hosted is not None:
                self._arena.leave(self._hosted, self._queue)
            self._writer.cancel()
            if self._kick is not None:
                await self._kick

    def _join(self, game: str) -> bool:
        if not _GAME.fullmatch(game):
            return False
        try:
            self._hosted = self._arena.game(bytes.fromhex(game[2:]))
        except CommandRefused:
            return False
        # only for the count of spectators: who says so wrongly gains nothing
        player = self._request.query.get("player", "").lower()
        self._queue.is_player = player in self._hosted.session.players
        self._arena.join(self._hosted, self._queue, _version(self._request.query.get("v")))
        return True

    def _send_now(self, framed: bytes) -> bool:
        """Past aiohttp's writer, which would frame and await for each reader again."""
        line = self._transport
        if line is None or line.is_closing() or line.get_write_buffer_size() or self._socket.closed:
            return False
        line.write(framed)
        return True

    async def _write(self) -> None:
        with contextlib.suppress(ConnectionError):
            while (wire := await self._queue.next()) is not None:
                await self._socket.send_str(wire)

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return
            is_calm = self._bucket.take(time.monotonic())
            if not (is_calm and self._guests.may_send(self._address)):
                await self._end_flood()
                return
            self._queue.put(m.to_wire(self._answer(message.data)))

    def _answer(self, raw: str | bytes) -> m.Reply:
        try:
            frame = m.parse_client_frame(raw)
        except FrameError as error:
            return m.error_reply(error.echo, error.code, error.message)
        try:
            return self._obey(frame)
        except ClientError as error:
            return m.error_reply(frame.id, error.code, error.message)
        except Exception:  # the socket of whoever found our mistake lives on
            _LOG.exception("%s failed", frame.t)
            return m.error_reply(frame.id, "internal", "the server made a mistake; it is logged")

    def _obey(self, frame: m.ClientFrame) -> m.Reply:
        match frame:
            case m.Ping():
                return m.Pong(id=frame.id, d=m.PongReply(at=self._arena.now()))
            case m.Offer(d=d):
                return m.Offered(id=frame.id, d=self._arena.offer(_bytes(d.bot)))
            case m.Open(d=d):
                with self._guests.opening(self._address, d.open.opener):
                    game = self._arena.open_game(opening_of(d.open), _bytes(d.signature))
                return m.Opened(id=frame.id, d=m.OpenedReply(game="0x" + game.hex()))
            case m.Move() | m.Resign() | m.Abort() | m.Draw() | m.Timeout():
                self._command(frame)
                return m.Ack(id=frame.id)

    def _command(self, frame: m.GameCommand) -> None:
        if self._hosted is None:
            raise CommandRefused("unknown_game", "this socket looks at no game: use /ws?game=ID")
        self._arena.command(self._hosted, frame)
        if not isinstance(frame, m.Timeout) and not self._queue.is_player:
            self._queue.is_player = True
            self._arena.count_spectators(self._hosted)

    # --- letting go -----------------------------------------------------------------------------

    async def _end_flood(self) -> None:
        text = f"more than {FRAMES_PER_SECOND:g} frames a second, or too many of this address"
        self._queue.put(m.to_wire(m.error_reply(None, "rate_limited", text)))
        self._queue.close()
        await self._goodbye(m.CLOSE_RATE_LIMITED, b"too many frames", flush=True)

    def _drop(self) -> None:
        """The reader is too slow: it may come back with the version that it has seen."""
        if self._kick is None:
            self._request.app[SITE].dropped += 1
            self._kick = asyncio.create_task(
                self._goodbye(m.CLOSE_TOO_SLOW, b"too slow: come back with v", flush=False)
            )

    async def _goodbye(self, code: int, reason: bytes, *, flush: bool) -> None:
        """Close with a code; cut the line when the other side does not even read that."""
        assert self._writer is not None
        transport = self._transport
        if not flush:
            self._writer.cancel()
        try:
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await asyncio.wait([self._writer])
                await self._socket.close(code=code, message=reason)
        except (TimeoutError, ConnectionError):
            pass
        finally:
            if transport is not None and not self._socket.closed:
                transport.abort()


def opening_of(terms: m.OpenTerms) -> signing.Open:
    """The signed message that the frame's fields name."""
    return signing.Open(
        opener=terms.opener.lower(),
        white=_bytes(terms.white),
        black=_bytes(terms.black),
        start=_bytes(terms.start),
        start_context=terms.start_context,
        base_seconds=terms.base_seconds,
        increment_seconds=terms.increment_seconds,
        delay_seconds=terms.delay_seconds,
        commitment=_bytes(terms.commitment),
        seed=_bytes(terms.seed),
        expires=terms.expires,
        nonce=int(terms.nonce),
    )


def _version(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,16}", text) else None


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
