"""A player with a key of its own: opens a game, plays legal moves at random, and always comes back.

It sends a move again until it has an answer, always the same move for the same position, and
writes down what the server said yes to (server/bench/judge.py holds it to that).
"""

import asyncio
import contextlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import chess
import websockets
from coincurve import PrivateKey
from eth_utils.crypto import keccak

from engine.policy_map import move_index
from proofs.signing import Domain, Move, Open, Resign, address_of, player_side
from server.bench.judge import Ack, Case
from server.bench.reader import LineCut, Reader
from server.bench.screen import Screen
from server.client import open_to_json

BASE_SECONDS: Final = 3 * 3600
"""Long enough that no clock runs out in a campaign."""

_AGAIN_SECONDS: Final = 0.4
_OPEN_SECONDS: Final = 15.0
_OVER: Final = frozenset({"game_over"})


@dataclass(frozen=True)
class Ground:
    """Where games are played: the server's address of the moment, the contracts, the bot."""

    where: Callable[[], str]
    domain: Domain
    bot: bytes


@dataclass(frozen=True)
class Style:
    """How somebody plays: the colour, how many plies may wait for the chain, and when to stop."""

    is_white: bool
    ahead: int
    plies: int
    resigns: bool

    @classmethod
    def of(cls, rng: random.Random) -> "Style":
        return cls(
            is_white=rng.random() < 0.5,
            ahead=rng.choice((0, 1, 3, 5)),
            plies=rng.randrange(16, 40),
            resigns=rng.random() < 0.5,
        )


class Player:
    """One game and its player.  `wants_more` is asked before each move."""

    def __init__(self, ground: Ground, seed: str, wants_more: Callable[[], bool]) -> None:
        self._ground = ground
        self._seed = seed
        self._key = PrivateKey(keccak(f"player {seed}".encode()))
        self._address = address_of(self._key)
        self._wants_more = wants_more
        self._readers: list[Reader] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._resigned = False
        self.style = Style.of(random.Random(seed))
        self.case: Case | None = None
        self.oddities: list[str] = []
        """Refusals that an honest player should never see."""
        self.is_done = False
        """Whether no further move will be made."""

    @property
    def readers(self) -> list[Reader]:
        """The player's own, then the spectator's."""
        return self._readers

    @property
    def screen(self) -> Screen:
        return self._readers[0].screen

    # --- questions ------------------------------------------------------------------------------

    @property
    def is_settled(self) -> bool:
        """Whether nothing is owed any more: all is verified, and the bot has answered."""
        return all(map(self._shows_all_settled, self._readers))

    def _shows_all_settled(self, reader: Reader) -> bool:
        screen = reader.screen
        if not reader.is_connected or not screen.is_whole:
            return False
        if screen.result is not None or screen.open_stage == "rejected":
            return True
        if self._resigned:
            return False
        board = _board(screen)
        is_over = board.is_game_over()  # then the end is still to come
        is_mine = (board.turn == chess.WHITE) == self.style.is_white
        return is_mine and not is_over and screen.verified == len(screen.moves)

    # --- life -----------------------------------------------------------------------------------

    async def play(self) -> None:
        """Open a game and play it; returns when no further move is to be made."""
        game = await self._open()
        screens = [Screen(game, "player"), Screen(game, "spectator")]
        self.case = Case(game, screens)
        self._readers = [Reader(self._ground.where, screen) for screen in screens]
        self._tasks = [asyncio.create_task(reader.run()) for reader in self._readers]
        while self._goes_on():
            try:
                await self._turn()
            except LineCut:
                await asyncio.sleep(_AGAIN_SECONDS)
        if self.style.resigns and self._wants_more():
            await self._resign()
        self.is_done = True
        await self._readers[0].tell()

    async def settled(self) -> None:
        """Wait until nothing is owed any more."""
        while not self.is_settled:
            with contextlib.suppress(TimeoutError):
                await self._readers[0].until(lambda: self.is_settled, seconds=1)

    async def leave(self) -> None:
        """Close the sockets."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def _goes_on(self) -> bool:
        screen = self.screen
        if screen.result is not None or screen.open_stage == "rejected":
            return False
        return self._wants_more() and len(screen.moves) < self.style.plies

    # --- opening --------------------------------------------------------------------------------

    async def _open(self) -> str:
        """The game's id.  An opening without an answer is sent again as it is."""
        signed: dict[str, Any] | None = None
        while True:
            try:
                if signed is None:
                    offer = await self._ask("offer", {"bot": "0x" + self._ground.bot.hex()})
                    signed = self._sign(offer["d"]) if offer["t"] == "offer" else None
                else:
                    answer = await self._ask("open", signed)
                    if answer["t"] == "opened":
                        return str(answer["d"]["game"])
                    if answer["d"]["code"] in ("offer_unknown", "offer_expired"):
                        signed = None
            except LineCut:
                pass
            await asyncio.sleep(_AGAIN_SECONDS)

    def _sign(self, offer: dict[str, Any]) -> dict[str, Any]:
        me, bot = player_side(self._address), self._ground.bot
        white, black = (me, bot) if self.style.is_white else (bot, me)
        opening = Open(
            opener=self._address,
            white=white,
            black=black,
            start=bytes(32),
            base_seconds=BASE_SECONDS,
            increment_seconds=0,
            delay_seconds=0,
            commitment=bytes.fromhex(offer["commitment"][2:]),
            seed=keccak(f"seed {self._seed}".encode()),
            expires=offer["expires"],
            nonce=0,
        )
        signature = opening.sign(self._ground.domain, self._key)
        return {"open": open_to_json(opening), "signature": "0x" + signature.hex()}

    async def _ask(self, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        """One command to the lobby.  Raises LineCut."""
        address = "ws" + self._ground.where().removeprefix("http").rstrip("/") + "/ws"
        try:
            async with (
                asyncio.timeout(_OPEN_SECONDS),
                websockets.connect(address, compression=None, close_timeout=1) as socket,
            ):
                await socket.send(json.dumps({"t": kind, "id": 1, "d": data}))
                answer: dict[str, Any] = json.loads(await socket.recv())
                return answer
        except (OSError, TimeoutError, websockets.WebSocketException) as error:
            raise LineCut from error

    # --- moving ---------------------------------------------------------------------------------

    async def _turn(self) -> None:
        """Make one move, or find that there is none to be made now.  Raises LineCut."""
        reader, screen = self._readers[0], self.screen
        with contextlib.suppress(TimeoutError):
            await reader.until(lambda: self._may_move() or not self._goes_on(), seconds=1)
        if not self._may_move() or not self._goes_on():
            return
        ply, before = len(screen.moves), screen.history
        index = self._pick(screen)
        signed = Move(bytes.fromhex(screen.game[2:]), ply, bytes.fromhex(before[2:]), index)
        signature = signed.sign(self._ground.domain, self._key)
        answer = await reader.request(
            "move", {"ply": ply, "index": index, "signature": "0x" + signature.hex()}
        )
        if answer["t"] == "ack":
            assert self.case is not None
            self.case.acks.append(Ack(ply, index, before, screen.order))
            return
        self._note_refusal(answer["d"], ply, index, before)
        await asyncio.sleep(_AGAIN_SECONDS)

    def _may_move(self) -> bool:
        screen = self.screen
        if not screen.is_whole or screen.result is not None:
            return False
        if (len(screen.moves) % 2 == 0) != self.style.is_white:
            return False
        if len(screen.moves) - screen.verified > self.style.ahead:
            return False
        return any(_board(screen).legal_moves)

    def _pick(self, screen: Screen) -> int:
        """A legal move at random, the same for the same position of the same line."""
        rng = random.Random(f"{self._seed} {screen.history}")
        board = _board(screen)
        moves = sorted(board.legal_moves, key=chess.Move.uci)
        return move_index(board, rng.choice(moves))

    def _note_refusal(self, error: dict[str, Any], ply: int, index: int, before: str) -> None:
        """What the screen has not caught up with is no oddity: only what it still shows."""
        screen = self.screen
        is_news = not screen.is_whole or len(screen.moves) != ply or screen.history != before
        if is_news or error["code"] not in ("illegal_move", "bad_signature", "bad_frame"):
            return
        self.oddities.append(f"{screen.game[:10]} ply {ply} index {index}: {error['message']}")

    async def _resign(self) -> None:
        game = self.screen.game
        signature = Resign(bytes.fromhex(game[2:])).sign(self._ground.domain, self._key)
        while self.screen.result is None:
            try:
                answer = await self._readers[0].request(
                    "resign", {"signature": "0x" + signature.hex()}
                )
                if answer["t"] == "ack" or answer["d"]["code"] in _OVER:
                    self._resigned = True
                    return
            except LineCut:
                pass
            await asyncio.sleep(_AGAIN_SECONDS)


def _board(screen: Screen) -> chess.Board:
    return chess.Board(screen.moves[-1].fen) if screen.moves else chess.Board()
