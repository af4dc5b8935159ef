"""What a game makes of the chain's answers.  server/session.py is the whole of it."""

from typing import Final

from proofs.signing import side_player
from server import messages as m
from server.correction import Fix
from server.describe import chain_event, result_of
from server.effects import (
    AbortGame,
    BotMove,
    ChainTruth,
    ClaimDraw,
    ClaimTimeout,
    Effect,
    Emit,
    Ended,
    Intent,
    LandedMove,
    Landing,
    OpenGame,
    PlayerMove,
    ResignGame,
    WakeAt,
)
from server.errors import IllegalTransition
from server.going import Going
from server.ply import Ply

REFUSALS: Final = 3
"""How often the chain may refuse a bot's move before the next try waits (see Setback)."""


class Settling(Going):
    """A game that learns what landed, what was refused, and what the chain holds."""

    def sent(self, intent: Intent, tx: str, now: float) -> list[Effect]:
        """The transaction under way has a hash."""
        return self._note(intent, now, tx=tx)

    def waiting(self, intent: Intent, reason: str, now: float) -> list[Effect]:
        """The chain does not answer; the transaction under way is tried again."""
        self._fault = reason
        return self._note(intent, now, reason=reason)

    def has_landed(self, intent: Intent, landing: Landing, now: float) -> list[Effect]:
        """The transaction under way is in a block."""
        self._answered(intent)
        effects: list[Effect] = []
        match intent:
            case OpenGame() if self._opening.stage != "verified":
                effects = self._verify_opening(landing.tx, landing.gas, now)
            case PlayerMove() | BotMove():
                effects = self._land(intent, landing, now)
            case ClaimTimeout():
                effects = self._await_grace(landing.grace_until, now)
            case _:
                pass
        return effects + self._settle(landing.clocks, landing.ended, now)

    def _land(self, intent: PlayerMove | BotMove, landing: Landing, now: float) -> list[Effect]:
        ply = self._carried(intent)
        if ply is None or ply.stage == "verified":  # learned from the chain's log already
            return []
        ply.tx, ply.gas, ply.block = landing.tx, landing.gas, landing.block
        return self._verify(ply, now)

    def was_refused(
        self, intent: Intent, reason: str, truth: ChainTruth, now: float
    ) -> list[Effect]:
        """The contract refused the transaction under way; `truth` is what it holds."""
        self._answered(intent)
        if truth.opened_by is None or self._after(truth) < self.line.landed:
            self._wish_again(intent)
        return self.reconcile(truth, now, failed=intent, reason=reason)

    def _wish_again(self, intent: Intent) -> None:
        """It was refused only because the chain has lost what came before it."""
        match intent:
            case ResignGame():
                self._resignation = intent
            case AbortGame():
                self._abort = intent
            case ClaimDraw():
                self._draw = intent
            case _:
                pass

    def woke(self, now: float) -> list[Effect]:
        """The time of a WakeAt has come: for another try, or since a timeout's grace is over."""
        if self.is_over:
            return []
        is_due = self._setback.is_due(now)
        if is_due:
            self._setback.try_again()
        if self._grace_until is not None and now >= self._grace_until:
            self._grace_until = None
            self._timeout = ClaimTimeout(self.line.landed)
            is_due = True
        return self._go_on(now) if is_due else []

    def reconcile(
        self, truth: ChainTruth, now: float, *, failed: Intent | None = None, reason: str = ""
    ) -> list[Effect]:
        """Take over what the chain holds; drop what does not follow from it.

        A session is rebuilt at start in the same way: it begins empty, and learns the truth.
        """
        if truth.opened_by is None:
            return self._reconcile_unopened(failed, reason, now)
        effects, fix = self._know_opening(truth.opened_by, now), Fix()
        held = self._after(truth)
        if self._ended is not None and truth.ended is None:
            self._ended = None
            fix.note(held, "reorg", "the chain has lost the end of the game")
        is_early = isinstance(failed, PlayerMove | BotMove) and failed.ply > held
        self._rewind(held, failed if is_early else None, fix)
        for number, move in enumerate(truth.moves, self.line.first):
            effects += self._adopt(number, move, fix, now)
        if isinstance(failed, PlayerMove | BotMove):
            effects += self._give_up(failed, reason, fix, now)
        elif isinstance(failed, ResignGame | AbortGame | ClaimDraw) and not (
            truth.ended or self._is_given_up or self._draw
        ):
            fix.note(self.line.next, "refused", reason)
        effects += fix.effects(now)
        effects += self._await_grace(truth.grace_until, now)
        return effects + self._settle(truth.clocks, truth.ended, now)

    def _after(self, truth: ChainTruth) -> int:
        """The number of the ply after those that the chain holds."""
        return self.line.first + len(truth.moves)

    def _await_grace(self, until: float | None, now: float) -> list[Effect]:
        """A claimed timeout takes effect when its grace is over, unless a move comes.

        By the chain's time, which may be behind ours.
        """
        self._grace_until = until
        return [] if until is None else [WakeAt(max(until + 1, now + 2))]

    def _know_opening(self, tx: str, now: float) -> list[Effect]:
        if self._opening.stage == "verified":
            return []
        if self._opening.stage == "rejected":  # ours was, but somebody has brought another
            self._opening = m.Opening(stage="proposed")
        return self._verify_opening(tx, None, now)

    def _reconcile_unopened(self, failed: Intent | None, reason: str, now: float) -> list[Effect]:
        """The chain does not know the game, or not any more."""
        fix = Fix()
        if isinstance(failed, OpenGame):
            self._step_opening("rejected")
            fix.note(self.line.first, "refused", reason)
            told = chain_event(-1, "rejected", now, reason=reason)
            return [*self._forget_tail(self.line.first), told, *fix.effects(now)]
        if self._opening.stage == "rejected":
            return []
        if self._opening.stage == "verified":
            fix.note(self.line.first, "reorg", "the chain has lost the game's opening")
        self._opening, self._ended = m.Opening(stage="proposed"), None
        self._rewind(self.line.first, failed, fix)
        return [*fix.effects(now), *self._go_on(now)]

    def _rewind(self, landed: int, failed: Intent | None, fix: Fix) -> None:
        """Send again what the chain has lost, and what it refused only for that."""
        lost = [ply for ply in self.line.plies if landed <= ply.number < self.line.landed]
        if lost:
            fix.note(landed, "reorg", "the chain has lost blocks; the moves are brought again")
        if isinstance(failed, PlayerMove | BotMove) and (ply := self._carried(failed)):
            lost.append(ply)
        for ply in lost:
            ply.rewind()

    def _adopt(self, number: int, move: LandedMove, fix: Fix, now: float) -> list[Effect]:
        """Know ply `number` to be landed as `move`."""
        ply = self.line.at(number)
        if ply is not None and ply.index == move.index:
            return self._know_landed(ply, move, now)
        effects: list[Effect] = []
        if ply is not None:
            was_lost = ply.stage == "verified"
            fix.note(number, "reorg" if was_lost else "other_move", "another move has landed")
            effects = self._forget_tail(number)
        by = "player" if side_player(self._to_move) is not None else "bot"
        ply = self.line.push("player" if by == "player" else "bot", move.index, move.at)
        self._take_over(ply, move)
        self._verify(ply, move.at)
        return [*effects, Emit(m.MoveEvent(d=ply.record()))]

    def _know_landed(self, ply: Ply, move: LandedMove, now: float) -> list[Effect]:
        if ply.stage != "verified":
            self._take_over(ply, move)
            return self._verify(ply, now)
        if (ply.tx, ply.block) == (move.tx, move.block):
            return []
        self._take_over(ply, move)  # another block holds it now
        return [self._verified_event(ply, now)]

    @staticmethod
    def _take_over(ply: Ply, move: LandedMove) -> None:
        known = ply.gas if ply.tx == move.tx else None
        ply.tx, ply.gas, ply.block = move.tx, move.gas or known, move.block
        ply.signature, ply.proof, ply.payee = move.signature, move.proof, move.payee

    def _give_up(
        self, failed: PlayerMove | BotMove, reason: str, fix: Fix, now: float
    ) -> list[Effect]:
        """Take a refused move back, unless it has landed by another way."""
        ply = self._carried(failed)
        if ply is None or self.line.landed != failed.ply:
            return []
        fix.note(ply.number, "refused", reason)
        effects = self._refuse(ply, reason, now)
        if isinstance(failed, BotMove):
            self._refusals[failed.ply] = self._refusals.get(failed.ply, 0) + 1
            if self._refusals[failed.ply] >= REFUSALS:
                effects.append(WakeAt(self._setback.hit(reason, now)))
        return effects

    def _answered(self, intent: Intent) -> None:
        if intent != self._under_way:
            raise IllegalTransition("a transaction", type(self._under_way).__name__, "answered")
        self._under_way = self._fault = None
        match intent:
            case ResignGame():
                self._resignation = None
            case AbortGame():
                self._abort = None
            case ClaimDraw():
                self._draw = None
            case ClaimTimeout():
                self._timeout = None
            case _:
                pass

    def _settle(self, clocks: m.Clocks, ended: Ended | None, now: float) -> list[Effect]:
        """After the chain moved: its clocks, its result, and on."""
        effects: list[Effect] = []
        if clocks != self._clocks:
            effects.append(Emit(m.ClockEvent(d=clocks)))
        self._clocks = clocks
        if ended is None:
            return effects + self._go_on(now)
        if self._ended is not None:
            return effects
        self._ended = ended
        if (landed := self.line.landed) < self.line.next:
            fix = Fix()
            fix.note(landed, "ended", "the game ended before this move")
            effects += [*self._forget_tail(landed), *fix.effects(now)]
        result = result_of(ended.outcome)
        end = m.EndData(result=result.result, reason=result.reason, tx=ended.tx)
        return [*effects, Emit(m.EndEvent(d=end))]
