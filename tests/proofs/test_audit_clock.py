"""The clocks that an audit follows are the contract's."""

import random
from dataclasses import replace
from pathlib import Path

import chess
import pytest

from proofs.clock import Clock
from proofs.records import Receipt
from tests.proofs.chain_scene import Live, opening, scene

OPENED = 1_000


def clock(*, base: int = 100, increment: int = 2, delay: int = 5) -> Clock:
    message = replace(
        opening(bytes(32)),
        base_seconds=base,
        increment_seconds=increment,
        delay_seconds=delay,
    )
    return Clock(message, OPENED)


async def next_move(live: Live, rng: random.Random) -> Receipt:
    move = rng.choice(list(live.game.board.legal_moves))
    san = live.game.board.san(move)
    return await (live.player(san) if live.game.turn == chess.WHITE else live.bot(san))


async def test_clock_followsTheContract(tmp_path: Path) -> None:
    rng = random.Random(5)
    async with scene(tmp_path) as built:
        message = opening(built.yes)
        live = await built.open(message)
        (opened,) = await built.chain.all_games()
        ours = Clock(message, opened.time)
        for ply in range(14):
            await built.sleep(rng.choice((0, 1, 3, 40, 90)))
            receipt = await next_move(live, rng)
            assert ours.move(ply, receipt.timestamp) is None
            game = await built.chain.game(live.id)
            assert ours.left == (game.white_clock, game.black_clock)
            end = game.black_clock if game.ply % 2 else game.white_clock
            assert ours.runs_out_at(ply + 1) == game.last_move_at + game.delay_seconds + end


def test_move_takesTimeAfterTheDelay() -> None:
    ours = clock()
    assert ours.move(0, OPENED + 4) is None
    assert ours.left == (102, 100)
    assert ours.move(1, OPENED + 4 + 15) is None
    assert ours.left == (102, 92)
    assert ours.move(2, OPENED + 1000) is None
    assert ours.left == (2, 92)


def test_claim_failsBeforeTheClockRanOut() -> None:
    assert clock().claim(0, OPENED + 104, OPENED + 164) == "claimed 1 s before the clock ran out"
    assert clock().claim(0, OPENED + 105, OPENED + 165) is None


@pytest.mark.parametrize("at", [60, 61])
def test_graceWindow_isForMovesUntilItsLastSecond(at: int) -> None:
    ours = clock()
    assert ours.claim(0, OPENED + 200, OPENED + 260) is None
    assert ours.claim(0, OPENED + 201, OPENED + 261) == "the timeout was claimed twice"
    late = None if at == 60 else "1 s after the grace window"
    assert clock_claimed().move(0, OPENED + 200 + at) == late
    assert clock_claimed().draw(OPENED + 200 + at) == late
    early = "ended on time within the grace window" if at == 60 else None
    assert clock_claimed().timeout(OPENED + 200 + at) == early


def test_timeout_failsWithoutAClaim() -> None:
    assert clock().timeout(OPENED + 1_000) == "ended on time without a claim before"
    ours = clock_claimed()
    assert ours.move(0, OPENED + 210) is None
    assert ours.timeout(OPENED + 5_000) == "ended on time without a claim before"


def clock_claimed() -> Clock:
    ours = clock()
    assert ours.claim(0, OPENED + 200, OPENED + 260) is None
    return ours
