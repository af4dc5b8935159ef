"""House bots that play each other while nobody else does, and somebody looks on.

A game of two bots costs a proof and a transaction for each of its plies, which is one processor's
whole time while it lasts.  So there is one at a time; none begins while a person plays, nor while
no page is open; and what a person's move waits for at most is the one proof in hand, because games
take turns.  The nets play without chance: games differ by their openings.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Final

import chess
from coincurve import PrivateKey

from engine.start import Start
from proofs.signing import Domain, Open, address_of
from server.arena import Arena
from server.errors import CommandRefused, StoreFailed
from server.hosted import is_left
from server.info import BotInfo

LOOK_EVERY: Final = 3.0
BASE_SECONDS: Final = 3600
INCREMENT_SECONDS: Final = 30
OPENINGS: Final = (
    "e4 e5 Nf3 Nc6",
    "e4 e5 Nf3 Nf6",
    "e4 e5 Bc4 Nf6",
    "e4 e5 Nc3 Nf6",
    "e4 c5 Nf3 d6",
    "e4 c5 Nf3 Nc6",
    "e4 e6 d4 d5",
    "e4 c6 d4 d5",
    "e4 d5 exd5 Qxd5",
    "e4 d6 d4 Nf6",
    "d4 d5 c4 e6",
    "d4 d5 c4 c6",
    "d4 d5 Nf3 Nf6",
    "d4 Nf6 c4 e6",
    "d4 Nf6 c4 g6",
    "d4 Nf6 Bf4 d5",
    "d4 f5 g3 Nf6",
    "c4 e5 Nc3 Nf6",
    "c4 c5 Nf3 Nf6",
    "Nf3 d5 g3 Nf6",
)
"""Lines in standard notation; games begin after them."""

_LOG: Final = logging.getLogger(__name__)


class Exhibition:
    """Opens a game of two bots whenever `is_watched()` and no game goes on.

    `bots` are the versions that may play now; the openings are signed by a key of its own.
    """

    def __init__(
        self,
        arena: Arena,
        domain: Domain,
        *,
        bots: Callable[[], Sequence[bytes]],
        is_watched: Callable[[], bool],
        random: Random | None = None,
    ) -> None:
        self._arena = arena
        self._domain = domain
        self._bots = bots
        self._is_watched = is_watched
        self._random = random or Random(os.urandom(16))
        self._key = PrivateKey()

    async def run(self) -> None:
        """Look now and again, for ever."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_EVERY)

    def look(self) -> bytes | None:
        """Open a game if there is reason to; its id."""
        bots = self._bots()
        if not bots or not self._is_watched() or self._is_busy():
            return None
        try:
            return self._open(self._random.choice(bots), self._random.choice(bots))
        except (CommandRefused, StoreFailed) as error:  # no chain, no budget, no room on the disk
            _LOG.debug("no exhibition game: %s", error)
            return None

    def _is_busy(self) -> bool:
        now = self._arena.now()
        return any(
            hosted.journal.ours and not is_left(hosted.session, now)
            for hosted in self._arena.games()
        )

    def _open(self, white: bytes, black: bytes) -> bytes:
        start = Start.of(after(self._random.choice(OPENINGS)))
        offer = self._arena.offer(white)
        opening = Open(
            opener=address_of(self._key),
            white=white,
            black=black,
            start=start.board.to_bytes(32, "big"),
            start_context=start.context,
            base_seconds=BASE_SECONDS,
            increment_seconds=INCREMENT_SECONDS,
            delay_seconds=0,
            commitment=bytes.fromhex(offer.commitment[2:]),
            seed=os.urandom(32),
            expires=offer.expires,
            nonce=int.from_bytes(os.urandom(32), "big"),
        )
        return self._arena.open_game(opening, opening.sign(self._domain, self._key))


def fit_to_play(bots: Iterable[BotInfo]) -> list[bytes]:
    """The versions that may play: an ONNX bot's proof would keep a prover from people for long."""
    return [
        bytes.fromhex(bot.version[2:])
        for bot in bots
        if bot.ready and not bot.custom and bot.proof_system == "groth16"
    ]


def after(line: str) -> chess.Board:
    """The position after a line in standard notation."""
    board = chess.Board()
    for san in line.split():
        board.push_san(san)
    return board
