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
from typing import Final

from engine.game import ABORT_PLIES, Result
from proofs.signing import Abort, Draw, Message, Move, Resign, side_player
from server import messages as m
from server.correction import Fix
from server.describe import proof_event
from server.effects import (
    AbortGame,
    ClaimDraw,
    ClaimTimeout,
    Effect,
    Emit,
    ResignGame,
    SessionState,
    WakeAt,
)
from server.errors import CommandRefused
from server.ply import Ply
from server.records import PlyRow
from server.replay import replay
from server.settling import Settling
from server.signatures import check_signed, signer_of

PLAYER_AHEAD: Final = 16
"""How many plies may wait for the chain before a player has to wait too."""


class Session(Settling):
    """The state of one game; `payee` is who is named in this server's proofs."""

    # --- commands -------------------------------------------------------------------------------

    def start(self, now: float) -> list[Effect]:
        """The opening was accepted: send it, and let the bot think."""
        return self._go_on(now)

    def bots_changed(self, now: float) -> list[Effect]:
        """Another bot can be played here: it may be this game's."""
        return [] if self.is_over else self._go_on(now)

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
        self._abort = state.abort
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
        self._check_players(Resign(self.id), signature)
        self._resignation = ResignGame(signature)
        return self._go_on(now)

    def abort(self, signature: bytes, now: float) -> list[Effect]:
        """A player's signed wish to take the game back before its second ply."""
        self._check_going()
        if self.line.game.played >= ABORT_PLIES:
            raise CommandRefused("too_late", f"{self.line.game.played} plies were played")
        self._check_players(Abort(self.id), signature)
        self._abort = AbortGame(signature)
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
        if self.is_over or self._is_given_up or self._draw:
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

    def _check_players(self, message: Message, signature: bytes) -> None:
        """Refuse what no player of this game signed."""
        if not self.players:
            raise CommandRefused("not_player", "both sides of this game are bots")
        signer = signer_of(message, self.terms.domain, signature)
        if signer not in self.players:
            raise CommandRefused("bad_signature", f"{signer} plays no side of this game")

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

    # --- the answers of bots that ponder --------------------------------------------------------

    def thought(self, job: int, index: int, now: float) -> list[Effect]:
        """A bot chose its move; nothing comes of it if the line has changed meanwhile."""
        if not self._is_wanted(job):
            return []
        if not self.line.is_legal(index):
            return self._hold_thought(f"it chose {index}, which is no legal move", now)
        return [*self._propose_chosen(index, now), *self._go_on(now)]

    def unthinkable(self, job: int, reason: str, now: float) -> list[Effect]:
        """A bot could not choose: it is asked again after a pause."""
        return self._hold_thought(reason, now) if self._is_wanted(job) else []

    def _hold_thought(self, reason: str, now: float) -> list[Effect]:
        return [WakeAt(self._setback.hit(reason, now))]

    def _is_wanted(self, job: int) -> bool:
        """Whether an answer serves now.  One that does not is asked for anew when it is due."""
        asked = self._pondering
        if asked is None or asked.job != job:
            return False
        self._pondering = None
        return asked.history == self.line.history and self._bot_to_think() is not None

    def _proving(self, job: int) -> Ply | None:
        return next((ply for ply in self.line.plies if ply.job == job), None)
