"""Audits of games from other positions than the usual one, and of games taken back."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from engine.encoding import START
from engine.game import Reason, Result
from engine.start import Start
from proofs.audit import audit
from proofs.audit_report import Report
from proofs.errors import ChainRejected
from proofs.game_file import collect_with_state
from proofs.signing import start_words
from tests.contracts.test_start import words
from tests.proofs.chain_scene import Scene, opening, scene
from tests.proofs.test_audit import altered_args
from tests.proofs.test_audit_rules import BOT, STRANGER, Forged, forged

BLACK_FIRST: Final = Start.from_fen("4k3/pppppppp/8/8/8/8/PPPPPPPP/4K3 b - - 3 1")
MATE: Final = words("7k/6Q1/6K1/8/8/8/8/8 b - - 0 1")
OPENING: Final = [(None, "opening")]


@pytest.fixture
async def arena(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as made:
        yield made


async def audited(arena: Scene, game: bytes) -> Report:
    record, state = await collect_with_state(arena.chain, game)
    return audit(record, state=state, circuit_of=lambda _net: None)


def from_words(board: int, context: int) -> Forged:
    """A game of the player with White that begins at any two words."""
    words = {"start": board.to_bytes(32, "big"), "start_context": context}
    return Forged(replace(opening(BOT), **words))  # type: ignore[arg-type]


# --- starts --------------------------------------------------------------------------------------


def test_gameFromALegalStart_hasNoFailure() -> None:
    game = Forged(replace(opening(BOT), **start_words(BLACK_FIRST)))
    assert game.play("e5 e4 d6").failed == []
    rows = game.audit().rows
    assert [(row.ply, row.side, row.by) for row in rows] == [
        (1, "black", "bot"),
        (2, "white", "player"),
        (3, "black", "bot"),
    ]


@pytest.mark.parametrize(
    ("board", "context"),
    [
        (START.board ^ 4, 15),  # castling without the rook
        (START.board | 6 << 4 * 35, 15),  # two kings
        (START.board, 15 | 1 << 8),  # it occurred before
        (START.board, 15 | 4 << 4),  # en passant of nothing
        (START.board, 15 | 150 << 10),  # seventy-five moves
        (START.board, 15 | 1 << 21),
        (0, 15),
    ],
)
def test_gameFromAnIllegalStart_isRefused(board: int, context: int) -> None:
    assert from_words(board, context).failed == OPENING


def test_gameThatWasOverBefore_isRefused() -> None:
    assert from_words(MATE.board, MATE.context).failed == OPENING


def test_plyOfABlackStart_beginsAtOne() -> None:
    game = Forged(replace(opening(BOT), **start_words(BLACK_FIRST))).play("e5")
    args = {**game.events[1].args, "ply": 0}
    game.events[1] = replace(game.events[1], args=args)
    assert game.failed == [(1, "turn")]


def test_moveOfAnotherStart_isRefused() -> None:
    """The words after the move are those of the signed start, not of the usual one."""
    game = Forged(replace(opening(BOT), **start_words(BLACK_FIRST))).play("e5")
    usual = forged("e4")
    args = {**game.events[1].args, "board": usual.events[1].args["board"]}
    game.events[1] = replace(game.events[1], args=args)
    assert game.failed == [(1, "board")]


async def test_gameOnChainFromABlackStart_isVerified(arena: Scene) -> None:
    message = opening(arena.yes, player_is_white=False, start=BLACK_FIRST)
    live = await arena.open(message)
    await live.player("e5")
    await live.bot("e4")
    await live.player("d5")
    report = await audited(arena, live.id)
    assert (report.failures, [row.ply for row in report.rows]) == ((), [1, 2, 3])

    record, state = await collect_with_state(arena.chain, live.id)
    assert (state.first_ply, state.ply) == (1, 4)
    told = {**record.events[1].args["open"], "startContext": 0}
    lied = altered_args(record, 1, open=told)
    assert {f.check for f in audit(lied, circuit_of=lambda _net: None).failures} >= {"game id"}
    other = replace(state, first_ply=0)
    report = audit(record, state=other, circuit_of=lambda _net: None)
    assert [f.check for f in report.failures] == ["contract"]


async def test_contract_refusesWhatTheAuditRefuses(arena: Scene) -> None:
    with pytest.raises(ChainRejected, match="IllegalStart"):
        await arena.open(opening(arena.yes, start=MATE))


# --- aborts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("sans", ["", "e4"])
def test_abort_isNobodysWin(sans: str) -> None:
    game = forged(sans)
    assert game.end(Result.ABORTED, Reason.ABORTED, game.abort()).failed == []
    assert (game.audit().status, game.audit().result) == ("aborted", "*")
    for wrong in (Result.WHITE_WINS, Result.BLACK_WINS, Result.DRAW):
        game = forged(sans)
        assert game.end(wrong, Reason.ABORTED, game.abort()).failed == [
            (len(sans.split()), "result")
        ]


def test_abortedResult_needsAnAbort() -> None:
    game = forged("e4")
    game.end(Result.ABORTED, Reason.RESIGNATION, game.resignation())
    assert game.failed == [(1, "result")]


def test_abort_needsThePlayersSignature() -> None:
    for evidence in (forged().abort(STRANGER), forged().resignation(), b""):
        assert forged().end(Result.ABORTED, Reason.ABORTED, evidence).failed != []
    game = forged("e4")
    game.end(Result.ABORTED, Reason.ABORTED, game.abort(STRANGER))
    assert game.failed == [(1, "signature")]


def test_abort_comesBeforeTheSecondMove() -> None:
    game = forged("e4 e5")
    assert game.end(Result.ABORTED, Reason.ABORTED, game.abort()).failed == [(2, "result")]
    late = Forged(replace(opening(BOT), **start_words(BLACK_FIRST))).play("e5 e4")
    assert late.end(Result.ABORTED, Reason.ABORTED, late.abort()).failed == [(3, "result")]
    early = Forged(replace(opening(BOT), **start_words(BLACK_FIRST))).play("e5")
    assert early.end(Result.ABORTED, Reason.ABORTED, early.abort()).failed == []


def test_abortBetweenBots_isRefused() -> None:
    game = Forged(replace(opening(BOT), white=BOT))
    game.end(Result.ABORTED, Reason.ABORTED, game.abort())
    assert (0, "signature") in game.failed


async def test_abortedGameOnChain_isVerified(arena: Scene) -> None:
    live = await arena.open()
    await live.player("e4")
    receipt = await arena.chain.abort(live.id, live.abort())
    assert [log.name for log in receipt.logs] == ["GameEnded"]
    report = await audited(arena, live.id)
    assert (report.failures, report.status, report.result) == ((), "aborted", "*")
    with pytest.raises(ChainRejected, match="GameOver"):
        await arena.chain.resign(live.id, live.resignation())
