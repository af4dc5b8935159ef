"""Records that no contract would have written: in order and well signed, but against the rules."""

from dataclasses import fields, replace
from typing import Any

import chess
import pytest
from coincurve import PrivateKey

from engine.errors import IllegalStart
from engine.game import Game, Reason, Result
from engine.policy_map import move_index
from proofs.audit import audit
from proofs.audit_bots import version_id
from proofs.audit_report import Report
from proofs.game_file import GameRecord
from proofs.records import LogEvent
from proofs.signing import Abort, Domain, Draw, Move, Open, Resign, address_of, player_side
from proofs.statement import STATEMENT_ID, next_history
from tests.proofs.chain_scene import PLAYER, SECRET, opening

BOT = b"\x77" * 32
STRANGER = PrivateKey(b"\x22" * 32)
DOMAIN = Domain(31337, "0x" + "5a" * 20)
OPENED = 1_000
KNIGHTS = "Nf3 Nf6 Ng1 Ng8 "


class Forged:
    """A game of the player with White, one log a block and a second."""

    def __init__(self, message: Open, *, key: PrivateKey = PLAYER) -> None:
        self.id = message.game_id(DOMAIN)
        self.history = self.id
        try:
            self.game = Game(message.begins)
        except IllegalStart:
            self.game = Game()
        self.events: list[LogEvent] = []
        struct = {camel(f.name): plain(getattr(message, f.name)) for f in fields(Open)}
        signature = message.sign(DOMAIN, key)
        self.log(
            "GameOpened", opener=message.opener, open=struct, secret=SECRET, signature=signature
        )

    def log(self, name: str, **args: Any) -> None:
        n = len(self.events)
        known = {"game": self.id, **args}
        values = {key: plain(value) for key, value in known.items()}
        self.events.append(LogEvent(name, values, n + 1, f"0x{n:064x}", 0, OPENED + n))

    def play(self, sans: str) -> "Forged":
        for san in sans.split():
            ply, turn = self.game.ply, self.game.turn
            index = move_index(self.game.board, self.game.board.parse_san(san))
            signature = Move(self.id, ply, self.history, index).sign(DOMAIN, PLAYER)
            self.game.play(index)
            self.history = next_history(self.history, index)
            position = self.game.position
            words = {"board": position.board, "context": position.context, "history": self.history}
            if turn == chess.WHITE:
                self.log("PlayerMoved", ply=ply, index=index, signature=signature, **words)
            else:
                bot = {"payee": "0x" + "00" * 20, "proof": b"any"}
                self.log("BotMoved", ply=ply, index=index, **bot, **words)
        return self

    def end(self, result: Result, reason: Reason, evidence: bytes = b"") -> "Forged":
        self.log("GameEnded", result=int(result), reason=int(reason), evidence=evidence)
        return self

    def draw_claim(self, *, key: PrivateKey = PLAYER, ply: int | None = None) -> bytes:
        at = self.game.ply if ply is None else ply
        return Draw(self.id, at, self.history).sign(DOMAIN, key)

    def resignation(self, key: PrivateKey = PLAYER) -> bytes:
        return Resign(self.id).sign(DOMAIN, key)

    def abort(self, key: PrivateKey = PLAYER) -> bytes:
        return Abort(self.id).sign(DOMAIN, key)

    def audit(self) -> Report:
        record = GameRecord(
            DOMAIN.chain_id,
            DOMAIN.arena,
            "0x" + "00" * 20,
            "0x" + self.id.hex(),
            tuple(self.events),
        )
        return audit(record, circuit_of=lambda _net: None)

    @property
    def failed(self) -> list[tuple[int | None, str]]:
        """The plies and names of the checks that fail."""
        return [(f.ply, f.check) for f in self.audit().failures]


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.title, rest))


def plain(value: Any) -> Any:
    return "0x" + value.hex() if isinstance(value, bytes) else value


def forged(sans: str = "") -> Forged:
    return Forged(opening(BOT)).play(sans)


@pytest.mark.parametrize("sans", ["", "e4", "e4 e5"])
def test_lawfulGame_hasNoFailure(sans: str) -> None:
    assert forged(sans).failed == []


@pytest.mark.parametrize(
    "changed",
    [
        {"expires": OPENED - 1},
        {"start": b"\1" * 32},
        {"base_seconds": 0},
        {"base_seconds": 365 * 24 * 3600 + 1},
        {"black": player_side(address_of(STRANGER))},
    ],
    ids=["expired", "start", "no time", "too much time", "two players"],
)
def test_openingAgainstTheRules_isRefused(changed: dict[str, Any]) -> None:
    message = replace(opening(BOT), **changed)
    assert Forged(message).failed == [(None, "opening")]


def test_openingAtItsLimits_passes() -> None:
    for changed in ({"expires": OPENED}, {"base_seconds": 1}, {"base_seconds": 365 * 24 * 3600}):
        assert Forged(replace(opening(BOT), **changed)).failed == []  # type: ignore[arg-type]


def test_openingSignedByAStranger_isRefused() -> None:
    assert Forged(opening(BOT), key=STRANGER).failed == [(None, "opening")]


def registration(metadata: str) -> dict[str, Any]:
    """The arguments of a custom bot's registration."""
    hashes = {"netHash": b"\1" * 32, "circuitHash": b"\2" * 32, "keyHash": b"\3" * 32}
    args: dict[str, Any] = {"owner": "0x" + "0a" * 20, "verifier": "0x" + "0b" * 20, **hashes}
    args |= {"statement": STATEMENT_ID, "custom": True, "verifyingKey": b""}
    id_ = version_id({**args, "metadata": metadata.encode()})
    return {key: plain(value) for key, value in {"id": id_, **args, "metadata": metadata}.items()}


def with_bots(*names: str, last: str = "") -> list[tuple[int | None, str]]:
    """What fails in bot A's game after these bots registered, and `last` after the opening."""
    args = {name: registration(name) for name in (*names, last)}
    game = Forged(opening(bytes.fromhex(registration("A")["id"][2:])))
    logs = [("BotRegistered", args[name]) for name in names]
    logs += [(event.name, event.args) for event in game.events]
    logs += [("BotRegistered", args[last])] if last else []
    game.events = [
        LogEvent(name, values, n + 1, f"0x{n:064x}", 0, OPENED + n)
        for n, (name, values) in enumerate(logs)
    ]
    return game.failed


def test_registrations_areThoseOfTheGamesBots() -> None:
    assert with_bots("A") == []
    assert with_bots("A", "A") == [(None, "order")]
    assert with_bots("A", "B") == [(None, "order")]
    assert with_bots(last="A") == [(None, "order")]


def test_logsOutOfPlace_areRefused() -> None:
    game = forged("e4 e5")
    game.events.append(replace(game.events[0], block=9, time=OPENED + 9))
    assert game.failed == [(2, "order")]
    del game.events[0]
    assert game.failed == [(None, "order")]
    game = forged("e4").end(Result.BLACK_WINS, Reason.RESIGNATION, forged().resignation())
    assert (1, "order") in game.end(Result.DRAW, Reason.STALEMATE).failed


@pytest.mark.parametrize(("late", "failed"), [(60, []), (61, [(8, "clock")])])
def test_drawAndMove_haveTheGraceWindow(late: int, failed: list[tuple[int, str]]) -> None:
    """White's time runs out after the delay, the base and four increments."""
    for move in (False, True):
        game = forged(KNIGHTS * 2)
        out = game.events[-1].time + 1 + 300 + 4 * 2
        game.log("TimeoutClaimed", ply=8, deadline=out + 60)
        game.events[-1] = replace(game.events[-1], time=out)
        if move:
            game.play("e4")
        else:
            game.end(Result.DRAW, Reason.THREEFOLD_CLAIM, game.draw_claim())
        game.events[-1] = replace(game.events[-1], time=out + late)
        assert game.failed == failed


def test_moveAfterTheEnd_isRefused() -> None:
    assert (16, "result") in forged(KNIGHTS * 4 + "e4").failed


@pytest.mark.parametrize("sans", ["f3 e5 g4 Qh4#", KNIGHTS * 4])
def test_endThatIsMissing_isNoticed(sans: str) -> None:
    game = forged(sans)
    assert game.failed == [(game.game.ply, "result")]


def test_endThatIsNone_isRefused() -> None:
    """Else it would hide that the bot owes a move."""
    assert forged("e4").audit().undecided[-1].what == "the bot's move is still owed"
    assert forged("e4").end(Result.ONGOING, Reason.NONE).failed == [(1, "result")]


@pytest.mark.parametrize("reason", [r for r in Reason if r is not Reason.NONE])
def test_endOutOfNothing_isRefused(reason: Reason) -> None:
    for result in Result:
        assert forged("e4 e5").end(result, reason).failed, result


def test_drawClaim_needsAPositionAndItsSignature() -> None:
    third, second = forged(KNIGHTS * 2), forged(KNIGHTS)
    claim = (Result.DRAW, Reason.THREEFOLD_CLAIM)
    assert second.end(*claim, second.draw_claim()).failed == [(4, "result")]
    assert third.end(*claim, third.draw_claim()).failed == []
    for evidence in (third.draw_claim(key=STRANGER), third.draw_claim(ply=4), b""):
        third.events.pop()
        assert third.end(*claim, evidence).failed == [(8, "signature")]


def test_resignation_isThePlayersLoss() -> None:
    lost, won = Result.BLACK_WINS, Result.WHITE_WINS
    game = forged("e4")
    assert game.end(lost, Reason.RESIGNATION, game.resignation()).failed == []
    game = forged("e4")
    assert game.end(won, Reason.RESIGNATION, game.resignation()).failed == [(1, "result")]
    game = forged("e4")
    assert game.end(lost, Reason.RESIGNATION, game.resignation(STRANGER)).failed == [
        (1, "signature")
    ]


def test_mateIsNotResigned() -> None:
    game = forged("f3 e5 g4 Qh4#")
    game.end(Result.BLACK_WINS, Reason.RESIGNATION, game.resignation())
    assert {check for _, check in game.failed} == {"result"}
