"""What the page tells while it waits, and when something that it showed does not hold."""

import asyncio
import re
import time

import pytest
from playwright.async_api import Browser, WebSocketRoute, expect

from server import messages as m
from server.errors import CommandRefused
from server.hosted import Hosted
from tests.web.browser import Hand
from tests.web.conftest import FakeArena
from tests.web.staged import Staged
from tests.web.test_page import move, play_line

pytestmark = pytest.mark.asyncio(loop_scope="module")


def hosted(arena: FakeArena, game: str) -> Hosted:
    assert arena.site.arena is not None
    return arena.site.arena.game(bytes.fromhex(game[2:]))


async def test_place_in_the_queue_and_expected_wait(arena: FakeArena, hand: Hand) -> None:
    arena.prover.is_held, arena.prover.takes = True, 600.0
    await hand.start(arena.url, "first", "white")
    await play_line(hand, "e2e4", "d2d4")
    marks = hand.page.get_by_test_id("mark")
    line = hand.page.get_by_test_id("proof-line")
    await expect(marks).to_have_text(["#1 in queue", "#2 in queue"])
    about = "Na6: queued · #1 · proof in about"
    await expect(line).to_contain_text(re.compile(rf"{about} (10|\d) min \d+ s"))
    await expect(line).to_contain_text(re.compile(rf"{about} \d min \d+ s"))  # runs down by itself
    arena.prover.start(arena.prover.jobs[0])
    await expect(line).to_contain_text("of about 600 s")
    await expect(marks).to_have_text([re.compile("proving"), "#1 in queue"])
    arena.prover.lose(arena.prover.jobs[0])
    await expect(line).to_contain_text("queued · #1")


async def test_an_unknown_wait_is_not_guessed(arena: FakeArena, hand: Hand) -> None:
    arena.prover.is_held = True
    await hand.start(arena.url, "first", "white")
    await play_line(hand, "e2e4")
    await expect(hand.page.get_by_test_id("proof-line")).to_have_text("Na6: queued · #1")


async def test_what_the_game_waits_for_is_said_until_it_goes_on(
    arena: FakeArena, hand: Hand
) -> None:
    game = await hand.start(arena.url, "first", "white")
    await play_line(hand, "e2e4")
    line = hand.page.get_by_test_id("waiting")
    await expect(line).to_be_hidden()
    room = hosted(arena, game).room
    reason = "the chain does not answer"
    room.publish(m.WaitingEvent(d=m.WaitingData(reason=reason, at=time.time())))
    await expect(line).to_have_text("The chain does not answer. The game goes on by itself.")
    await hand.my_turn("white")  # the board is not held up
    room.publish(m.WaitingEvent(d=m.WaitingData(reason=None, at=time.time())))
    await expect(line).to_be_hidden()


async def test_a_correction_stays_until_it_is_read(
    arena: FakeArena, hand: Hand, browser: Browser
) -> None:
    game = await hand.start(arena.url, "first", "white")
    await play_line(hand, "e2e4", "d2d4")
    await expect(hand.moves).to_have_count(4)
    watcher = await Hand.of(browser, width=390)
    await watcher.page.goto(f"{arena.url}/watch/{game}")
    await expect(watcher.moves).to_have_count(4)
    room = hosted(arena, game).room
    data = m.CorrectionData(ply=1, cause="reorg", message="2 blocks are gone", at=time.time())
    room.publish(m.CorrectionEvent(d=data))
    room.publish_full()
    for one in (hand, watcher):
        banner = one.page.get_by_test_id("correction")
        await expect(banner).to_contain_text("Corrected at ")
        await expect(banner).to_contain_text(
            "1…Na6 and the 2 moves after it do not hold as shown: 2 blocks are gone."
        )
    async with arena.away():
        await expect(hand.page.get_by_test_id("connection")).to_be_visible()
    await hand.my_turn("white")
    await expect(hand.page.get_by_test_id("correction")).to_be_visible()
    await hand.play(move("g1f3"))
    await expect(hand.page.get_by_test_id("correction")).to_be_visible()
    await hand.page.locator("#correction-close").click()
    await expect(hand.page.get_by_test_id("correction")).to_be_hidden()
    assert watcher.faults == []
    await watcher.close()


async def test_a_correction_that_came_while_the_page_was_away(arena: FakeArena, hand: Hand) -> None:
    arena.prover.is_held = True
    game = await hand.start(arena.url, "first", "white")
    await play_line(hand, "e2e4")
    await expect(hand.move(0)).to_have_attribute("data-stage", "verified")
    here = hosted(arena, game)
    here.room.close()
    here.session.line.plies[0].rewind()  # as if the chain had lost it
    for _ in range(200):  # more than is remembered: the page gets the whole game
        here.room.publish(m.SpectatorsEvent(d=m.SpectatorsData(count=0)))
    await arena.cut()
    await expect(hand.page.get_by_test_id("correction")).to_have_text(
        "Corrected. What was shown from 1.e4 on does not hold any more. Dismiss",
        use_inner_text=True,
    )


async def test_absences_of_the_arena_are_declared(arena: FakeArena, hand: Hand) -> None:
    game = await hand.start(arena.url, "first", "white")
    await expect(hand.page.get_by_test_id("away")).to_be_hidden()
    here = hosted(arena, game)
    away = [m.Away(since=1000, until=1042)]
    full = here.session.snapshot().model_copy(update={"away": away})
    here.room.publish(m.FullEvent(d=full))
    await expect(hand.page.get_by_test_id("away")).to_have_text(
        "The arena was away for 42 s; the contract’s clocks ran on."
    )


async def test_a_restart_is_called_so(arena: FakeArena, hand: Hand) -> None:
    await hand.start(arena.url, "first", "white")
    await play_line(hand, "e2e4")
    await hand.my_turn("white")
    async with arena.away():
        await expect(hand.page.get_by_test_id("connection")).to_contain_text("The arena restarts.")
    await hand.my_turn("white")
    await expect(hand.page.get_by_test_id("connection")).to_be_hidden()


async def test_a_move_made_while_the_arena_closes_is_taken_later(
    arena: FakeArena, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hand.start(arena.url, "first", "white")
    await hand.my_turn("white")
    assert arena.site.arena is not None
    refused = asyncio.Event()

    def refuse(*_: object) -> None:
        refused.set()
        raise CommandRefused("closing", "the server is about to stop")

    with monkeypatch.context() as patch:
        patch.setattr(arena.site.arena, "command", refuse)
        await hand.click_move(move("e2e4"))
        await refused.wait()
        await expect(hand.page.get_by_test_id("status")).to_have_text("Sending your move…")
        await expect(hand.page.get_by_test_id("error")).to_be_hidden()
    await expect(hand.move(0)).to_be_attached()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("over_budget", "The arena takes no new games for now: its budget"),
        ("closing", "The arena is about to restart."),
    ],
)
async def test_why_no_game_begins(
    arena: FakeArena, hand: Hand, code: m.ErrorCode, words: str
) -> None:
    assert arena.site.arena is not None
    arena.site.arena.pause_openings(code, "why")
    await hand.page.goto(arena.url)
    await hand.page.get_by_test_id("start-white").first.click()
    await expect(hand.page.get_by_test_id("error")).to_contain_text(words)
    arena.site.arena.pause_openings(None)
    await hand.start(arena.url, "first", "white")


async def test_resigning_says_what_is_in_flight(arena: FakeArena, hand: Hand) -> None:
    await hand.start(arena.url, "first", "white")
    await play_line(hand, "e2e4")
    await expect(hand.move(1)).to_have_attribute("data-stage", "verified")
    await hand.page.get_by_test_id("resign").click()
    await expect(hand.page.get_by_test_id("confirm-flight")).to_be_hidden()
    await hand.page.locator("#confirm-no").click()
    arena.prover.is_held = True
    await play_line(hand, "d2d4", "g1f3")
    await expect(hand.moves).to_have_count(6)
    await hand.page.get_by_test_id("resign").click()
    await expect(hand.page.get_by_test_id("confirm-flight")).to_contain_text(
        "3 moves are not on the chain yet. The resignation does not wait for them"
    )
    await hand.page.get_by_test_id("confirm-yes").click()
    await expect(hand.page.get_by_test_id("status")).to_have_text("You lose · 0-1")
    await expect(hand.moves).to_have_count(3)


async def test_a_resignation_lost_with_its_connection_is_sent_again(
    arena: FakeArena, hand: Hand
) -> None:
    lost: list[str | bytes] = []

    async def join(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        async def pass_on(text: str | bytes) -> None:
            if '"t":"resign"' in str(text) and not lost:
                lost.append(text)
                await socket.close(code=1011)
            else:
                server.send(text)

        socket.on_message(pass_on)

    await hand.start(arena.url, "first", "white")
    await play_line(hand, "e2e4")
    await hand.my_turn("white")
    await hand.page.route_web_socket("**/ws?game=*", join)
    await hand.page.reload()
    await hand.my_turn("white")
    await hand.page.get_by_test_id("resign").click()
    await hand.page.get_by_test_id("confirm-yes").click()
    await expect(hand.page.get_by_test_id("status")).to_have_text("You lose · 0-1")
    await expect(hand.page.get_by_test_id("error")).to_be_hidden()
    assert len(lost) == 1


async def test_who_looks_on_alone_is_not_told_of_himself(
    arena: FakeArena, hand: Hand, browser: Browser
) -> None:
    game = Staged(arena.hosts)
    audience = hand.page.get_by_test_id("spectators")
    await hand.page.goto(f"{arena.url}/watch/{game.id}")
    other = await Hand.of(browser)
    await other.page.goto(f"{arena.url}/watch/{game.id}")
    for one in (hand, other):
        told = one.page.get_by_test_id("spectators")
        await expect(told).to_have_text("you and 1 other watching")
    await other.close()
    await expect(audience).to_be_empty()


async def test_a_player_is_no_spectator_even_before_a_move(
    arena: FakeArena, hand: Hand, browser: Browser
) -> None:
    game = await hand.start(arena.url, "first", "white")
    watcher = await Hand.of(browser)
    await watcher.page.goto(f"{arena.url}/watch/{game}")
    await expect(hand.page.get_by_test_id("spectators")).to_have_text("1 watching")
    assert hosted(arena, game).room.spectators == 1
    assert watcher.faults == []
    await watcher.close()
