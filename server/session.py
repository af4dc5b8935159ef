"""One game, without await, socket or clock.

Commands, proofs and the chain's answers come in by methods, each with the time; what is to be
done about them comes out as a list of effects.  The game runs ahead of the chain as *proposed*:

    ply       0      1      2      3      4
    chain     ■──────■
    here      ■──────■──────□──────□──────□        ■ verified   □ proposed
                            ▲      ▲
                            │      the player answered at once; its signature binds the history
                            the bot's move, being proven

Ply n is sent only after n - 1 has landed, and only one transaction is under way at a time.  When
the chain refuses, everything after its own truth is dropped, and that is told as a correction.

What the chain does not hold yet (`pending`) is written down outside before it is acted upon, and
given back to a session that begins anew (`restore`).
"""

from collections.abc import Callable, Sequence
from typing import Final, Literal

import chess

from engine.game import Outcome, Result
from proofs.signing import Draw, Message, Move, Resign, side_player
from proofs.statement import game_seed
from server import messages as m
from server.correction import Fix
from server.describe import chain_event, proof_event, result_of, snapshot
from server.effects import (
    BotMove,
    BotPlayer,
    ChainTruth,
    ClaimDraw,
    ClaimTimeout,
    DropProof,
    Effect,
    Emit,
    Ended,
    Intent,
    LandedMove,
    Landing,
    OpenGame,
    PlayerMove,
    Prove,
    ResignGame,
    SessionState,
    Submit,
    Terms,
    WakeAt,
)
from server.errors import CommandRefused, IllegalTransition
from server.ply import Line, Ply
from server.records import PlyRow
from server.replay import replay, think
from server.setback import Setback
from server.signatures import check_signed, signer_of
from server.stages import step

BOTS_AHEAD: Final = 2
"""How many plies bots may play beyond the chain when they meet each other."""
PLAYER_AHEAD: Final = 16
"""How many plies may wait for the chain before a player has to wait too."""
REFUSALS: Final = 3
"""How often the chain may refuse a bot's move before it is offered no more."""
_STALE_KEPT: Final = 8


class Session:
    """The state of one game; `payee` is who is named in this server's proofs."""

    def __init__(self, terms: Terms, *, payee: int, now: float) -> None:
        self.terms = terms
        self.id = terms.open.game_id(terms.domain)
        self.line = Line(self.id)
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
        self._draw: ClaimDraw | None = None
        self._timeout: ClaimTimeout | None = None
        self._grace_until: float | None = None
        self._jobs = 0
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
        return any(ply.job is not None for ply in self.line.plies[self.line.landed :])

    def pending(self) -> tuple[Intent, ...]:
        """All that is wanted and that the chain does not hold, in the order of its sending.

        A bot's move is among it once it is proven.
        """
        opening = () if self._opening.stage in ("verified", "rejected") else (OpenGame(),)
        moves = (_carrying(ply) for ply in self.line.plies[self.line.landed :])
        wishes = (self._resignation, self._draw, self._timeout)
        return (*opening, *(intent for intent in (*moves, *wishes) if intent is not None))

    @property
    def state(self) -> SessionState:
        """How the game stands, but for its plies."""
        wishes = (self._resignation, self._draw, self._timeout)
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

    # --- commands -------------------------------------------------------------------------------

    def start(self, now: float) -> list[Effect]:
        """The opening was accepted: send it, and let the bot think."""
        return self._go_on(now)

    def restore(self, state: SessionState, rows: Sequence[PlyRow], now: float) -> Fix:
        """Be as it was written down; then `reconcile` with the chain, and it goes on.

        Moves that the chain may not hold are judged anew; what does not stand is left out, and
        told by the answer.
        """
        going = state.opening.stage != "submitted"
        self._opening = state.opening if going else m.Opening(stage="proposed")
        self._clocks, self._ended = state.clocks, state.ended
        fix = Fix()
        if (left_out := replay(self.line, rows, self.terms, self._payee, now)) is not None:
            fix.note(left_out, "other_move", "this and what came after it does not stand any more")
        self._resignation, self._timeout = state.resignation, state.timeout
        if state.draw is not None and state.draw.ply == self.line.next:
            self._draw = state.draw
        return fix

    def play(self, ply: int, index: int, signature: bytes, now: float) -> list[Effect]:
        """A player's signed move.  Raises CommandRefused, and then nothing changed."""
        player = self._check_turn(ply)
        if self.line.next - self.line.landed >= PLAYER_AHEAD:
            raise CommandRefused("rate_limited", f"{PLAYER_AHEAD} plies wait for the chain")
        if not self.line.is_legal(index):
            raise CommandRefused("illegal_move", f"index {index} is no legal move here")
        self._check_signed(lambda h: Move(self.id, ply, h, index), signature, player)
        played = self.line.push("player", index, now)
        played.signature = signature
        return [Emit(m.MoveEvent(d=played.record())), *self._go_on(now)]

    def resign(self, signature: bytes, now: float) -> list[Effect]:
        """A player's signed resignation."""
        self._check_going()
        if not self.players:
            raise CommandRefused("not_player", "both sides of this game are bots")
        signer = signer_of(Resign(self.id), self.terms.domain, signature)
        if signer not in self.players:
            raise CommandRefused("bad_signature", f"{signer} plays no side of this game")
        self._resignation = ResignGame(signature)
        return self._go_on(now)

    def claim_draw(self, ply: int, signature: bytes, now: float) -> list[Effect]:
        """A player's signed claim to a draw by repetition or the fifty-move rule."""
        player = self._check_turn(ply)
        if self.line.game.claim().result is Result.ONGOING:
            raise CommandRefused("illegal_move", "there is no draw to claim in this position")
        self._check_signed(lambda h: Draw(self.id, ply, h), signature, player)
        self._draw = ClaimDraw(ply, signature)
        return self._go_on(now)

    def claim_timeout(self, now: float) -> list[Effect]:
        """Anyone's wish that the contract look at the clock."""
        if self.is_over:
            raise CommandRefused("game_over", "the game is over")
        if not self.is_flagged(now):
            raise CommandRefused("bad_clock", "the running clock has not run out")
        if self._timeout is None and self._grace_until is None:
            self._timeout = ClaimTimeout(self.line.landed)
        return self._go_on(now)

    def _check_going(self) -> None:
        if self.is_over or self._resignation or self._draw:
            raise CommandRefused("game_over", "the game is over")
        if self.outcome.result is not Result.ONGOING:
            raise CommandRefused("game_over", f"the game is over: {self.outcome.reason}")

    def _check_turn(self, ply: int) -> str:
        """The address of the player who is to play ply `ply`."""
        self._check_going()
        if not self.players:
            raise CommandRefused("not_player", "both sides of this game are bots")
        if ply != self.line.next:
            raise CommandRefused("stale_ply", f"the next ply is {self.line.next}, not {ply}")
        player = side_player(self._to_move)
        if player is None:
            raise CommandRefused("wrong_turn", "it is the bot's turn")
        return player

    def _check_signed(
        self, message: Callable[[bytes], Message], signature: bytes, player: str
    ) -> None:
        """Refuse what the player did not sign over this very line."""
        earlier = [ply.history for ply in self.line.plies[-3:-1]]
        check_signed(
            message(self.line.history),
            [message(history) for history in (*earlier, *self._stale)],
            domain=self.terms.domain,
            signature=signature,
            player=player,
        )

    # --- the prover's answers -------------------------------------------------------------------

    def queued(
        self, job: int, position: int | None, wait_seconds: float | None, now: float
    ) -> list[Effect]:
        """The job waits at `position` of the prover's queue, or again since a prover died.

        `wait_seconds` is how long it will probably take until there is a proof.  It runs down by
        itself: news is when the place changes, or when there is an estimate at last, or no more.
        """
        ply = self._proving(job)
        if ply is None:
            return []
        shown = (ply.queue_position, ply.wait_seconds is None)
        if ply.stage == "queued" and shown == (position, wait_seconds is None):
            return []
        if ply.stage != "queued":
            ply.advance("queued", now)
        ply.queue_position, ply.wait_seconds = position, wait_seconds
        return [proof_event(ply)]

    def proving(self, job: int, now: float, wait_seconds: float | None = None) -> list[Effect]:
        """A prover has begun; `wait_seconds` is how long it will probably take."""
        ply = self._proving(job)
        if ply is None or ply.stage == "proving":
            return []
        ply.advance("proving", now)
        ply.queue_position, ply.wait_seconds = None, wait_seconds
        return [proof_event(ply)]

    def proved(
        self, job: int, proof: bytes, *, wall: float, cpu: float, now: float
    ) -> list[Effect]:
        ply = self._proving(job)
        if ply is None:
            return []
        begun = self.proving(job, now)  # its word may come after the proof itself
        ply.advance("proved", now)
        ply.job = ply.wait_seconds = None
        ply.proof, ply.prove_seconds, ply.cpu_seconds = proof, wall, cpu
        return [*begun, proof_event(ply), *self._go_on(now)]

    def unprovable(
        self, job: int, reason: str, now: float, *, is_wrong: bool = False
    ) -> list[Effect]:
        """The prover gave up.  The move waits for another try, unless it `is_wrong`: then it and
        what was built on it are taken back."""
        ply = self._proving(job)
        if ply is None:
            return []
        again = WakeAt(self._setback.hit(reason, now))
        if not is_wrong:
            effects = self.queued(job, None, None, now)
            ply.job = None
            return [*effects, again]
        fix = Fix()
        fix.note(ply.number, "unprovable", reason)
        return [*self._refuse(ply, reason, now), *fix.effects(now), again]

    def _proving(self, job: int) -> Ply | None:
        return next((ply for ply in self.line.plies if ply.job == job), None)

    # --- the chain's answers --------------------------------------------------------------------

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
        return self.reconcile(truth, now, failed=intent, reason=reason)

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
        held = len(truth.moves)
        if self._ended is not None and truth.ended is None:
            self._ended = None
            fix.note(held, "reorg", "the chain has lost the end of the game")
        is_early = isinstance(failed, PlayerMove | BotMove) and failed.ply > held
        self._rewind(held, failed if is_early else None, fix)
        for number, move in enumerate(truth.moves):
            effects += self._adopt(number, move, fix, now)
        if isinstance(failed, PlayerMove | BotMove):
            effects += self._give_up(failed, reason, fix, now)
        elif isinstance(failed, ResignGame | ClaimDraw) and truth.ended is None:
            fix.note(self.line.next, "refused", reason)
        effects += fix.effects(now)
        effects += self._await_grace(truth.grace_until, now)
        return effects + self._settle(truth.clocks, truth.ended, now)

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
            fix.note(0, "refused", reason)
            told = chain_event(-1, "rejected", now, reason=reason)
            return [*self._forget_tail(0), told, *fix.effects(now)]
        if self._opening.stage == "rejected":
            return []
        if self._opening.stage == "verified":
            fix.note(0, "reorg", "the chain has lost the game's opening")
        self._opening, self._ended = m.Opening(stage="proposed"), None
        self._rewind(0, failed, fix)
        return [*fix.effects(now), *self._go_on(now)]

    def _rewind(self, landed: int, failed: Intent | None, fix: Fix) -> None:
        """Send again what the chain has lost, and what it refused only for that."""
        lost = self.line.plies[landed : self.line.landed]
        if lost:
            fix.note(landed, "reorg", "the chain has lost blocks; the moves are brought again")
        if isinstance(failed, PlayerMove | BotMove) and (ply := self._carried(failed)):
            lost.append(ply)
        for ply in lost:
            ply.rewind()

    def _adopt(self, number: int, move: LandedMove, fix: Fix, now: float) -> list[Effect]:
        """Know ply `number` to be landed as `move`."""
        ply = self.line.plies[number] if number < self.line.next else None
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

    def _carried(self, intent: PlayerMove | BotMove) -> Ply | None:
        """The ply that a transaction carries, unless it was dropped meanwhile."""
        ply = self.line.plies[intent.ply] if intent.ply < self.line.next else None
        return ply if ply is not None and ply.index == intent.index else None

    def _answered(self, intent: Intent) -> None:
        if intent != self._under_way:
            raise IllegalTransition("a transaction", type(self._under_way).__name__, "answered")
        self._under_way = self._fault = None
        match intent:
            case ResignGame():
                self._resignation = None
            case ClaimDraw():
                self._draw = None
            case ClaimTimeout():
                self._timeout = None
            case _:
                pass

    # --- steps ----------------------------------------------------------------------------------

    def _go_on(self, now: float) -> list[Effect]:
        """Whatever can be done next: the bots' thinking, and one transaction."""
        effects: list[Effect] = []
        if not self.is_over and self._setback.reason is None:
            for ply in self.line.plies[self.line.landed :]:
                if ply.stage == "queued" and ply.job is None:  # restored, or to be tried again
                    effects += self._wish_proof(ply)
        while (bot := self._bot_to_think()) is not None:
            effects += self._think(bot, now)
        return effects + self._submit(now)

    @property
    def _to_move(self) -> bytes:
        """The side that plays next."""
        terms = self.terms.open
        return terms.white if self.line.game.turn == chess.WHITE else terms.black

    def _bot_to_think(self) -> BotPlayer | None:
        bot = self.terms.bots.get(self._to_move)
        if bot is None or bot.choose is None or self._setback.reason is not None:
            return None
        if self.is_over or self._resignation or self.outcome.result is not Result.ONGOING:
            return None
        answers_player = bool(self.line.plies) and self.line.plies[-1].by == "player"
        is_near = self.line.next - self.line.landed < BOTS_AHEAD
        return bot if answers_player or is_near else None

    def _think(self, bot: BotPlayer, now: float) -> list[Effect]:
        statement = think(bot, self.line, self._seed, self._payee)
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
            case PlayerMove() | BotMove():
                self.line.plies[intent.ply].advance("submitted", now)
            case _:
                pass
        return [*self._note(intent, now), Submit(intent)]

    def _next_intent(self) -> Intent | None:
        if self._opening.stage != "verified":
            return OpenGame()
        if self._resignation is not None:
            return self._resignation
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


def _carrying(ply: Ply) -> PlayerMove | BotMove | None:
    """The transaction that brings a ply to the chain, when all that it needs is there."""
    if ply.signature is not None:
        return PlayerMove(ply.number, ply.index, ply.signature)
    if ply.proof is not None and ply.payee is not None:
        return BotMove(ply.number, ply.index, ply.payee, ply.proof)
    return None
