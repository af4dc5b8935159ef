"""Any sequence of calls by anyone: the arena does what the model says, and nothing else.

Several games at once; honest and hostile steps at any time.  After every step each game stands in
the contract as in the model: so none is lost, moved out of turn or by an unproven move, ended twice
or touched by a step of another.  A right move is taken as long as the game and its mover's grace
window are open, whoever claimed what before: so a hidden move wins nothing.  In the end every game
that still goes on is brought to its end by anyone: so none is stuck.

Sequences are drawn from numbered seeds; a failure tells its seed and the steps that led to it.

CHECKPROOF_STATEFUL=500   play that many sequences instead of 10 (with pytest --timeout=0)
"""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any, Final

import chess

from engine.game import ONGOING, Reason
from engine.policy_map import POLICY_SIZE, move_index
from engine.start import USUAL, Start
from proofs.signing import start_words
from proofs.trapdoor import R
from tests.contracts.arena_model import Model
from tests.contracts.ground import Receipt, Reverted
from tests.contracts.scene import PAYEE, PLAYER, STRANGER, Live, Scene, address

SEQUENCES: Final = int(os.environ.get("CHECKPROOF_STATEFUL", "10"))
STEPS: Final = 70
GAMES: Final = 3
BASE_SECONDS: Final = 90

# Near the ends that chance alone would hardly reach.
STARTS: Final = (
    None,
    "7k/8/6K1/8/8/8/8/R7 w - - 20 1",
    "7k/8/5K2/8/8/8/8/6Q1 w - - 96 1",
    "4k3/8/8/8/8/8/4r3/3NK3 w - - 0 1",
    "r3k3/8/8/8/8/8/8/3K3R w - - 148 1",
    "r3k3/8/8/8/8/8/8/3K3R w - - 97 1",
    "r3k2r/pP4p1/8/3pP3/8/8/6p1/R3K2R w KQkq d6 0 1",
    "7k/7p/8/8/8/6q1/8/K7 b - - 5 9",
)
# p: the player, b: the bot whose moves must be proven, y: the bot that says yes to all.
SIDES: Final = ("pb", "bp", "py", "yp", "by", "bb")
CHEATS: Final = (
    *("stranger", "ahead", "illegal", "other history"),
    *("out of turn", "no proof", "other proof"),
)
SECONDS: Final = (1, 1, 1, 2, 3, 5, 29, 31, 60, 61, 90)

REFUSALS: Final = {
    *("GameOver", "StalePly", "GraceOver", "GraceRunning", "TimeLeft", "NothingToClaim"),
    "TooLateToAbort",
    *("NotPlayersTurn", "NotBotsTurn", "BadSignature", "IllegalMove", "ProofRejected"),
}


class Play:
    """One sequence: a few games on the arena, and time, which is the chain's."""

    def __init__(self, scene: Scene, seed: int, seen: Counter[str]) -> None:
        self.models: list[Model] = []
        self._scene = scene
        self._seed = seed
        self._seen = seen
        self._chance = Random(seed)
        self._now = scene.node.now
        self._landed: list[tuple[Model, tuple[Any, ...]]] = []

    def step(self) -> None:
        """One call of some kind by someone."""
        going = [model for model in self.models if model.outcome == ONGOING]
        if not going or (len(going) < GAMES and self._chance.random() < 0.3):
            self.open()
            return
        model = self._chance.choice(going if self._chance.random() < 0.9 else self.models)
        steps: dict[Callable[[Model], None], int] = {
            self.move: 5,
            self.move_on: 4,
            self.cheat: 5,
            self.claim_timeout: 2,
            self.claim_draw: 3,
            self.replay: 1,
            self.resign: 1,
            self.abort: 1,
        }
        self._chance.choices(list(steps), list(steps.values()))[0](model)

    def open(self) -> None:
        scene, sides, fen = self._scene, self._chance.choice(SIDES), self._chance.choice(STARTS)
        named = {"p": scene.player_side(), "b": scene.house, "y": scene.yes}
        opening = replace(
            scene.opening(white=named[sides[0]], black=named[sides[1]]),
            base_seconds=BASE_SECONDS,
            increment_seconds=self._chance.choice((0, 2)),
            delay_seconds=self._chance.choice((0, 3)),
            **start_words(USUAL if fen is None else Start.from_fen(fen)),
            expires=self._now + 10**6,
            nonce=self._seed << 8 | len(self.models),
        )
        receipt = self._at(1, None, lambda: scene.send_open(opening))
        assert receipt is not None
        self.models.append(Model(Live(scene, opening, receipt), self._now))

    def move(self, model: Model, seconds: int | None = None, *, back: float = 0.4) -> None:
        """A right move of whoever is to move."""
        index = self._choose(model, back)
        if index is None:  # mated or stalemated
            return
        seconds = self._seconds() if seconds is None else seconds
        call = self._honest(model, index)
        error = model.refuses_at(self._now + seconds, model.live.ply)
        if self._send(seconds, error, call) is not None:
            self._landed.append((model, call))
            model.move(index, self._now)
            self._seen[model.outcome.reason.name] += 1

    def move_on(self, model: Model) -> None:
        """Several right moves, a second each: any, or back and forth, and mostly then a claim."""
        shuffles, claims = self._chance.random() < 0.4, self._chance.random() < 0.8
        if model.refuses_at(self._now + 1, model.live.ply):
            return
        count = self._chance.randrange(6, 12) if claims else 18
        for _ in range(count if shuffles else self._chance.randrange(2, 6)):
            if model.outcome == ONGOING:
                self.move(model, 1, back=0.95 if shuffles else 0.4)
        if shuffles and claims:
            self.claim_draw(model)

    def cheat(self, model: Model) -> None:
        """A move with one thing wrong with it."""
        seconds, how, index = self._seconds(), self._chance.choice(CHEATS), self._choose(model)
        forged = None if index is None else self._forged(model, index, how)
        if forged is not None:
            call, wrong = forged
            error = model.refuses_at(self._now + seconds, call[2]) or wrong
            assert self._send(seconds, error, call) is None
            self._seen[how] += 1

    def replay(self, _model: Model) -> None:
        """A move that landed, brought again."""
        if self._landed:
            seconds, (model, call) = self._seconds(), self._chance.choice(self._landed)
            error = model.refuses_at(self._now + seconds, call[2])
            assert error in {"GameOver", "StalePly"}
            self._send(seconds, error, call)

    def claim_timeout(self, model: Model) -> None:
        seconds = self._seconds()
        error = model.refuses_timeout(self._now + seconds)
        if self._at(seconds, error, model.live.claim_timeout) is not None:
            model.claim_timeout(self._now)
            if model.outcome == ONGOING and self._chance.random() < 0.4:
                self.claim_timeout(model)
            self._seen["window" if model.outcome == ONGOING else model.outcome.reason.name] += 1

    def claim_draw(self, model: Model) -> None:
        seconds, honest = self._seconds(), self._chance.random() < 0.8
        error = model.refuses_draw(self._now + seconds)
        if not honest and error in {None, "NothingToClaim"}:
            error = "BadSignature"
        signature = model.live.sign_draw(key=PLAYER if honest else STRANGER)
        if self._at(seconds, error, lambda: model.live.claim_draw(signature)) is not None:
            model.claim_draw()
            self._seen[model.outcome.reason.name] += 1

    def resign(self, model: Model) -> None:
        seconds, honest = self._seconds(), self._chance.random() < 0.5
        error = model.refuses()
        if error is None and not (honest and model.has_player):
            error = "BadSignature"
        signature = model.live.sign_resign(key=PLAYER if honest else STRANGER)
        if self._at(seconds, error, lambda: model.live.resign(signature)) is not None:
            model.resign()
            self._seen[model.outcome.reason.name] += 1

    def abort(self, model: Model) -> None:
        seconds, honest = self._seconds(), self._chance.random() < 0.5
        error = model.refuses_abort()
        if error is None and not honest:
            error = "BadSignature"
        signature = model.live.sign_abort(key=PLAYER if honest else STRANGER)
        if self._at(seconds, error, lambda: model.live.abort(signature)) is not None:
            model.abort()
            self._seen[model.outcome.reason.name] += 1

    def check(self, *, everything: bool = False) -> None:
        """The games stand in the contract as in the model: all, or the last and those going on."""
        last = self.models[-1:]
        open_ = [model for model in self.models if model.outcome == ONGOING]
        for model in self.models if everything else last + open_:
            expected, found = model.state(), model.live.state
            assert {name: found[name] for name in expected} == expected

    def end(self) -> None:
        """Anyone ends every game that goes on, by claiming its mover's time."""
        for model in self.models:
            for _ in range(2):
                if model.outcome == ONGOING:
                    assert self._at(100_000, None, model.live.claim_timeout) is not None
                    model.claim_timeout(self._now)
            assert model.outcome != ONGOING
        self.check(everything=True)

    # ---- inside ----

    def _seconds(self) -> int:
        return self._chance.choice(SECONDS)

    def _send(self, seconds: int, error: str | None, call: tuple[Any, ...]) -> Receipt | None:
        return self._at(seconds, error, lambda: self._scene.arena.send(*call))

    def _at(self, seconds: int, error: str | None, send: Callable[[], Receipt]) -> Receipt | None:
        """Send in a block `seconds` later; the receipt, or None after the expected error."""
        self._now += seconds
        self._scene.node.next_block_at(self._now)
        try:
            receipt = send()
        except Reverted as reverted:
            self._seen[reverted.name] += 1
            if reverted.name != error:
                raise AssertionError(f"{reverted}, expected {error}") from reverted
            return None
        assert error is None, f"{receipt.names}, expected {error}"
        assert receipt.timestamp == self._now
        return receipt

    def _choose(self, model: Model, back: float = 0.0) -> int | None:
        """A legal move, if there is any: one that goes back, one that ends the game, or any."""
        board = model.live.game.board
        legal = list(board.legal_moves)
        if self._chance.random() > back:
            if self._chance.random() < 0.3:
                legal = [move for move in legal if _ends(board, move)] or legal
        elif len(board.move_stack) > 1:
            last = board.move_stack[-2]
            wanted = chess.Move(last.to_square, last.from_square)
            legal = [wanted] if wanted in legal else legal
        return move_index(board, self._chance.choice(legal)) if legal else None

    def _honest(self, model: Model, index: int) -> tuple[Any, ...]:
        live = model.live
        if model.player_moves:
            return "move", live.id, live.ply, index, live.sign(index)
        return self._bot_move(model, index, self._proof(model, index))

    def _bot_move(self, model: Model, index: int, proof: bytes) -> tuple[Any, ...]:
        live = model.live
        return "submitBotMove", live.id, live.ply, index, address(PAYEE), proof

    def _proof(self, model: Model, index: int) -> bytes:
        limbs = model.live.statement(index).limbs
        return self._scene.key.prove(limbs, a=R // 3, b=R // 5)

    def _forged(self, model: Model, index: int, how: str) -> tuple[tuple[Any, ...], str] | None:
        """A call, and the error that it must fail with; None where this cannot be done wrong."""
        live = model.live
        if how == "ahead":
            function, id_, ply, *rest = self._honest(model, index)
            return (function, id_, ply + 1, *rest), "StalePly"
        if how == "illegal":
            wrong = self._chance.choice(_indices(~live.game.mask))
            return self._honest(model, wrong), "IllegalMove"
        if how == "out of turn" and not model.player_moves:
            return ("move", live.id, live.ply, index, live.sign(index)), "NotPlayersTurn"
        if how == "out of turn":
            return self._bot_move(model, index, self._proof(model, index)), "NotBotsTurn"
        return self._unfounded(model, index, how)

    def _unfounded(self, model: Model, index: int, how: str) -> tuple[tuple[Any, ...], str] | None:
        """A right move by a wrong signature, or without the proof that it needs."""
        live = model.live
        if model.player_moves:
            kinds: dict[str, dict[str, Any]] = {
                "stranger": {"key": STRANGER},
                "other history": {"history": bytes(32)},
            }
            signature = live.sign(index, **kinds.get(how, {"index": index ^ 1}))
            return ("move", live.id, live.ply, index, signature), "BadSignature"
        if model.mover != self._scene.house:
            return None
        others = _indices(live.game.mask & ~(1 << index))
        proof = self._proof(model, others[0]) if how == "other proof" and others else bytes(256)
        return self._bot_move(model, index, proof), "ProofRejected"


def _indices(mask: int) -> list[int]:
    return [index for index in range(POLICY_SIZE) if mask >> index & 1]


def _ends(board: chess.Board, move: chess.Move) -> bool:
    after = board.copy(stack=False)
    after.push(move)
    return after.is_game_over()


def test_arena_doesWhatTheModelSays(scene: Scene) -> None:
    seen: Counter[str] = Counter()
    for seed in range(1, SEQUENCES + 1):
        play = Play(scene, seed, seen)
        try:
            for _ in range(STEPS):
                play.step()
                play.check()
            play.end()
        except AssertionError as error:
            error.add_note(f"sequence {seed}")
            raise
    # Nothing of this would be worth much if hardly anything happened.
    expected = REFUSALS | {reason.name for reason in Reason} | {"window", *CHEATS}
    assert expected <= set(seen), expected - set(seen)
    assert seen["NONE"] > 30 * SEQUENCES
