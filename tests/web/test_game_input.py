"""Every way to make a move on the game page, and to end a game, in Chromium."""

import asyncio
import re

import pytest
from playwright.async_api import Browser, WebSocketRoute, expect

from tests.web.browser import Hand
from tests.web.conftest import FakeArena
from tests.web.test_page import move, play_line

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def type_move(hand: Hand, text: str) -> None:
    await hand.my_turn("white")
    await hand.page.keyboard.press("m")
    await hand.page.keyboard.type(text)
    await hand.page.keyboard.press("Enter")


async def leave_field(hand: Hand) -> None:
    await hand.page.evaluate("document.activeElement.blur()")


async def test_moves_are_typed_and_faults_are_said(arena: FakeArena, hand: Hand) -> None:
    await hand.start(arena.url, "first", "white")
    await type_move(hand, "Ke2")
    fault = hand.page.get_by_test_id("typed-fault")
    await expect(fault).to_have_text("Ke2 is no legal move here.")
    await hand.page.get_by_test_id("typed-move").fill("nf3")
    await expect(fault).to_be_empty()
    await hand.page.keyboard.press("Enter")
    await expect(hand.move(0)).to_have_text("Nf3")
    await leave_field(hand)
    await type_move(hand, "e2e4")
    await expect(hand.move(2)).to_have_text("e4")


async def test_a_whole_game_by_keyboard_alone(arena: FakeArena, hand: Hand) -> None:
    keys = hand.page.keyboard
    await hand.page.goto(arena.url)
    await hand.page.get_by_test_id("start-white").first.focus()
    await keys.press("Enter")
    await hand.page.wait_for_url("**/game/0x*", wait_until="commit")
    await hand.my_turn("white")
    for _ in range(30):  # a keyboard's way to the board
        await keys.press("Tab")
        if await hand.board.locator("svg.cm-chessboard:focus").count():
            break
    for key in ("ArrowRight",) * 4 + ("ArrowUp", "Enter", "ArrowUp", "ArrowUp", "Enter"):
        await keys.press(key)
    await expect(hand.move(0)).to_have_text("e4")
    for ply, text in ((2, "Bc4"), (4, "Qh5"), (6, "Qxf7")):
        await hand.my_turn("white")
        if ply > 2:
            await leave_field(hand)
        await type_move(hand, text)
        await expect(hand.move(ply)).to_be_attached()
    await expect(hand.page.get_by_test_id("status")).to_have_text("You win · 1-0")
    await hand.page.get_by_test_id("rematch").focus()
    before = hand.page.url
    await keys.press("Enter")
    await hand.page.wait_for_url(lambda url: url != before, wait_until="commit")
    await expect(hand.board).to_have_attribute("data-orientation", "black")
    await hand.my_turn("black")


async def test_a_promotion_by_keyboard(arena: FakeArena, hand: Hand) -> None:
    await hand.start(arena.url, "first", "white")
    await play_line(hand, "h2h4", "h4h5", "h5h6", "h6g7")
    await hand.my_turn("white")
    await hand.click(move("g7h8q").from_square)
    await hand.click(move("g7h8q").to_square)
    await expect(hand.page.locator(".promotion-dialog-button-group:focus")).to_have_count(1)
    await hand.page.keyboard.press("ArrowDown")
    await hand.page.keyboard.press("Enter")
    await expect(hand.move(8)).to_have_text(re.compile("gxh8=[RN]"))


async def test_each_move_may_have_to_be_confirmed(arena: FakeArena, hand: Hand) -> None:
    await hand.start(arena.url, "first", "white")
    await hand.my_turn("white")
    await hand.page.get_by_test_id("settings").click()
    await hand.page.get_by_label("Confirm each move").check()
    await hand.page.keyboard.press("Escape")
    await hand.click_move(move("e2e4"))
    await expect(hand.page.locator("#draft-text")).to_have_text("Play e4?")
    assert (await hand.drawn_pieces())["e4"] == "wp"
    await hand.page.keyboard.press("Escape")
    await expect(hand.page.locator("#draft")).to_be_hidden()
    await hand.my_turn("white")
    assert (await hand.drawn_pieces())["e2"] == "wp"
    await expect(hand.moves).to_have_count(0)
    await hand.click_move(move("d2d4"))
    await hand.page.locator("#draft-yes").click()
    await expect(hand.move(0)).to_have_text("d4")


async def test_a_premove_is_played_when_its_turn_comes(arena: FakeArena, hand: Hand) -> None:
    held: list[str | bytes] = []
    passed, released = asyncio.Event(), asyncio.Event()

    def join(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def tell(text: str | bytes) -> None:
            # once the bot has moved, nothing more of the game is told until it is let go
            is_answer = '"t":"move"' in str(text) and '"by":"bot"' in str(text)
            is_first = is_answer and not released.is_set()
            if (held or is_first) and '"t":"pong"' not in str(text):
                held.append(text)
                passed.set()
            else:
                socket.send(text)

        async def let_go() -> None:
            await released.wait()
            for text in held:  # all in one go: what comes now must not come before it
                socket.send(text)
            held.clear()

        server.on_message(tell)
        tasks.append(asyncio.create_task(let_go()))

    tasks: list[asyncio.Task[None]] = []
    await hand.start(arena.url, "first", "white")
    await hand.page.route_web_socket("**/ws?game=*", join)
    await hand.page.reload()
    await hand.my_turn("white")
    await hand.play(move("e2e4"))
    await asyncio.wait_for(passed.wait(), 60)
    await expect(hand.board).to_have_attribute("data-planner", "white")
    await hand.click_move(move("d1h5"))
    await expect(hand.board).to_have_attribute("data-premove", "d1h5")
    await hand.page.keyboard.press("Escape")
    await expect(hand.board).to_have_attribute("data-premove", "")
    await hand.click_move(move("g1f3"))
    await expect(hand.board).to_have_attribute("data-premove", "g1f3")
    assert (await hand.drawn_pieces())["g1"] == "wn"
    released.set()
    await expect(hand.move(2)).to_have_text("Nf3")
    await expect(hand.board).to_have_attribute("data-premove", "")
    await asyncio.gather(*tasks)


async def test_a_game_may_be_aborted_before_it_has_begun(arena: FakeArena, hand: Hand) -> None:
    await hand.start(arena.url, "first", "white")
    await expect(hand.page.get_by_test_id("resign")).to_be_hidden()
    await hand.page.get_by_test_id("abort").click()
    await expect(hand.page.locator("#confirm-title")).to_have_text("Abort this game?")
    await hand.page.get_by_test_id("confirm-yes").click()
    await expect(hand.page.get_by_test_id("status")).to_have_text("Aborted · *")
    await expect(hand.page.get_by_test_id("rematch")).to_be_visible()


async def test_after_two_plies_a_game_is_resigned_instead(
    arena: FakeArena, hand: Hand, browser: Browser
) -> None:
    game = await hand.start(arena.url, "first", "white")
    await play_line(hand, "e2e4")
    await hand.my_turn("white")
    await expect(hand.page.get_by_test_id("abort")).to_be_hidden()
    await expect(hand.page.get_by_test_id("resign")).to_be_visible()
    watcher = await Hand.of(browser)
    await watcher.page.goto(f"{arena.url}/watch/{game}")
    await expect(watcher.moves).to_have_count(2)
    for name in ("abort", "resign", "typed-move", "rematch"):
        await expect(watcher.page.get_by_test_id(name)).to_be_hidden()
    await watcher.close()
