"""A session driven by hand: its wishes are carried out one at a time, by the fakes' rules."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from engine.start import USUAL, Start
from proofs.errors import ChainRejected
from proofs.signing import Abort, Draw, Open, Resign
from proofs.statement import commitment
from server import messages as m
from server.effects import (
    BotPlayer,
    ChainTruth,
    Effect,
    Emit,
    Prove,
    Resync,
    Submit,
    Terms,
    WakeAt,
)
from server.session import Session
from tests.server.fakes import BOT, BOTS, DOMAIN, PAYEE, FakeChain, Player

T = TypeVar("T")
SECRET = b"\x07" * 32


class Table:
    """A session with a fake chain, and what it wished and said so far."""

    def __init__(
        self,
        *,
        white: bytes | None = None,
        black: bytes | None = BOT,
        choose: Callable[..., int] | None = None,
        base: int = 300,
        start: Start = USUAL,
    ) -> None:
        self.now = 1000.0
        self.player = Player()
        self.chain = FakeChain(now=lambda: self.now)
        bots: Mapping[bytes, BotPlayer] = BOTS
        if choose is not None:
            bots = {**BOTS, BOT: BotPlayer(BOT, "scripted", choose)}
        opening: Open = self.player.open(
            commitment(SECRET), white=white, black=black, base=base, start=start
        )
        signature = opening.sign(DOMAIN, self.player.key)
        self.terms = Terms(DOMAIN, opening, signature, SECRET, bots)
        self.session = Session(self.terms, payee=PAYEE, now=self.now)
        self.effects: list[Effect] = []
        self.wishes: list[Prove] = []
        self.do(self.session.start(self.now))

    # --- what came out --------------------------------------------------------------------------

    def do(self, effects: list[Effect]) -> list[Effect]:
        self.effects += effects
        self.wishes += self.of(Prove, effects)
        return effects

    def of(self, kind: type[T], effects: Iterable[Any] | None = None) -> list[T]:
        return [e for e in (self.effects if effects is None else effects) if isinstance(e, kind)]

    def events(self, effects: Iterable[Any] | None = None) -> list[m.GameEvent]:
        return [e.event for e in self.of(Emit, effects)]

    def told(self, effects: Iterable[Any] | None = None) -> list[str]:
        """The events in short, such as "move 1", "chain 0 verified", "full", "end"."""
        shown = self.effects if effects is None else effects
        return [line for e in shown if (line := _short(e)) is not None]

    @property
    def to_prove(self) -> list[Prove]:
        """Wishes for proofs that still stand."""
        return [wish for wish in self.wishes if self.session._proving(wish.job) is not None]

    @property
    def to_send(self) -> Submit | None:
        """The transaction under way."""
        under_way = self.session._under_way
        return None if under_way is None else Submit(under_way)

    def stage(self, ply: int) -> str | None:
        found = self.session.line.at(ply)
        return None if found is None else found.stage

    def stages(self) -> list[str | None]:
        return [ply.stage for ply in self.session.line.plies]

    # --- what goes in ---------------------------------------------------------------------------

    def move(self, index: int, *, ply: int | None = None) -> list[Effect]:
        """The player's signed move at the end of the line."""
        line = self.session.line
        number = line.next if ply is None else ply
        signature = self.player.move(self.session.id, number, line.history, index)
        return self.do(self.session.play(number, index, signature, self.now))

    def resign(self, player: Player | None = None) -> list[Effect]:
        signature = Resign(self.session.id).sign(DOMAIN, (player or self.player).key)
        return self.do(self.session.resign(signature, self.now))

    def abort(self, player: Player | None = None) -> list[Effect]:
        signature = Abort(self.session.id).sign(DOMAIN, (player or self.player).key)
        return self.do(self.session.abort(signature, self.now))

    def claim_draw(self) -> list[Effect]:
        line = self.session.line
        signature = Draw(self.session.id, line.next, line.history).sign(DOMAIN, self.player.key)
        return self.do(self.session.claim_draw(line.next, signature, self.now))

    def prove(self, ply: int | None = None) -> list[Effect]:
        """The prover delivers, the first wish or the one of a ply."""
        wish = next(w for w in self.to_prove if ply is None or w.ply == ply)
        self.do(self.session.proving(wish.job, self.now))
        proof = b"proof" + wish.statement.index.to_bytes(2, "big")
        return self.do(self.session.proved(wish.job, proof, wall=2, cpu=1, now=self.now))

    def land(self) -> list[Effect]:
        """The chain answers the transaction under way, yes or no."""
        assert self.to_send is not None
        intent = self.to_send.intent
        try:
            landing = self.chain.land(self.terms, intent)
        except ChainRejected as refused:
            return self.refuse(str(refused))
        return self.do(self.session.has_landed(intent, landing, self.now))

    def refuse(self, reason: str = "no") -> list[Effect]:
        """The chain refuses the transaction under way."""
        assert self.to_send is not None
        intent, truth = self.to_send.intent, self.truth()
        return self.do(self.session.was_refused(intent, reason, truth, self.now))

    def truth(self) -> ChainTruth:
        game = self.chain.held.get(self.session.id)
        if game is None:
            none = m.Clocks(white=0, black=0, running=None, at=0)
            return ChainTruth(None, (), none, None)
        return ChainTruth(game.tx, tuple(game.moves), game.clocks(), game.ended, game.grace)

    def settle(self) -> None:
        """Prove and land all that is wished, until nothing is."""
        while self.to_send is not None or self.to_prove:
            if self.to_send is not None:
                self.land()
            else:
                self.prove()


def _short(effect: Effect) -> str | None:
    match effect:
        case Resync():
            return "full"
        case Emit(event=m.MoveEvent(d=d)):
            return f"move {d.ply}"
        case Emit(event=m.ProofEvent(d=d) | m.ChainEvent(d=d)):
            return f"{d.stage} {d.ply}"
        case Emit(event=m.CorrectionEvent(d=d)):
            return f"correction {d.ply} {d.cause}"
        case Emit(event=m.EndEvent(d=d)):
            return f"end {d.result} {d.reason}"
        case _:
            return f"wake {effect.at:g}" if isinstance(effect, WakeAt) else None
