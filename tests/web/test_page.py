"""The page in Chromium against the real server, with a fake chain and a fake prover.

The fake bot `first` plays its lowest legal index: as Black it shuffles on its queen's side.
"""

import re
import time

import chess
import pytest
from playwright.async_api import Browser, WebSocketRoute, expect

from engine.encoding import encode_board
from server.effects import ClaimTimeout
from tests.web.browser import Hand
from tests.web.conftest import FakeArena

pytestmark = pytest.mark.asyncio(loop_scope="module")


def move(uci: str) -> chess.Move:
    return chess.Move.from_uci(uci)


async def play_line(hand: Hand, *line: str) -> None:
    """Play White's moves, each as soon as the bot has answered the last."""
    for uci in line:
        await hand.my_turn("white")
        await hand.play(move(uci))


async def test_lobby_shows_each_bot_with_what_has_to_be_believed(
    arena: FakeArena, hand: Hand
) -> None:
    await hand.page.goto(arena.url)
    card = hand.page.locator("[data-testid=bot-card][data-bot=first]")
    await expect(card.get_by_test_id("setup")).to_have_text("development setup")
    await expect(card).to_contain_text("Groth16")
    await expect(card).to_contain_text("60,000")
    custom = hand.page.locator("[data-testid=bot-card][data-bot=custom]")
    await expect(custom).to_contain_text("custom, unverified")


async def test_a_bot_move_goes_through_all_its_stages(arena: FakeArena, hand: Hand) -> None:
    arena.prover.is_held = True
    await hand.start(arena.url, "first", "white")
    await play_line(hand, "e2e4")
    bot = hand.move(1)
    await expect(bot).to_have_attribute("data-stage", "queued")
    await expect(hand.board).to_have_attribute("data-input", "white")
    [job] = arena.prover.jobs
    arena.prover.start(job)
    await expect(bot).to_have_attribute("data-stage", "proving")
    await expect(hand.page.get_by_test_id("mark")).to_have_text(
        re.compile(r"^proving \d\d?(\.\d)? s$")
    )
    await expect(hand.move(0)).to_have_attribute("data-stage", "verified")
    arena.chain.hold()
    arena.prover.finish(job)
    await expect(bot).to_have_attribute("data-stage", "submitted")
    mark = hand.page.get_by_test_id("mark")
    await expect(mark).to_have_text("sent")
    await expect(mark).to_have_accessible_name("Proof of 1…Na6: submitted, 1.5 s")
    arena.chain.release()
    await expect(bot).to_have_attribute("data-stage", "verified")
    await expect(mark).to_have_accessible_name("Proof of 1…Na6: verified, 1.5 s · 50,000 gas")
    await expect(hand.page.get_by_test_id("trust")).to_contain_text("whoever ran it can forge")
    await mark.click()
    drawer = hand.page.get_by_test_id("proof")
    await expect(drawer).to_contain_text("Verifying key")
    before = chess.Board()
    before.push_san("e4")
    await drawer.get_by_text("Public inputs", exact=True).click()
    await expect(drawer).to_contain_text(hex(encode_board(before))[:6])


async def test_a_proposed_move_may_be_answered_at_once(arena: FakeArena, hand: Hand) -> None:
    arena.prover.is_held = True
    await hand.start(arena.url, "first", "white")
    await play_line(hand, "e2e4", "d2d4", "g1f3")
    await hand.my_turn("white")
    assert await hand.moves.count() == 6
    await expect(hand.move(0)).to_have_attribute("data-stage", "verified")
    await expect(hand.move(2)).to_have_attribute("data-stage", "proposed")
    await expect(hand.move(5)).to_have_attribute("data-stage", "queued")  # its proof is asked for
    for _ in range(3):
        job = next(job for job in arena.prover.jobs if not job.future.done())
        arena.prover.finish(job)
    for ply in range(6):
        await expect(hand.move(ply)).to_have_attribute("data-stage", "verified")


async def test_black_is_played_from_below(arena: FakeArena, hand: Hand) -> None:
    await hand.start(arena.url, "first", "black")
    board = await hand.my_turn("black")
    assert board.ply() == 1
    await hand.play(move("e7e5"))
    board = await hand.my_turn("black")
    assert board.ply() == 3
    assert board.piece_at(chess.E5) == chess.Piece(chess.PAWN, chess.BLACK)


async def test_castling_and_promotion_by_clicking(arena: FakeArena, hand: Hand) -> None:
    await hand.start(arena.url, "first", "white")
    await play_line(hand, "g1f3", "g2g3", "f1g2", "e1g1", "h2h4", "h4h5", "h5h6", "h6g7", "g7h8r")
    await expect(hand.move(16)).to_have_text("gxh8=R")
    await expect(hand.move(6)).to_have_text("O-O")
    pieces = await hand.drawn_pieces()
    assert pieces["h8"] == "wr"
    assert pieces["g1"] == "wk"
    assert pieces["f1"] == "wr"


async def test_a_promotion_may_be_cancelled(arena: FakeArena, hand: Hand) -> None:
    await hand.start(arena.url, "first", "white")
    await play_line(hand, "h2h4", "h4h5", "h5h6", "h6g7")
    await hand.my_turn("white")
    await hand.click(chess.G7)
    await hand.click(chess.H8)
    await hand.page.locator(".promotion-dialog-button-group").first.wait_for()
    await hand.page.keyboard.press("Escape")
    await expect(hand.page.locator(".promotion-dialog-button-group")).to_have_count(0)
    board = await hand.my_turn("white")
    assert board.piece_at(chess.G7) == chess.Piece(chess.PAWN, chess.WHITE)
    await hand.play(move("g7h8q"))
    await expect(hand.move(8)).to_have_text("gxh8=Q")


async def test_moves_by_dragging_and_by_keyboard(arena: FakeArena, hand: Hand) -> None:
    await hand.start(arena.url, "first", "white")
    await hand.my_turn("white")
    await hand.drag(move("e2e4"))
    await expect(hand.move(0)).to_have_text("e4")
    await hand.my_turn("white")
    await hand.board.locator("svg.cm-chessboard").focus()
    keys = hand.page.keyboard
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowUp", "Enter"):  # a1 -> d2
        await keys.press(key)
    for key in ("ArrowUp", "ArrowUp", "Enter"):
        await keys.press(key)
    await expect(hand.move(2)).to_have_text("d4")


async def test_moves_by_touch(arena: FakeArena, browser: Browser) -> None:
    hand = await Hand.of(browser, width=390, touch=True)
    await hand.start(arena.url, "first", "white")
    await hand.my_turn("white")
    await hand.tap(chess.G1)
    await hand.tap(chess.F3)
    await expect(hand.move(0)).to_have_text("Nf3")
    assert hand.faults == []
    await hand.close()


async def test_an_illegal_move_goes_nowhere(arena: FakeArena, hand: Hand) -> None:
    await hand.start(arena.url, "first", "white")
    before = await hand.my_turn("white")
    await hand.click_move(move("e2e5"))
    await hand.drag(move("e1e2"))
    await hand.click(chess.E7)
    assert (await hand.my_turn("white")) == before
    assert (await hand.drawn_pieces())["e2"] == "wp"
    await expect(hand.moves).to_have_count(0)


async def test_a_spectator_sees_the_same_and_can_touch_nothing(
    arena: FakeArena, hand: Hand, browser: Browser
) -> None:
    game = await hand.start(arena.url, "first", "white")
    await play_line(hand, "e2e4")
    watcher = await Hand.of(browser, width=390)
    await watcher.page.goto(f"{arena.url}/game/{game}")  # no key of a side here: the same as /watch
    await expect(watcher.page.get_by_test_id("role")).to_have_text("watching")
    await play_line(hand, "d2d4")
    await expect(watcher.moves).to_have_count(4)
    await expect(watcher.board).to_have_attribute("data-input", "none")
    await expect(watcher.page.get_by_test_id("resign")).to_be_hidden()
    await hand.my_turn("white")
    assert await watcher.drawn_pieces() == await hand.drawn_pieces()
    await expect(hand.page.get_by_test_id("spectators")).to_have_text("1 watching")
    assert watcher.faults == []
    await watcher.close()


async def test_the_players_own_watch_page_has_no_controls(arena: FakeArena, hand: Hand) -> None:
    game = await hand.start(arena.url, "first", "white")
    await hand.page.goto(f"{arena.url}/watch/{game}")
    await expect(hand.page.get_by_test_id("role")).to_have_text("watching")
    await expect(hand.page.get_by_test_id("resign")).to_be_hidden()
    await expect(hand.page.locator("#share")).to_be_visible()


async def test_a_reload_finds_the_key_and_the_game_again(arena: FakeArena, hand: Hand) -> None:
    await hand.start(arena.url, "first", "white")
    await play_line(hand, "e2e4")
    await hand.my_turn("white")
    await hand.page.reload()
    assert (await hand.my_turn("white")).ply() == 2
    await hand.page.goto(arena.url)
    await hand.page.get_by_test_id("resume").click()
    assert (await hand.my_turn("white")).ply() == 2


async def test_a_reload_shows_the_end_of_a_long_list(arena: FakeArena, browser: Browser) -> None:
    hand = await Hand.of(browser)
    await hand.start(arena.url, "first", "white")
    await play_line(hand, "e2e4", "d2d4", "f2f4", "c2c4", "g2g4", "h2h4")
    await expect(hand.moves).to_have_count(12)
    await hand.page.set_viewport_size({"width": 1280, "height": 420})
    await hand.page.reload()
    await expect(hand.moves).to_have_count(12)
    await expect(hand.move(0)).not_to_be_in_viewport()
    await expect(hand.move(11)).to_be_in_viewport()
    await hand.close()


async def test_a_lost_connection_is_shown_and_comes_back(arena: FakeArena, hand: Hand) -> None:
    await hand.start(arena.url, "first", "white")
    await play_line(hand, "e2e4")
    await hand.my_turn("white")
    async with arena.away():
        await expect(hand.page.get_by_test_id("connection")).to_be_visible()
    await hand.my_turn("white")
    await expect(hand.page.get_by_test_id("connection")).to_be_hidden()
    await hand.play(move("d2d4"))
    await expect(hand.moves).to_have_count(4)


async def test_a_move_lost_with_its_connection_is_sent_again(arena: FakeArena, hand: Hand) -> None:
    lost: list[str | bytes] = []

    async def join(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        async def pass_on(text: str | bytes) -> None:
            if '"t":"move"' in str(text) and not lost:
                lost.append(text)
                await socket.close(code=1011)
            else:
                server.send(text)

        socket.on_message(pass_on)

    await hand.start(arena.url, "first", "white")
    await hand.page.route_web_socket("**/ws?game=*", join)
    await hand.page.reload()
    await hand.my_turn("white")
    await hand.play(move("e2e4"))
    assert len(lost) == 1
    assert (await hand.my_turn("white")).ply() == 2


async def test_a_rejected_move_is_one_clear_line(arena: FakeArena, hand: Hand) -> None:
    arena.prover.bad_proofs = 1
    await hand.start(arena.url, "first", "white")
    await play_line(hand, "e2e4")
    told = hand.page.get_by_test_id("correction")
    await expect(told).to_contain_text("1…Na6 does not hold as shown: the contract refused")
    await expect(told).to_contain_text("ProofRejected")
    await expect(hand.page.get_by_test_id("error")).to_be_hidden()  # not the same twice
    await expect(hand.move(1)).to_have_attribute("data-stage", "verified")  # proven anew
    await hand.page.locator("#correction-close").click()
    await expect(told).to_be_hidden()
    await hand.my_turn("white")


async def test_resigning_asks_first_and_shows_the_result(arena: FakeArena, hand: Hand) -> None:
    await hand.start(arena.url, "first", "white")
    await play_line(hand, "e2e4")
    await hand.my_turn("white")
    await hand.page.get_by_test_id("resign").click()
    await hand.page.locator("#confirm-no").click()
    await hand.my_turn("white")
    await hand.page.get_by_test_id("resign").click()
    await hand.page.get_by_test_id("confirm-yes").click()
    status = hand.page.get_by_test_id("status")
    await expect(status).to_have_text("You lose · 0-1")
    await expect(hand.page.locator("#substatus")).to_have_text("Black wins by resignation")
    await expect(hand.board).to_have_attribute("data-input", "none")
    await hand.page.get_by_test_id("again").click()
    await hand.page.wait_for_url(f"{arena.url}/", wait_until="commit")


async def test_a_draw_may_be_claimed_at_the_third_repetition(arena: FakeArena, hand: Hand) -> None:
    await hand.start(arena.url, "first", "white")
    await play_line(hand, "g1f3")  # the bot: Na6, Rb8, Ra8, Rb8, ..
    await play_line(hand, *["f3g1", "g1f3"] * 4)
    await hand.my_turn("white")
    await hand.page.get_by_test_id("draw").click()
    await hand.page.get_by_test_id("confirm-yes").click()
    await expect(hand.page.get_by_test_id("status")).to_have_text("Draw · 1/2-1/2")
    await expect(hand.page.locator("#substatus")).to_have_text("A draw by threefold claim")


async def test_a_bot_that_runs_out_of_time_can_be_claimed_on(arena: FakeArena, hand: Hand) -> None:
    arena.prover.is_held = True
    await hand.start(arena.url, "first", "white")
    await play_line(hand, "e2e4")
    await expect(hand.move(0)).to_have_attribute("data-stage", "verified")
    button = hand.page.get_by_test_id("timeout")
    await expect(button).to_be_hidden()
    later = time.time() + 700
    arena.chain.now = lambda: later
    assert arena.site.arena is not None
    arena.site.arena.now = arena.chain.now
    await hand.page.clock.set_fixed_time(later * 1000)
    await expect(hand.page.get_by_test_id("clock-black")).to_have_text("0:00.0")
    await button.click()
    await expect(button).to_have_text("Claimed: 60 s of grace")
    await expect(button).to_be_disabled()
    assert ClaimTimeout(1) in arena.chain.sent


async def test_looking_back_and_flipping(arena: FakeArena, hand: Hand) -> None:
    await hand.start(arena.url, "first", "white")
    await play_line(hand, "e2e4")
    now = await hand.my_turn("white")
    await hand.move(0).click()
    assert (await hand.position()).ply() == 1
    await expect(hand.board).to_have_attribute("data-input", "none")
    await hand.page.locator("#step-last").click()
    assert (await hand.my_turn("white")) == now
    await hand.page.get_by_test_id("flip").click()
    await expect(hand.board).to_have_attribute("data-orientation", "black")
    await hand.play(move("d2d4"))
    await expect(hand.move(2)).to_have_text("d4")


async def test_an_unknown_game_says_so(arena: FakeArena, hand: Hand) -> None:
    await hand.page.goto(f"{arena.url}/game/0x{'12' * 32}")
    await expect(hand.page.locator("#missing")).to_be_visible()
    await expect(hand.page.locator("#game")).to_be_hidden()
    await expect(hand.page.locator("#share")).to_be_hidden()


async def test_frames_of_an_unknown_type_are_shown_as_errors(arena: FakeArena, hand: Hand) -> None:
    def join(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        socket.send('{"t":"news","d":{}}')

    await hand.start(arena.url, "first", "white")
    await hand.page.route_web_socket("**/ws?game=*", join)
    await hand.page.reload()
    await expect(hand.page.get_by_test_id("error")).to_contain_text("unknown type “news”")


async def test_a_server_that_lies_about_a_move_is_found_out(arena: FakeArena, hand: Hand) -> None:
    def join(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        server.on_message(
            lambda text: socket.send(str(text).replace('"uci":"e2e4"', '"uci":"d2d4"'))
        )

    await hand.start(arena.url, "first", "white")
    await play_line(hand, "e2e4")
    await hand.my_turn("white")
    await hand.page.route_web_socket("**/ws?game=*", join)
    await hand.page.reload()
    await expect(hand.page.get_by_test_id("fault")).to_contain_text(
        "Ply 1 (d2d4) is not the move that its index names"
    )
    await expect(hand.page.locator("#game")).to_be_hidden()


@pytest.mark.parametrize(("width", "height"), [(320, 640), (390, 800), (820, 1180), (2560, 1300)])
async def test_nothing_sticks_out_of_the_window(
    arena: FakeArena, browser: Browser, width: int, height: int
) -> None:
    hand = await Hand.of(browser, width=width, height=height, scheme="dark")
    await hand.page.goto(arena.url)
    await expect(hand.page.get_by_test_id("bot-card").first).to_be_visible()
    wide = "document.documentElement.scrollWidth - innerWidth"
    assert await hand.page.evaluate(wide) <= 0
    await hand.start(arena.url, "first", "white")
    await play_line(hand, "e2e4")
    await hand.my_turn("white")
    assert await hand.page.evaluate(wide) <= 0
    assert hand.faults == []
    await hand.close()
