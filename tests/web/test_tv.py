"""The TV, replays, and boards in other pages, in Chromium."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from playwright.async_api import Browser, Locator, expect

from server.client import Client
from tests.web.axe import serious
from tests.web.browser import Hand
from tests.web.conftest import FakeArena
from tests.web.staged import Staged

pytestmark = pytest.mark.asyncio(loop_scope="module")


def board_of(hand: Hand) -> Locator:
    return hand.page.locator("#board svg.mini")


async def test_the_tv_waits_and_then_shows_the_game_that_begins(
    arena: FakeArena, hand: Hand
) -> None:
    await hand.page.goto(f"{arena.url}/tv")
    await expect(hand.page.get_by_test_id("idle")).to_be_visible()
    game = Staged(arena.hosts)
    await game.play("e4")
    await expect(hand.page.get_by_test_id("screen")).to_have_attribute("data-game", game.id)
    await expect(board_of(hand)).to_have_attribute("data-fen", game.fen)
    await expect(hand.page.get_by_test_id("idle")).to_be_hidden()
    await game.play("d4 Nf3")
    await expect(board_of(hand)).to_have_attribute("data-fen", game.fen)
    await expect(hand.page.get_by_test_id("mark")).to_have_count(3)
    await expect(hand.page.get_by_test_id("proofs")).to_contain_text("3 of 3 bot moves proven")
    await expect(hand.page.get_by_test_id("spectators")).to_be_empty()
    async with await Client.connect(arena.url, game=game.id):
        told = hand.page.get_by_test_id("spectators")
        await expect(told).to_have_text("you and 1 other watching")
    assert await serious(hand.page) == []


async def test_the_tv_goes_on_with_the_next_game(arena: FakeArena, hand: Hand) -> None:
    await hand.page.clock.install()
    first = Staged(arena.hosts)
    await first.play("e4")
    await hand.page.goto(f"{arena.url}/tv")
    screen = hand.page.get_by_test_id("screen")
    await expect(screen).to_have_attribute("data-game", first.id)
    await hand.stop_clock()
    second = Staged(arena.hosts, name="other")
    await second.play("d4")
    await first.resign()
    await expect(hand.page.get_by_test_id("status")).to_contain_text("0-1")
    await hand.page.clock.run_for(4_000)
    await expect(screen).to_have_attribute("data-game", first.id)  # it stays to be seen
    await hand.page.clock.resume()
    await hand.page.clock.run_for(12_000)
    await expect(screen).to_have_attribute("data-game", second.id)


async def test_with_nothing_going_on_the_tv_shows_what_ended_last(
    arena: FakeArena, hand: Hand
) -> None:
    game = Staged(arena.hosts)
    await game.play("e4")
    await game.resign()
    await hand.page.goto(f"{arena.url}/tv")
    await expect(hand.page.get_by_test_id("screen")).to_have_attribute("data-game", game.id)
    await expect(hand.page.get_by_test_id("status")).to_contain_text("0-1")


async def test_a_replay_is_walked_by_buttons_keys_and_clicks(arena: FakeArena, hand: Hand) -> None:
    game = Staged(arena.hosts)
    await game.play("e4 d4")
    await game.resign()
    await hand.page.goto(f"{arena.url}/replay/{game.id}")
    where, keys = hand.page.get_by_test_id("where"), hand.page.keyboard
    await expect(where).to_have_text("0 of 4")
    await expect(board_of(hand).locator("use")).to_have_count(32)
    await hand.page.get_by_label("One move on").click()
    await expect(where).to_have_text("1 of 4")
    await keys.press("ArrowRight")
    await expect(where).to_have_text("2 of 4")
    await keys.press("End")
    await expect(where).to_have_text("4 of 4")
    await expect(board_of(hand)).to_have_attribute("data-fen", game.fen)
    await keys.press("Home")
    await expect(where).to_have_text("0 of 4")
    await hand.page.get_by_text("Put this board into a page").click()
    await expect(hand.page.get_by_test_id("embed-code")).to_contain_text(f"/embed/{game.id}")
    third = hand.page.get_by_test_id("move").nth(2)
    await third.focus()
    await keys.press("Enter")
    await expect(where).to_have_text("3 of 4")
    await expect(third).to_have_attribute("aria-current", "step")
    await expect(third).to_be_focused()
    assert await serious(hand.page) == []


async def test_a_replay_plays_by_itself_from_an_addressed_ply(arena: FakeArena, hand: Hand) -> None:
    game = Staged(arena.hosts)
    await game.play("e4 d4")
    await game.resign()
    await hand.page.clock.install()
    await hand.page.goto(f"{arena.url}/replay/{game.id}#ply=2")
    where, play = hand.page.get_by_test_id("where"), hand.page.get_by_test_id("play")
    await expect(where).to_have_text("2 of 4")
    await hand.stop_clock()
    await play.click()
    await expect(play).to_have_text("Pause")
    await hand.page.clock.run_for(1_300)
    await expect(where).to_have_text("3 of 4")
    await hand.page.clock.run_for(2_600)
    await expect(where).to_have_text("4 of 4")
    await expect(play).to_have_text("Play")


async def test_a_game_that_is_not_here_is_told(arena: FakeArena, hand: Hand) -> None:
    await hand.page.goto(f"{arena.url}/replay/0x{'ab' * 32}")
    await expect(hand.page.get_by_text("There is no such game here.")).to_be_visible()


@asynccontextmanager
async def foreign_page(frame: str) -> AsyncIterator[str]:
    """A page of another origin with a frame in it."""

    async def page(_: web.Request) -> web.Response:
        text = f'<!doctype html><title>Blog</title><iframe title="Board" src="{frame}"></iframe>'
        return web.Response(text=text, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_get("/favicon.ico", page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_a_board_lives_in_a_page_of_another_origin(arena: FakeArena, hand: Hand) -> None:
    game = Staged(arena.hosts)
    await game.play("e4")
    async with foreign_page(f"{arena.url}/embed/{game.id}") as url:
        await hand.page.goto(url)
        board = hand.page.frame_locator("iframe").locator("#board svg.mini")
        await expect(board).to_have_attribute("data-fen", game.fen)
        await game.play("d4")
        await expect(board).to_have_attribute("data-fen", game.fen)


async def test_no_other_page_may_be_put_into_a_frame(arena: FakeArena, browser: Browser) -> None:
    hand = await Hand.of(browser)
    async with foreign_page(f"{arena.url}/tv") as url:
        await hand.page.goto(url)
        await expect(hand.page.locator("iframe")).to_be_visible()
        frame = hand.page.frames[1]
        await frame.wait_for_load_state()
        assert await frame.locator("#board").count() == 0
    await hand.complains("frame-ancestors")
    await hand.close()


async def test_a_long_name_leaves_the_board_its_room_on_a_small_dark_phone(
    arena: FakeArena, browser: Browser
) -> None:
    hand = await Hand.of(browser, width=320, height=640, scheme="dark")
    game = Staged(arena.hosts)  # its White is named by an address
    await game.play("e4")
    for path in ("tv", f"replay/{game.id}", f"embed/{game.id}"):
        await hand.page.goto(f"{arena.url}/{path}")
        await expect(board_of(hand)).to_be_visible()
        await expect(hand.page.locator("#side-white .name")).to_contain_text("Player 0x")
        assert await hand.page.evaluate("document.documentElement.scrollWidth") <= 320, path
        board = await board_of(hand).bounding_box()
        assert board is not None
        assert board["x"] + board["width"] <= 320, path
        assert await serious(hand.page) == [], path
    assert hand.faults == []
    await hand.close()
