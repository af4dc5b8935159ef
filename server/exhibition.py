"""House bots that play each other while nobody else does, and somebody looks on.

A game of two bots costs a proof and a transaction for each of its plies, which is one processor's
whole time while it lasts.  So there is one at a time; none begins while a person plays, nor while
no page is open; and what a person's move waits for at most is the one proof in hand, because games
take turns.  So of the two bots one at most takes long for a proof, and none where there is one
prover.  They differ where they can; nets that play without chance differ by their openings.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
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
LONG_SECONDS: Final = 4.0
"""A proof that takes so long keeps a prover from people."""

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Exhibited:
    """A bot version that may play; `is_slow` where its proofs take long."""

    version: bytes
    is_slow: bool = False


class Exhibition:
    """Opens a game of two bots whenever `is_watched()` and no game goes on.

    `bots` are the versions that may play now; the openings are signed by a key of its own.
    """

    def __init__(
        self,
        arena: Arena,
        domain: Domain,
        *,
        bots: Callable[[], Sequence[Exhibited]],
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
            return self._open(*self._pair(bots))
        except (CommandRefused, StoreFailed) as error:  # no chain, no budget, no room on the disk
            _LOG.debug("no exhibition game: %s", error)
            return None

    def _pair(self, bots: Sequence[Exhibited]) -> tuple[bytes, bytes]:
        """White and Black: different ones where possible, one of them slow at most."""
        one = self._random.choice([bot for bot in bots if not bot.is_slow] or bots)
        other = self._random.choice([bot for bot in bots if bot != one] or bots)
        pair = [one.version, other.version]
        self._random.shuffle(pair)
        return pair[0], pair[1]

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


def fit_to_play(
    bots: Iterable[BotInfo], seconds: Mapping[str, float], workers: int
) -> list[Exhibited]:
    """The versions that may play: ready, and not proven for so long that people would wait.

    `seconds` is what a proof takes, by version.  An ONNX bot's keeps a prover for minutes.
    """
    house = [b for b in bots if b.ready and not b.custom and b.proof_system == "groth16"]
    fit = [
        Exhibited(bytes.fromhex(bot.version[2:]), seconds.get(bot.version, 0.0) > LONG_SECONDS)
        for bot in house
    ]
    quick = [bot for bot in fit if not bot.is_slow]
    return fit if workers > 1 and quick else quick


def after(line: str) -> chess.Board:
    """The position after a line in standard notation."""
    board = chess.Board()
    for san in line.split():
        board.push_san(san)
    return board
