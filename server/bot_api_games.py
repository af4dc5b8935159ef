"""The games of one key at one arena, for a program that knows nothing of keys.

Every command is signed here, in the process that holds the key; the arena sees signatures.
"""

import asyncio
import contextlib
import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Final

import chess
from coincurve import PrivateKey

from engine.policy_map import move_index
from engine.start import Start
from proofs.signing import (
    Abort,
    Domain,
    Draw,
    Move,
    Open,
    Resign,
    address_of,
    player_side,
    start_words,
)
from server import bot_api_shapes as shapes
from server import messages as m
from server.arena_http import ArenaHttp
from server.client import Client
from server.errors import CommandRefused, NotAnArena

PATIENCE_SECONDS: Final = 3600.0
"""How long a game looks for an arena that is gone."""

EVENTS_WAITING: Final = 256
FINISHED_KEPT: Final = 100

Event = dict[str, Any]


class Table:
    """One game: the bot program's side of it."""

    def __init__(self, client: Client, game: str, key: PrivateKey, domain: Domain) -> None:
        self.client = client
        self.id = game
        self.began = time.time()
        self._key = key
        self._domain = domain
        self._moving = asyncio.Lock()

    @property
    def color(self) -> m.Color:
        assert self.client.snapshot is not None
        white = self.client.snapshot.white
        mine = address_of(self._key)
        return "white" if isinstance(white, m.PlayerSide) and white.address == mine else "black"

    @property
    def is_over(self) -> bool:
        return self.client.end is not None or shapes.never_began(self.client.view)

    def full(self) -> Event:
        return shapes.game_full(self.client.view, began=self.began)

    def state(self) -> Event:
        return shapes.game_state(self.client.view)

    def info(self) -> Event:
        return shapes.game_info(self.client.view, self.color)

    def line(self) -> tuple[str, bool]:
        """What a reader is told of when it changes."""
        return shapes.moves_of(self.client.view), self.is_over

    async def play(self, uci: str) -> None:
        """Sign and send a move.  Raises CommandRefused, ConnectionError."""
        async with self._moving:  # a program that sends two at once means one after the other
            view = self.client.view
            board = chess.Board(view.fen)
            if board.turn != (self.color == "white"):
                raise CommandRefused("wrong_turn", "Not your turn, or game already over")
            move = _legal(board, uci)
            ply, index = view.next, move_index(board, move)
            message = Move(bytes.fromhex(self.id[2:]), ply, self.client.history, index)
            await self.client.move(ply, index, message.sign(self._domain, self._key))
            await self.client.wait_until(lambda: view.next > ply or self.is_over)

    async def resign(self) -> None:
        await self.client.resign(Resign(self._game).sign(self._domain, self._key))

    async def abort(self) -> None:
        await self.client.abort(Abort(self._game).sign(self._domain, self._key))

    async def claim_draw(self) -> None:
        """Claim a draw by the rules: bots agree to none."""
        ply = self.client.view.next
        message = Draw(self._game, ply, self.client.history)
        await self.client.draw(ply, message.sign(self._domain, self._key))

    async def claim_time(self) -> None:
        await self.client.claim_timeout()

    @property
    def _game(self) -> bytes:
        return bytes.fromhex(self.id[2:])


def _legal(board: chess.Board, uci: str) -> chess.Move:
    """Raises CommandRefused."""
    try:
        move = board.parse_uci(uci)
    except ValueError:
        move = chess.Move.null()
    if not move:  # "0000" is UCI, but no move
        raise CommandRefused("illegal_move", f"{uci[:16]!r} is no legal move here")
    return move


@dataclass(eq=False)
class Listener:
    """A reader of events; `is_lost` when it did not read them."""

    queue: asyncio.Queue[Event] = field(default_factory=lambda: asyncio.Queue(EVENTS_WAITING))
    is_lost: bool = False

    def tell(self, event: Event) -> None:
        try:
            self.queue.put_nowait(event)
        except asyncio.QueueFull:
            self.is_lost = True


class Bridge:
    """All tables of one key."""

    def __init__(self, url: str, key: PrivateKey) -> None:
        self.url = url
        self.address = address_of(key)
        self.tables: dict[str, Table] = {}
        self.listeners: set[Listener] = set()
        self._key = key
        self._domain = Domain(0, "0x" + "00" * 20)
        self._bots: dict[str, dict[str, Any]] = {}
        self._clocks: dict[str, Any] = {}
        self._watching: set[asyncio.Task[None]] = set()

    async def open(self) -> int:
        """Learn who plays there, and sit down at the games that go on: how many.

        Raises Unreachable, NotAnArena.
        """
        async with ArenaHttp(self.url) as http:
            await self._learn(http)
            games = await http.games()
        going = [g["game"] for g in games if g["status"] != "ended" and self._is_ours(g)]
        for game in going:
            await self._sit(game)
        return len(going)

    async def close(self) -> None:
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        await asyncio.gather(
            *(table.client.close() for table in self.tables.values()), return_exceptions=True
        )

    async def bots(self) -> list[dict[str, Any]]:
        """Those who can be challenged now."""
        async with ArenaHttp(self.url) as http:
            await self._learn(http)
        return list(self._bots.values())

    async def _learn(self, http: ArenaHttp) -> None:
        told = await http.json("/api/config")
        try:
            self._domain = Domain(told["chainId"], told["arena"])
            self._clocks = told["clocks"]
            playing = (b for b in told["bots"] if not b["custom"] and b.get("ready", True))
            self._bots = {bot["name"].lower(): bot for bot in playing}
        except (KeyError, TypeError):
            raise NotAnArena(self.url, "its settings are none") from None

    def _is_ours(self, game: dict[str, Any]) -> bool:
        return any(game[side].get("address") == self.address for side in ("white", "black"))

    # --- games ----------------------------------------------------------------------------------

    async def challenge(
        self, name: str, *, color: str, base: int | None, increment: int | None, fen: str | None
    ) -> Table:
        """Open a game against a bot.  Raises CommandRefused, IllegalStart, ConnectionError."""
        bots = {bot["name"].lower(): bot for bot in await self.bots()}
        bot = bots.get(name.lower())
        if bot is None:
            raise CommandRefused("unknown_bot", f"No such user: {name[:40]}")
        version = bytes.fromhex(bot["version"][2:])
        is_white = color == "white" if color in ("white", "black") else secrets.randbelow(2) == 1
        sides = (player_side(self.address), version)
        white, black = sides if is_white else sides[::-1]
        start = Start.from_fen(fen) if fen else Start()
        async with await Client.connect(self.url) as lobby:
            offer = await lobby.offer(version)
            opening = Open(
                opener=self.address,
                white=white,
                black=black,
                **start_words(start),
                base_seconds=self._clocks["baseSeconds"] if base is None else base,
                increment_seconds=self._clocks["incrementSeconds"]
                if increment is None
                else increment,
                delay_seconds=0,
                commitment=bytes.fromhex(offer.commitment[2:]),
                seed=secrets.token_bytes(32),
                expires=offer.expires,
                nonce=secrets.randbits(128),
            )
            game = await lobby.open(opening, opening.sign(self._domain, self._key))
        return await self._sit(game)

    def table(self, game: str) -> Table:
        """Raises CommandRefused for a game that is none of ours."""
        if (table := self.tables.get(game)) is None:
            raise CommandRefused("unknown_game", "No such game")
        return table

    async def _sit(self, game: str) -> Table:
        client = await Client.connect(
            self.url, game=game, player=self.address, stay=True, patience=PATIENCE_SECONDS
        )
        await client.ready()
        table = Table(client, game, self._key, self._domain)
        self.tables[game] = table
        self._forget()
        self.tell({"type": "gameStart", "game": table.info()})
        task = asyncio.create_task(self._see_end(table))
        self._watching.add(task)
        task.add_done_callback(self._watching.discard)
        return table

    async def _see_end(self, table: Table) -> None:
        with contextlib.suppress(ConnectionError):
            await table.client.wait_until(lambda: table.is_over, seconds=None)
            self.tell({"type": "gameFinish", "game": table.info()})
        await table.client.close()

    def _forget(self) -> None:
        """The oldest games that are over make room; the arena has them still."""
        over = [table for table in self.tables.values() if table.is_over]
        for table in over[: max(0, len(over) - FINISHED_KEPT)]:
            del self.tables[table.id]

    def tell(self, event: Event) -> None:
        for listener in self.listeners:
            listener.tell(event)
