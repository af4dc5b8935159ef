"""A game that goes on: its line, and what it wants next.  server/session.py is the whole of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import chess

from engine.game import Outcome, Result
from proofs.signing import side_player
from proofs.statement import Statement, game_seed
from server import messages as m
from server.describe import chain_event, proof_event, snapshot
from server.effects import (
    AbortGame,
    BotMove,
    BotPlayer,
    ClaimDraw,
    ClaimTimeout,
    DropProof,
    DropThought,
    Effect,
    Emit,
    Ended,
    Intent,
    OpenGame,
    PlayerMove,
    Prove,
    ResignGame,
    SessionState,
    Submit,
    Terms,
    Think,
)
from server.ply import Line, Ply
from server.replay import claim, roll, think
from server.setback import Setback
from server.stages import step

BOTS_AHEAD: Final = 2
"""How many plies bots may play beyond the chain when they meet each other."""
_STALE_KEPT: Final = 8


@dataclass(frozen=True)
class Pondering:
    """A bot is choosing its move after this history."""

    job: int
    history: bytes


class Going:
    """The state of one game; `payee` is who is named in this server's proofs."""

    def __init__(self, terms: Terms, *, payee: int, now: float) -> None:
        self.terms = terms
        self.id = terms.open.game_id(terms.domain)
        self.line = Line(self.id, terms.open.begins)
        self._payee = payee
        self._seed = game_seed(terms.secret, terms.open.seed)
        self._opening = m.Opening(stage="proposed")
        base = float(terms.open.base_seconds)
        self._clocks = m.Clocks(white=base, black=base, running=None, at=now)
        self._ended: Ended | None = None
        self._setback = Setback()
        self._fault: str | None = None
        self._under_way: Intent | None = None
        self._resignation: ResignGame | None = None
        self._abort: AbortGame | None = None
        self._draw: ClaimDraw | None = None
        self._timeout: ClaimTimeout | None = None
        self._grace_until: float | None = None
        self._jobs = 0
        self._pondering: Pondering | None = None
        self._refusals: dict[int, int] = {}
        self._stale: list[bytes] = []

    # --- questions ------------------------------------------------------------------------------

    @property
    def ended(self) -> Ended | None:
        return self._ended

    @property
    def is_over(self) -> bool:
        """Whether nothing more can happen: the contract ended the game, or never opened it."""
        return self._ended is not None or self._opening.stage == "rejected"

    @property
    def outcome(self) -> Outcome:
        """How the game stands by the rules here; final only when the chain says so."""
        return self.line.game.outcome()

    @property
    def status(self) -> Literal["opening", "playing", "ended"]:
        if self._ended is not None:
            return "ended"
        return "playing" if self._opening.stage == "verified" else "opening"

    @property
    def players(self) -> tuple[str, ...]:
        """The addresses of the sides that are played by a key."""
        keys = map(side_player, (self.terms.open.white, self.terms.open.black))
        return tuple(key for key in keys if key is not None)

    @property
    def is_waiting(self) -> bool:
        """Whether no transaction is under way."""
        return self._under_way is None

    @property
    def holds_up(self) -> str | None:
        """What the game waits for that should not take time, in words for players."""
        if self.is_over:
            return None
        if self._fault is not None:
            return f"waiting for the chain: {self._fault}"
        stuck = self._setback.reason
        return None if stuck is None else f"the bot's move is tried again soon: {stuck}"

    @property
    def needs_prover(self) -> bool:
        """Whether a proof is wished for."""
        return any(ply.job is not None for ply in self.line.pending)

    def pending(self) -> tuple[Intent, ...]:
        """All that is wanted and that the chain does not hold, in the order of its sending.

        A bot's move is among it once it is proven.
        """
        opening = () if self._opening.stage in ("verified", "rejected") else (OpenGame(),)
        moves = (_carrying(ply) for ply in self.line.pending)
        wishes = (self._abort, self._resignation, self._draw, self._timeout)
        return (*opening, *(intent for intent in (*moves, *wishes) if intent is not None))

    @property
    def state(self) -> SessionState:
        """How the game stands, but for its plies."""
        wishes = (self._resignation, self._draw, self._timeout, self._abort)
        return SessionState(self._opening, self._clocks, self._ended, *wishes)

    def is_flagged(self, now: float) -> bool:
        """Whether the running clock has run out at `now`."""
        clocks = self._clocks
        if clocks.running is None:
            return False
        left = clocks.white if clocks.running == "white" else clocks.black
        return now - clocks.at > left + self.terms.open.delay_seconds

    def snapshot(
        self,
        *,
        spectators: int = 0,
        waiting: str | None = None,
        away: Sequence[m.Away] = (),
    ) -> m.Snapshot:
        """Everything that a page shows of the game."""
        return snapshot(
            self.terms,
            self.line,
            status=self.status,
            ended=self._ended,
            opening=self._opening,
            clocks=self._clocks,
            spectators=spectators,
            waiting=waiting or self.holds_up,
            away=away,
        )

    @property
    def _is_given_up(self) -> bool:
        """Whether a player wishes the game to end as it stands."""
        return self._resignation is not None or self._abort is not None

    # --- steps ----------------------------------------------------------------------------------

    def _go_on(self, now: float) -> list[Effect]:
        """Whatever can be done next: the bots' thinking, and one transaction."""
        effects: list[Effect] = []
        if not self.is_over and self._setback.reason is None:
            for ply in self.line.pending:
                if ply.stage == "queued" and ply.job is None:  # restored, or to be tried again
                    effects += self._wish_proof(ply)
        while (bot := self._bot_to_think()) is not None and bot.choose is not None:
            effects += self._think(bot, now)
        return effects + self._ponder(bot) + self._submit(now)

    @property
    def _to_move(self) -> bytes:
        """The side that plays next."""
        terms = self.terms.open
        return terms.white if self.line.game.turn == chess.WHITE else terms.black

    def _bot_to_think(self) -> BotPlayer | None:
        bot = self.terms.bots.get(self._to_move)
        if bot is None or not bot.is_played or self._setback.reason is not None:
            return None
        if self.is_over or self._is_given_up or self.outcome.result is not Result.ONGOING:
            return None
        answers_player = bool(self.line.plies) and self.line.plies[-1].by == "player"
        is_near = self.line.next - self.line.landed < BOTS_AHEAD
        return bot if answers_player or is_near else None

    def _think(self, bot: BotPlayer, now: float) -> list[Effect]:
        return self._propose(think(bot, self.line, self._seed, self._payee), now)

    def _ponder(self, bot: BotPlayer | None) -> list[Effect]:
        """Have a bot choose its move, unless it is at it; nothing else is to be chosen now."""
        before, line = self._pondering, self.line
        if bot is not None and before is not None and before.history == line.history:
            return []
        effects: list[Effect] = [] if before is None else [DropThought(before.job)]
        self._pondering = None
        if bot is None or bot.ponder is None:
            return effects
        self._jobs += 1
        self._pondering = Pondering(self._jobs, line.history)
        rolled = roll(line, self._seed)
        here = line.game.position, line.game.mask
        return [*effects, Think(self._jobs, line.next, bot.ponder, *here, rolled)]

    def _propose_chosen(self, index: int, now: float) -> list[Effect]:
        return self._propose(claim(index, self.line, self._seed, self._payee), now)

    def _propose(self, statement: Statement, now: float) -> list[Effect]:
        ply = self.line.push("bot", statement.index, now)
        ply.statement, ply.payee = statement, self._payee
        effects: list[Effect] = [Emit(m.MoveEvent(d=ply.record()))]
        ply.advance("queued", now)
        return [*effects, proof_event(ply), *self._wish_proof(ply)]

    def _wish_proof(self, ply: Ply) -> list[Effect]:
        assert ply.statement is not None
        self._jobs += 1
        ply.job = self._jobs
        version = self.terms.open.black if ply.number % 2 else self.terms.open.white
        return [Prove(ply.job, ply.number, version, ply.statement)]

    def _submit(self, now: float) -> list[Effect]:
        intent = self._next_intent()
        if intent is None or self._under_way is not None or self.is_over:
            return []
        self._under_way = intent
        match intent:
            case OpenGame():
                self._step_opening("submitted")
            case PlayerMove() | BotMove() if (ply := self._carried(intent)) is not None:
                ply.advance("submitted", now)
            case _:
                pass
        return [*self._note(intent, now), Submit(intent)]

    def _next_intent(self) -> Intent | None:
        if self._opening.stage != "verified":
            return OpenGame()
        if (given_up := self._abort or self._resignation) is not None:
            return given_up
        if (lowest := self.line.lowest) is None:
            return self._draw or self._timeout
        return _carrying(lowest) or self._timeout

    def _note(
        self, intent: Intent, now: float, *, tx: str | None = None, reason: str | None = None
    ) -> list[Effect]:
        """Tell what the transaction under way is at."""
        if intent != self._under_way:
            return []
        match intent:
            case OpenGame():
                self._opening = self._opening.model_copy(update={"tx": tx or self._opening.tx})
                tx = self._opening.tx
            case PlayerMove() | BotMove() if (ply := self._carried(intent)) is not None:
                ply.tx, ply.reason = tx or ply.tx, reason
                tx = ply.tx
            case _:
                return []
        return [chain_event(intent.ply, "submitted", now, tx=tx, reason=reason)]

    def _carried(self, intent: PlayerMove | BotMove) -> Ply | None:
        """The ply that a transaction carries, unless it was dropped meanwhile."""
        ply = self.line.at(intent.ply)
        return ply if ply is not None and ply.index == intent.index else None

    def _step_opening(self, stage: m.OpenStage) -> None:
        step("opening", self._opening.stage, stage)
        self._opening = self._opening.model_copy(update={"stage": stage})

    def _verify_opening(self, tx: str, gas: int | None, now: float) -> list[Effect]:
        self._step_opening("verified")
        self._opening = self._opening.model_copy(update={"tx": tx, "gas": gas})
        return [chain_event(-1, "verified", now, tx=tx, gas=gas)]

    def _verify(self, ply: Ply, now: float) -> list[Effect]:
        job, ply.job, ply.reason = ply.job, None, None
        ply.queue_position = ply.wait_seconds = None
        ply.advance("verified", now)
        self._grace_until = self._timeout = None
        if ply.by == "bot":
            self._setback.is_over()
            self._refusals.pop(ply.number, None)
        dropped: list[Effect] = [] if job is None else [DropProof(job)]
        return [*dropped, self._verified_event(ply, now)]

    @staticmethod
    def _verified_event(ply: Ply, now: float) -> Emit:
        return chain_event(ply.number, "verified", now, tx=ply.tx, gas=ply.gas, block=ply.block)

    def _refuse(self, ply: Ply, reason: str, now: float) -> list[Effect]:
        ply.advance("rejected", now)
        told = chain_event(ply.number, "rejected", now, tx=ply.tx, reason=reason)
        return [told, *self._forget_tail(ply.number)]

    def _forget_tail(self, number: int) -> list[Effect]:
        """Drop plies from `number` on, and the wishes that depend on them."""
        dropped = self.line.drop(number)
        self._stale = [*(ply.history for ply in dropped), *self._stale][:_STALE_KEPT]
        if dropped:
            self._draw = None
        return [DropProof(ply.job) for ply in dropped if ply.job is not None]


def _carrying(ply: Ply) -> PlayerMove | BotMove | None:
    """The transaction that brings a ply to the chain, when all that it needs is there."""
    if ply.signature is not None:
        return PlayerMove(ply.number, ply.index, ply.signature)
    if ply.proof is not None and ply.payee is not None:
        return BotMove(ply.number, ply.index, ply.payee, ply.proof)
    return None
