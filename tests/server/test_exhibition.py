"""Bots that play each other while nobody else does."""

from pathlib import Path
from random import Random

import chess
import pytest

from engine.start import Start
from server.errors import StoreFailed
from server.exhibition import LONG_SECONDS, OPENINGS, Exhibited, Exhibition, after, fit_to_play
from server.offers import Offer
from tests.server.conftest import Served
from tests.server.fakes import BOT, DOMAIN, OTHER_BOT
from tests.web.staged import Staged


def exhibition(served: Served, *, is_watched: bool = True) -> Exhibition:
    return Exhibition(
        served.arena,
        DOMAIN,
        bots=lambda: (Exhibited(BOT), Exhibited(OTHER_BOT)),
        is_watched=lambda: is_watched,
        random=Random(8),
    )


async def test_two_bots_play_while_somebody_looks_on(served: Served) -> None:
    game = exhibition(served).look()
    assert game is not None
    session = served.arena.game(game).session
    assert session.players == ()
    sides = {session.terms.open.white, session.terms.open.black}
    assert sides <= {BOT, OTHER_BOT}
    assert not session.terms.open.begins.is_usual
    assert session.line.plies


async def test_there_is_one_at_a_time(served: Served) -> None:
    show = exhibition(served)
    served.prover.is_held = True
    assert show.look() is not None
    assert show.look() is None


async def test_none_begins_while_nobody_looks(served: Served) -> None:
    assert exhibition(served, is_watched=False).look() is None
    assert list(served.arena.games()) == []


async def test_none_begins_while_a_person_plays(served: Served) -> None:
    show, person = exhibition(served), Staged(served.arena)
    await person.play("e4")
    assert show.look() is None
    await person.resign()
    assert show.look() is not None


async def test_a_person_who_left_holds_nobody_up(served: Served) -> None:
    show, person = exhibition(served), Staged(served.arena, base=60)
    await person.play("e4")
    served.clock.time += 61
    assert show.look() is not None


async def test_an_arena_that_takes_no_games_is_left_alone(served: Served) -> None:
    served.arena.pause_openings("over_budget", "the day's gas is spent")
    assert exhibition(served).look() is None


async def test_a_store_that_fails_is_waited_for(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(bot: bytes, now: float) -> Offer:
        raise StoreFailed(Path("arena.db"), "the disk is full")

    show = exhibition(served)
    with monkeypatch.context() as patched:
        patched.setattr(served.arena.offers, "make", fail)
        assert show.look() is None
    assert show.look() is not None


def test_only_bots_that_are_ready_and_not_proven_for_minutes_play(served: Served) -> None:
    assert served.site.info is not None
    first, other, custom = served.site.info.bots
    slow = other.model_copy(update={"proof_system": "ezkl"})
    making = other.model_copy(update={"ready": False})
    assert fit_to_play([first, slow, making, custom], {}, 2) == [Exhibited(BOT)]


def test_a_slow_bot_plays_a_quick_one_where_there_are_two_provers(served: Served) -> None:
    assert served.site.info is not None
    first, other, _ = served.site.info.bots
    seconds = {first.version: 1.0, other.version: LONG_SECONDS + 1}
    quick, slow = Exhibited(BOT), Exhibited(OTHER_BOT, is_slow=True)
    assert fit_to_play([first, other], seconds, 2) == [quick, slow]
    assert fit_to_play([first, other], seconds, 1) == [quick]
    assert fit_to_play([other], seconds, 2) == []


def test_bots_differ_where_they_can_and_one_at_most_is_slow(served: Served) -> None:
    show = exhibition(served)
    slow, slower = Exhibited(b"s" * 32, is_slow=True), Exhibited(b"t" * 32, is_slow=True)
    pairs = {show._pair([Exhibited(BOT), slow, slower]) for _ in range(100)}
    assert pairs == {
        pair for other in (slow.version, slower.version) for pair in ((BOT, other), (other, BOT))
    }
    assert {show._pair([Exhibited(BOT)]) for _ in range(5)} == {(BOT, BOT)}


@pytest.mark.parametrize("line", OPENINGS)
def test_each_opening_is_a_start(line: str) -> None:
    board = after(line)
    assert board.turn == chess.WHITE
    assert Start.of(board).to_board().board_fen() == board.board_fen()
