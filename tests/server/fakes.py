"""A prover and a chain that need no other process, for tests of the server alone.

The fake chain keeps the contract's rules: one game, one line, each ply once, in order; it
checks signatures and clocks as the contract does, and can be told to fail.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import chess
from coincurve import PrivateKey
from eth_utils.crypto import keccak

from engine.encoding import Position
from engine.game import ABORT_PLIES, ABORTED, Game, Outcome, Reason, Result
from engine.start import USUAL, Start
from proofs.errors import ChainDown, ChainRejected, ProofError
from proofs.prover import Place, PoolState
from proofs.signing import (
    Abort,
    Domain,
    Draw,
    Move,
    Open,
    Resign,
    address_of,
    player_side,
    side_player,
    start_words,
)
from proofs.statement import Statement, next_history
from server.effects import (
    AbortGame,
    BotMove,
    BotPlayer,
    ChainTruth,
    ClaimDraw,
    ClaimTimeout,
    Ended,
    Intent,
    LandedMove,
    Landing,
    OpenGame,
    PlayerMove,
    ResignGame,
    Terms,
)
from server.messages import Clocks
from server.ports import OpenedGame

DOMAIN = Domain(31337, "0x" + "a5" * 20)
PAYEE = 0xBEEF
GRACE = 60
BOT = keccak(b"first legal move")
OTHER_BOT = keccak(b"last legal move")
CUSTOM_BOT = keccak(b"somebody else's")


def first_legal(position: Position, mask: int, dice: int) -> int:
    """Plays the lowest legal index."""
    return (mask & -mask).bit_length() - 1


def last_legal(position: Position, mask: int, dice: int) -> int:
    return mask.bit_length() - 1


BOTS = {
    BOT: BotPlayer(BOT, "first", first_legal),
    OTHER_BOT: BotPlayer(OTHER_BOT, "last", last_legal),
    CUSTOM_BOT: BotPlayer(CUSTOM_BOT, "custom", None),
}


def scripted(*moves: int) -> Callable[[Position, int, int], int]:
    """Plays these indices, one after another."""
    rest: Iterator[int] = iter(moves)

    def choose(position: Position, mask: int, dice: int) -> int:
        return next(rest)

    return choose


class Player:
    """A key that signs what a browser would."""

    def __init__(self, name: str = "player") -> None:
        self.key = PrivateKey(keccak(name.encode()))
        self.address = address_of(self.key)

    @property
    def side(self) -> bytes:
        return player_side(self.address)

    def open(
        self,
        commitment: bytes,
        *,
        white: bytes | None = None,
        black: bytes | None = None,
        base: int = 300,
        expires: int = 2_000_000_000,
        nonce: int = 0,
        start: Start = USUAL,
    ) -> Open:
        return Open(
            opener=self.address,
            white=self.side if white is None else white,
            black=BOT if black is None else black,
            **start_words(start),
            base_seconds=base,
            increment_seconds=0,
            delay_seconds=0,
            commitment=commitment,
            seed=keccak(b"player's seed"),
            expires=expires,
            nonce=nonce,
        )

    def move(self, game: bytes, ply: int, history: bytes, index: int) -> bytes:
        return Move(game, ply, history, index).sign(DOMAIN, self.key)


# --- chain --------------------------------------------------------------------------------------


@dataclass
class ChainGame:
    terms: Terms
    tx: str
    now: float
    game: Game = field(init=False)
    moves: list[LandedMove] = field(default_factory=list)
    white: float = 0
    black: float = 0
    ended: Ended | None = None
    grace: float | None = None

    def __post_init__(self) -> None:
        self.game = Game(self.open.begins)

    @property
    def open(self) -> Open:
        return self.terms.open

    @property
    def signature(self) -> bytes:
        return self.terms.signature

    @property
    def secret(self) -> bytes:
        return self.terms.secret

    def clocks(self) -> Clocks:
        running = "white" if self.game.turn == chess.WHITE else "black"
        return Clocks(
            white=self.white,
            black=self.black,
            running=None if self.ended else running,  # type: ignore[arg-type]
            at=self.now,
        )


class FakeChain:
    """Blocks come at once, or after `release` when `held`; `faults` are raised first."""

    def __init__(self, *, now: Callable[[], float] = lambda: 1000.0) -> None:
        self.domain = DOMAIN
        self.payee = PAYEE
        self.now = now
        self.held: dict[bytes, ChainGame] = {}
        self.sent: list[Intent] = []
        self.faults: list[Exception] = []
        self.lose_answers = 0
        self.delay = 0.0
        self._free = asyncio.Event()
        self._free.set()
        self.head = 0
        self.looks = 0
        """How often `changed` was asked."""
        self.recoveries = 0
        self.brought: set[str] = set()
        self.logs: list[tuple[int, bytes]] = []

    def hold(self) -> None:
        self._free.clear()

    def release(self) -> None:
        self._free.set()

    async def send(self, terms: Terms, intent: Intent, on_sent: Callable[[str], None]) -> Landing:
        if self.faults:
            raise self.faults.pop(0)
        self.sent.append(intent)
        self.head += 1
        block = self.head
        tx = "0x" + keccak(block.to_bytes(32, "big")).hex()
        self.brought.add(tx)
        on_sent(tx)
        if self.delay:
            await asyncio.sleep(self.delay)
        await self._free.wait()
        landing = self.land(terms, intent, tx, block)
        if self.lose_answers:
            self.lose_answers -= 1
            raise ChainDown("http://fake", "no answer")
        return landing

    async def truth(self, terms: Terms) -> ChainTruth:
        game = self.held.get(terms.open.game_id(DOMAIN))
        if game is None:
            return ChainTruth(None, (), Clocks(white=0, black=0, running=None, at=0), None)
        return ChainTruth(game.tx, tuple(game.moves), game.clocks(), game.ended, game.grace)

    async def games(self) -> list[tuple[ChainGame, ChainTruth]]:
        return [(game, await self.truth(game.terms)) for game in self.held.values()]

    async def opened(self, game: bytes) -> ChainGame | None:
        return self.held.get(game)

    async def is_ours(self, opened: OpenedGame) -> bool:
        return opened.tx in self.brought

    async def recover(self) -> int:
        self.recoveries += 1
        return 0

    async def changed(self, since: int) -> tuple[int, list[bytes] | None]:
        self.looks += 1
        if self.head < since - 1:
            return self.head + 1, None
        return self.head + 1, [game for block, game in self.logs if block >= since]

    # --- the contract's rules -------------------------------------------------------------------

    def land(self, terms: Terms, intent: Intent, tx: str = "0x01", block: int = 1) -> Landing:
        """What the contract does with a transaction.  Raises ChainRejected."""
        game_id = terms.open.game_id(DOMAIN)
        self.logs.append((block, game_id))
        if isinstance(intent, OpenGame):
            if game_id in self.held:
                raise ChainRejected("GameExists", {"game": game_id.hex()})
            base = terms.open.base_seconds
            self.held[game_id] = ChainGame(terms, tx, self.now(), white=base, black=base)
            return self._landing(self.held[game_id], tx, block)
        game = self.held.get(game_id)
        if game is None:
            raise ChainRejected("GameUnknown", {"game": game_id.hex()})
        if game.ended is not None:
            raise ChainRejected("GameOver", {})
        match intent:
            case PlayerMove() | BotMove():
                self._move(game, intent, tx, block)
            case ResignGame(signature=signature):
                signer = Resign(game_id).signer(DOMAIN, signature)
                white = signer == side_player(terms.open.white)
                won = Result.BLACK_WINS if white else Result.WHITE_WINS
                game.ended = Ended(Outcome(won, Reason.RESIGNATION), tx)
            case AbortGame(signature=signature):
                if game.game.played >= ABORT_PLIES:
                    raise ChainRejected("TooLateToAbort", {"ply": game.game.ply})
                if Abort(game_id).signer(DOMAIN, signature) not in self._players(game):
                    raise ChainRejected("BadSignature", {})
                game.ended = Ended(ABORTED, tx)
            case ClaimDraw(ply=ply, signature=signature):
                self._check_ply(game, ply)
                signer = Draw(game_id, ply, self.history(game)).signer(DOMAIN, signature)
                outcome = game.game.claim()
                if signer != self._player(game) or outcome.result is Result.ONGOING:
                    raise ChainRejected("NoDraw", {})
                game.ended = Ended(outcome, tx)
            case ClaimTimeout():
                return self._claim_timeout(game, tx, block)
        return self._landing(game, tx, block)

    def _move(self, game: ChainGame, intent: PlayerMove | BotMove, tx: str, block: int) -> None:
        self._check_ply(game, intent.ply)
        player, history = self._player(game), self.history(game)
        if isinstance(intent, PlayerMove):
            message = Move(game.terms.open.game_id(DOMAIN), intent.ply, history, intent.index)
            if message.signer(DOMAIN, intent.signature) != player:
                raise ChainRejected("BadSignature", {})
            move = LandedMove(
                intent.index, tx, block, self.now(), signature=intent.signature, gas=60_000
            )
        else:
            if player is not None:
                raise ChainRejected("NotBotsTurn", {})
            if not intent.proof.startswith(b"proof"):
                raise ChainRejected("ProofRejected", {})
            move = LandedMove(
                intent.index,
                tx,
                block,
                self.now(),
                proof=intent.proof,
                payee=intent.payee,
                gas=400_000,
            )
        self._charge(game)
        game.game.play(intent.index)
        game.moves.append(move)
        game.grace = None
        outcome = game.game.outcome()
        if outcome.result is not Result.ONGOING:
            game.ended = Ended(outcome, tx)

    def _charge(self, game: ChainGame) -> None:
        elapsed, game.now = self.now() - game.now, self.now()
        if game.game.turn == chess.WHITE:
            game.white = max(0.0, game.white - elapsed)
        else:
            game.black = max(0.0, game.black - elapsed)

    def _claim_timeout(self, game: ChainGame, tx: str, block: int) -> Landing:
        white = game.game.turn == chess.WHITE
        left = (game.white if white else game.black) - (self.now() - game.now)
        if left >= 0:
            raise ChainRejected("ClockRunning", {"left": left})
        if game.grace is None:
            game.grace = self.now() + GRACE
            return self._landing(game, tx, block, grace=game.grace)
        if self.now() < game.grace:
            raise ChainRejected("GraceRunning", {})
        won = Result.BLACK_WINS if white else Result.WHITE_WINS
        game.ended = Ended(Outcome(won, Reason.TIMEOUT), tx)
        return self._landing(game, tx, block)

    def _landing(self, game: ChainGame, tx: str, block: int, grace: float | None = None) -> Landing:
        return Landing(tx, 50_000, block, game.clocks(), game.ended, grace)

    def _check_ply(self, game: ChainGame, ply: int) -> None:
        if ply != game.game.ply:
            raise ChainRejected("StalePly", {"expected": game.game.ply, "got": ply})

    @staticmethod
    def _players(game: ChainGame) -> tuple[str | None, ...]:
        return side_player(game.terms.open.white), side_player(game.terms.open.black)

    def _player(self, game: ChainGame) -> str | None:
        white = game.game.turn == chess.WHITE
        return side_player(game.terms.open.white if white else game.terms.open.black)

    def history(self, game: ChainGame) -> bytes:
        history = game.terms.open.game_id(DOMAIN)
        for move in game.moves:
            history = next_history(history, move.index)
        return history


# --- prover -------------------------------------------------------------------------------------


@dataclass
class FakeProof:
    proof: bytes
    wall_s: float = 1.5
    cpu_s: float = 1.4


@dataclass
class FakeJob:
    version: bytes
    statement: Statement
    group: bytes
    on_start: Callable[[], None]
    on_again: Callable[[], None]
    future: Future[Any]
    is_begun: bool = False


class FakeProver:
    """Proves at once, after `delay` seconds, or when told (`is_held`).

    `takes` is what it says that a proof takes.
    """

    def __init__(self, *, delay: float = 0.0, is_held: bool = False) -> None:
        self.jobs: list[FakeJob] = []
        self.faults: list[ProofError] = []
        self.delay = delay
        self.is_held = is_held
        self.bad_proofs = 0
        self.takes: float | None = None
        self.is_ready = True
        self.fault: str | None = None

    def submit(
        self,
        version: bytes,
        statement: Statement,
        *,
        group: bytes,
        on_start: Callable[[], None],
        on_again: Callable[[], None],
    ) -> Future[Any]:
        job = FakeJob(version, statement, group, on_start, on_again, Future())
        self.jobs.append(job)
        if not self.is_held:
            loop = asyncio.get_running_loop()
            loop.call_soon(self.start, job)
            loop.call_later(self.delay, self.finish, job)
        return job.future

    def places(self) -> dict[Future[Any], Place]:
        left = [job for job in self.jobs if not job.future.done()]
        begun = {job.future: Place(0, self.takes) for job in left if job.is_begun}
        waiting = (job.future for job in left if not job.is_begun)
        return begun | {
            future: Place(n, self.takes and self.takes * n) for n, future in enumerate(waiting, 1)
        }

    def state(self) -> PoolState:
        queued = sum(place.position > 0 for place in self.places().values())
        busy = len(self.places()) - queued
        ready = self.is_ready
        return PoolState(ready, int(ready), busy, queued, 0, self.takes, self.fault)

    def lose(self, job: FakeJob) -> None:
        """The worker at this job is killed; the job is the next again."""
        job.is_begun = False
        self.jobs.remove(job)
        self.jobs.insert(0, job)
        job.on_again()

    def start(self, job: FakeJob) -> None:
        job.is_begun = True
        job.on_start()

    def finish(self, job: FakeJob) -> None:
        if job.future.cancelled():
            return
        if self.faults:
            job.future.set_exception(self.faults.pop(0))
            return
        word = b"wrong" if self.bad_proofs else b"proof"
        self.bad_proofs = max(0, self.bad_proofs - 1)
        job.future.set_result(FakeProof(word + job.statement.index.to_bytes(2, "big")))
