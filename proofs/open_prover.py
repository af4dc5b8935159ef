"""Proving a bot's moves for a game that somebody else hosts, from the chain alone.

Nothing of a server is needed: the game follows from its logs, the bot's move from its net, and
whoever holds the net and the proving key may bring the proof.  Two who do so at once do no harm:
the chain takes one of the two proofs, and the other finds the game a ply further.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from engine.encoding import Position
from engine.game import Game
from proofs.chain import Chain
from proofs.errors import ChainDown, ChainRejected, NoSuchGame, NotWorthProving
from proofs.purse import Purse
from proofs.records import LogEvent, Opening, Receipt, opening_of
from proofs.signing import side_player
from proofs.statement import Statement, dice, game_seed, next_history

POLL_SECONDS: Final = 1.0
_OVERTAKEN: Final = frozenset({"StalePly", "GameOver", "NotBotsTurn"})
Tell = Callable[[str], None]


class Maker(Protocol):
    """Who chooses and proves one bot's moves; called in a thread, one call at a time."""

    def choose(self, position: Position, mask: int, dice: int) -> int: ...
    def prove(self, statement: Statement) -> bytes: ...


MakerOf = Callable[[bytes], Maker]
"""The maker of a bot version's moves.  Raises BotFilesMissing where its files are not at hand."""


@dataclass(frozen=True)
class Standing:
    """A game as its logs tell it; `history` and `game` are those after the last move."""

    opening: Opening
    game: Game
    history: bytes
    is_over: bool

    @property
    def mover(self) -> bytes:
        opening = self.opening.open
        return opening.white if self.game.turn else opening.black

    @property
    def other(self) -> bytes:
        """The side that is not to move."""
        opening = self.opening.open
        return opening.black if self.game.turn else opening.white

    @property
    def dice(self) -> int:
        seed = game_seed(self.opening.secret, self.opening.open.seed)
        return dice(seed, self.game.ply, self.history)


@dataclass(frozen=True)
class Fees:
    """Where proven moves earn something; one that would earn less than `least` is not proven."""

    purse: Purse
    least: int = 0

    async def check(self, now: Standing) -> None:
        """Raises NotWorthProving, ChainDown."""
        fee = await self.purse.fee_now(now.mover, now.other)
        if fee < self.least:
            raise NotWorthProving(now.game.ply, fee, self.least)


async def standing_of(chain: Chain, game: bytes) -> Standing:
    """Where a game stands now.  Raises NoSuchGame, ChainDown."""
    return replayed(game, await chain.logs(game))


def replayed(game: bytes, logs: list[LogEvent]) -> Standing:
    """Where the logs of one game, oldest first, lead to.  Raises NoSuchGame without an opening."""
    opened = next((log for log in logs if log.name == "GameOpened"), None)
    if opened is None:
        raise NoSuchGame("0x" + game.hex())
    opening = opening_of(opened)
    play, history = Game(opening.open.begins), game
    for log in logs:
        if log.name in ("PlayerMoved", "BotMoved"):
            play.play(log.args["index"])
            history = next_history(history, log.args["index"])
    return Standing(opening, play, history, any(log.name == "GameEnded" for log in logs))


async def prove_game(
    chain: Chain,
    game: bytes,
    maker_of: MakerOf,
    *,
    watch: bool,
    tell: Tell,
    fees: Fees | None = None,
    poll_seconds: float = POLL_SECONDS,
) -> int:
    """Bring every move that a bot owes, until the game ends or, without `watch`, none is owed.

    The number of moves that this call brought.  Raises NoSuchGame, BotFilesMissing, ProofError, and
    NotWorthProving where moves earn less than `fees` demand; a chain that does not answer ends it
    only without `watch`.
    """
    makers: dict[bytes, Maker] = {}
    brought = 0
    while True:
        try:
            now = await standing_of(chain, game)
            if now.is_over:
                return brought
            if side_player(now.mover) is None:
                if fees is not None:
                    await fees.check(now)
                if now.mover not in makers:
                    makers[now.mover] = await asyncio.to_thread(maker_of, now.mover)
                brought += await _Bringing(chain, game, fees, tell).bring(now, makers[now.mover])
                continue
        except ChainDown as error:
            if not watch:
                raise
            tell(str(error))
        if not watch:
            return brought
        await asyncio.sleep(poll_seconds)


@dataclass(frozen=True)
class _Bringing:
    """How moves of one game get to the chain."""

    chain: Chain
    game: bytes
    fees: Fees | None
    tell: Tell

    async def bring(self, now: Standing, maker: Maker) -> bool:
        """Prove and submit the move that is owed; False if somebody else was faster."""
        position, mask, ply = now.game.position, now.game.mask, now.game.ply
        index = await asyncio.to_thread(maker.choose, position, mask, now.dice)
        payee = self.chain.payee
        statement = Statement.of(position, mask, index, payee=payee, dice=now.dice)
        self.tell(f"proving ply {ply}")
        proof = await asyncio.to_thread(maker.prove, statement)
        try:
            receipt, earned = await self._submit(ply, index, proof)
        except ChainRejected as error:
            if error.name not in _OVERTAKEN:
                raise
            self.tell(f"ply {ply}: somebody else was faster")
            return False
        self.tell(f"ply {ply}: verified in {receipt.tx}, {receipt.gas:,} gas{earned}")
        return True

    async def _submit(self, ply: int, index: int, proof: bytes) -> tuple[Receipt, str]:
        chain, move = self.chain, (self.game, ply, index, self.chain.payee, proof)
        if self.fees is None:
            return await chain.submit_bot_move(*move), ""
        receipt, fee = await self.fees.purse.submit(*move, least=self.fees.least)
        return receipt, f", {fee:,} wei earned"
