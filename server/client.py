"""A client of the arena's websocket: plays, watches, and comes back where it left off.

async with await Client.connect("http://127.0.0.1:8000") as lobby:
    game = await lobby.new_game(bot, key, domain)
async with await Client.connect(url, game=game, stay=True) as player:
    await player.ready()
    await player.move(0, index, signature)
    await player.wait_stage(1, "verified")

One that stays connects again when its socket ends, and sends again what got no answer.  That is
safe: the arena takes each opening, each ply and each resignation once, and says so.
"""

import asyncio
import contextlib
import itertools
import json
import random
import secrets
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self

import websockets
from coincurve import PrivateKey
from pydantic import ValidationError
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from engine.start import USUAL, Start
from proofs.signing import Domain, Open, address_of, player_side, start_words
from server import messages as m
from server.errors import CommandRefused, NoSuchGame, NotAnArena, Unreachable
from server.ply import hex_of
from server.view import MissedEvent, View

REPLY_SECONDS: Final = 30.0
PATIENCE_SECONDS: Final = 120.0
"""How long a client that stays looks for an arena that is gone."""

_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 2.0
_TRIES: Final = 10
_OVER: Final = ("stale_ply", "game_over")

Heard = Callable[[m.GameEvent], None]


class Client:
    """One socket after another to the same place.

    `view` is the game as it stands, `events` all that came; `heard` is told of each event when
    the view has it, `lost` of each connection that ended, with the reason.
    """

    def __init__(
        self,
        url: str,
        *,
        game: str | None,
        player: str | None,
        since: int | None,
        stay: bool,
        patience: float,
        heard: Heard | None,
        lost: Callable[[str], None] | None,
    ) -> None:
        self.view = View()
        self.events: list[m.GameEvent] = []
        self.reconnects = 0
        self._url = url
        self._game = game
        self._player = player
        self._since = since
        self._stay = stay
        self._patience = patience
        self._heard = heard
        self._lost = lost
        self._socket: websockets.ClientConnection | None = None
        self._ids = itertools.count(1)
        self._replies: dict[int, asyncio.Future[m.Reply]] = {}
        self._changed = asyncio.Condition()
        self._up = asyncio.Event()
        self._error: BaseException | None = None
        self._pause = _FIRST_PAUSE
        self._reader: asyncio.Task[None] | None = None

    @classmethod
    async def connect(
        cls,
        url: str,
        *,
        game: str | None = None,
        player: str | None = None,
        since: int | None = None,
        stay: bool = False,
        patience: float = PATIENCE_SECONDS,
        heard: Heard | None = None,
        lost: Callable[[str], None] | None = None,
    ) -> Self:
        """Connect to the arena at an http URL, as its lobby or to one game.

        `player` is the address of who plays there, that it is not counted as a spectator.
        `patience` is for how many seconds a client that stays looks for a lost arena.  Raises
        Unreachable, NotAnArena.
        """
        client = cls(
            url,
            game=game,
            player=player,
            since=since,
            stay=stay,
            patience=patience,
            heard=heard,
            lost=lost,
        )
        await client._dial()
        client._reader = asyncio.create_task(client._run())
        return client

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
        self._stay = False
        if self._socket is not None:
            await self._socket.close()
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader

    # --- what is known --------------------------------------------------------------------------

    @property
    def snapshot(self) -> m.Snapshot | None:
        return self.view.snapshot

    @property
    def moves(self) -> list[m.MoveRecord]:
        """The plies as they stand."""
        return self.view.moves

    @property
    def end(self) -> m.EndData | None:
        return self.view.end

    @property
    def version(self) -> int | None:
        """That of the last event."""
        return self.view.version

    @property
    def history(self) -> bytes:
        """The history hash after the last known move."""
        return self.view.history

    @property
    def is_connected(self) -> bool:
        return self._up.is_set()

    # --- commands -------------------------------------------------------------------------------

    async def request(
        self, kind: str, data: dict[str, Any], *, done_by: tuple[m.ErrorCode, ...] = ()
    ) -> m.Reply:
        """Send a command, wait for its answer.  Raises CommandRefused with the server's code.

        `done_by` are the refusals of a second try that say that the first one was heard.  Raises
        ConnectionError where no answer can be had, TimeoutError where none comes.
        """
        for attempt in itertools.count(1):
            try:
                return await self._ask(kind, data)
            except CommandRefused as refused:
                if attempt > 1 and refused.code in done_by:
                    return m.Ack(id=None)
                if refused.code != "closing" or not self._stay:
                    raise
                self._up.clear()  # this socket ends soon: the next one may be of a new server
            except (ConnectionError, TimeoutError):
                if not self._stay or attempt == _TRIES:
                    raise
            await self._wait_up()
        raise AssertionError

    async def _ask(self, kind: str, data: dict[str, Any]) -> m.Reply:
        if self._error is not None:
            raise self._ended()
        assert self._socket is not None
        socket, echo = self._socket, next(self._ids)
        future = self._replies[echo] = asyncio.get_running_loop().create_future()
        try:
            await socket.send(json.dumps({"t": kind, "id": echo, "d": data}))
            async with asyncio.timeout(REPLY_SECONDS):
                reply: m.Reply = await future
        except ConnectionClosed as closed:
            self._is_over(socket)
            raise ConnectionError("the socket has ended") from closed
        except TimeoutError:
            socket.transport.abort()  # no answer on this line: who stays tries another
            self._is_over(socket)
            raise
        finally:
            del self._replies[echo]
        if isinstance(reply, m.ErrorReply):
            raise CommandRefused(reply.d.code, reply.d.message)
        return reply

    def _is_over(self, socket: websockets.ClientConnection) -> None:
        """The reader may notice only later."""
        if socket is self._socket:
            self._up.clear()

    async def _wait_up(self) -> None:
        """Wait for the next connection.  Raises ConnectionError when there will be none."""
        assert self._reader is not None
        up = asyncio.ensure_future(self._up.wait())
        try:
            await asyncio.wait((up, self._reader), return_when=asyncio.FIRST_COMPLETED)
        finally:
            up.cancel()
        if self._error is not None:
            raise self._ended()

    def _ended(self) -> ConnectionError:
        if isinstance(self._error, ConnectionError):
            return self._error
        ended = ConnectionError("the socket has ended")
        ended.__cause__ = self._error
        return ended

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

    async def new_game(
        self,
        bot: bytes,
        key: PrivateKey,
        domain: Domain,
        *,
        is_white: bool = True,
        base_seconds: int = 600,
        increment_seconds: int = 0,
        fen: str | None = None,
    ) -> str:
        """Sign and open a game of `key` against a bot; its id as 0x hex.

        `fen` is where it begins, the usual position if there is none.  Raises IllegalStart, and
        CommandRefused.
        """
        start = USUAL if fen is None else Start.from_fen(fen)
        offer = await self.offer(bot)
        sides = (player_side(address_of(key)), bot)
        opening = Open(
            opener=address_of(key),
            white=sides[not is_white],
            black=sides[is_white],
            **start_words(start),
            base_seconds=base_seconds,
            increment_seconds=increment_seconds,
            delay_seconds=0,
            commitment=bytes.fromhex(offer.commitment[2:]),
            seed=secrets.token_bytes(32),
            expires=offer.expires,
            nonce=secrets.randbits(128),
        )
        return await self.open(opening, opening.sign(domain, key))

    async def move(self, ply: int, index: int, signature: bytes) -> None:
        """Play a signed move.  One that the line has already counts as done."""
        data = {"ply": ply, "index": index, "signature": hex_of(signature)}
        try:
            await self.request("move", data)
        except CommandRefused as refused:
            if refused.code not in _OVER or not self.view.has(ply, index):
                raise

    async def resign(self, signature: bytes) -> None:
        await self.request("resign", {"signature": hex_of(signature)}, done_by=("game_over",))

    async def abort(self, signature: bytes) -> None:
        """Take a game back before its second ply."""
        await self.request("abort", {"signature": hex_of(signature)}, done_by=("game_over",))

    async def draw(self, ply: int, signature: bytes) -> None:
        data = {"ply": ply, "signature": hex_of(signature)}
        await self.request("draw", data, done_by=("game_over",))

    async def claim_timeout(self) -> None:
        await self.request("timeout", {})

    async def ping(self) -> None:
        await self.request("ping", {})

    # --- waiting --------------------------------------------------------------------------------

    async def wait_until(self, is_so: Callable[[], bool], *, seconds: float | None = 60.0) -> None:
        """Wait until something holds of what came.  Raises TimeoutError, ConnectionError."""
        async with asyncio.timeout(seconds), self._changed:
            while not is_so():
                if self._error is not None:
                    raise self._ended()
                await self._changed.wait()

    async def stream(self) -> AsyncIterator[m.GameEvent]:
        """All events, those that came and those to come.  Raises ConnectionError at the end."""
        for seen in itertools.count():
            await self.wait_until(lambda seen=seen: len(self.events) > seen, seconds=None)  # type: ignore[misc]
            yield self.events[seen]

    async def ready(self, *, seconds: float = 60.0) -> m.Snapshot:
        """Wait for the game itself.  Raises NoSuchGame where there is none."""
        await self.wait_until(lambda: self.snapshot is not None, seconds=seconds)
        assert self.snapshot is not None
        return self.snapshot

    async def wait_ply(self, ply: int, *, seconds: float = 60.0) -> m.MoveRecord:
        """Wait until ply `ply` is known."""
        await self.wait_until(lambda: self.view.at(ply) is not None, seconds=seconds)
        return self._ply(ply)

    async def wait_stage(self, ply: int, stage: m.Stage, *, seconds: float = 60.0) -> m.MoveRecord:
        """Wait until ply `ply` has reached a stage."""
        await self.wait_until(lambda: self._stage(ply) == stage, seconds=seconds)
        return self._ply(ply)

    async def wait_verified(self, ply: int, *, seconds: float = 60.0) -> bool:
        """Wait until ply `ply` is verified; False when the game ends without it."""

        def is_so() -> bool:
            return self._stage(ply) == "verified"

        await self.wait_until(lambda: is_so() or self.end is not None, seconds=seconds)
        return is_so()

    def _ply(self, ply: int) -> m.MoveRecord:
        found = self.view.at(ply)
        assert found is not None
        return found

    def _stage(self, ply: int) -> m.Stage | None:
        found = self.view.at(ply)
        return None if found is None else found.stage

    async def wait_end(self, *, seconds: float = 60.0) -> m.EndData:
        await self.wait_until(lambda: self.end is not None, seconds=seconds)
        assert self.end is not None
        return self.end

    # --- frames ---------------------------------------------------------------------------------

    async def _run(self) -> None:
        """Read one socket after another until there is no other."""
        try:
            while True:
                why = await self._read()
                if not self._stay:
                    raise ConnectionError(f"the socket has ended: {why}")
                await self._go_down(why)
                if self._lost is not None:
                    self._lost(why)
                await self._come_back()
        except BaseException as error:
            self._error = error
            if isinstance(error, asyncio.CancelledError):
                raise
        finally:
            await self._go_down("closed")

    async def _read(self) -> str:
        """Take frames until the socket ends; returns why.  Raises NoSuchGame, NotAnArena."""
        assert self._socket is not None
        try:
            async for raw in self._socket:
                await self._take(m.parse_server_frame(raw))
        except ValidationError as error:
            raise NotAnArena(self._url, "it sent a frame that none of ours is") from error
        except MissedEvent as error:  # begin anew, with the whole game
            self.view.version = None
            await self._socket.close()
            return str(error)
        except ConnectionClosed:
            pass
        if self._socket.close_code == m.CLOSE_UNKNOWN_GAME:
            raise NoSuchGame(self._url, self._game or "")
        return self._socket.close_reason or f"code {self._socket.close_code}"

    async def _go_down(self, why: str) -> None:
        self._up.clear()
        for future in self._replies.values():
            if not future.done():
                future.set_exception(ConnectionError(f"the socket has ended: {why}"))
        async with self._changed:
            self._changed.notify_all()

    async def _come_back(self) -> None:
        """Connect again, with growing pauses.  Raises Unreachable, NotAnArena."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._patience
        while True:
            # a crowd that lost its arena together should not come back together
            await asyncio.sleep(self._pause * random.uniform(0.5, 1.5))
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
            try:
                await self._dial()
            except Unreachable:
                if loop.time() > end:
                    raise
            else:
                self.reconnects += 1
                return

    async def _dial(self) -> None:
        """One new socket, from the last version seen on."""
        try:
            self._socket = await websockets.connect(
                self._address(), max_size=None, compression=None, proxy=None
            )
        except InvalidStatus as error:
            status = error.response.status_code
            is_refused = status != HTTPStatus.TOO_MANY_REQUESTS  # that is over in a moment
            if is_refused and status < HTTPStatus.INTERNAL_SERVER_ERROR:
                raise NotAnArena(self._url, f"status {status}") from None
            said = (error.response.body or b"").decode(errors="replace").strip()
            raise Unreachable(self._url, said[:100] or f"status {status}") from None
        except (OSError, TimeoutError, WebSocketException) as error:
            raise Unreachable(self._url, error) from None
        self._up.set()

    def _address(self) -> str:
        since = self._since if self.version is None else self.version
        asked = (("game", self._game), ("player", self._player), ("v", since))
        query = "&".join(f"{name}={value}" for name, value in asked if value is not None)
        base = "ws" + self._url.removeprefix("http").rstrip("/") + "/ws"
        return f"{base}?{query}" if query else base

    async def _take(self, frame: m.ServerFrame) -> None:
        self._pause = _FIRST_PAUSE
        if isinstance(frame, m.Offered | m.Opened | m.Ack | m.Pong | m.ErrorReply):
            future = self._replies.get(frame.id) if isinstance(frame.id, int) else None
            if future is not None and not future.done():
                future.set_result(frame)
            return
        async with self._changed:
            self.view.apply(frame)
            self.events.append(frame)
            if self._heard is not None:
                self._heard(frame)
            self._changed.notify_all()


def open_to_json(opening: Open) -> dict[str, Any]:
    """The fields of a signed opening, as they travel."""
    return {
        "opener": opening.opener,
        "white": hex_of(opening.white),
        "black": hex_of(opening.black),
        "start": hex_of(opening.start),
        "startContext": opening.start_context,
        "baseSeconds": opening.base_seconds,
        "incrementSeconds": opening.increment_seconds,
        "delaySeconds": opening.delay_seconds,
        "commitment": hex_of(opening.commitment),
        "seed": hex_of(opening.seed),
        "expires": opening.expires,
        "nonce": str(opening.nonce),
    }
