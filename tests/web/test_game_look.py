"""What the game page shows, keeps and gives away, in Chromium."""

import io
import re
import time
from pathlib import Path
from typing import Any

import chess
import chess.pgn
import pytest
from playwright.async_api import Browser, expect

from tests.web.axe import serious
from tests.web.browser import Hand, Scheme
from tests.web.conftest import FakeArena
from tests.web.staged import Staged
from tests.web.test_page import play_line

pytestmark = pytest.mark.asyncio(loop_scope="module")

MOST_BYTES = 150_000
MOST_SECONDS = 1.0
TRIES = 40
"""With five neighbours to a processor every second try is too slow, and not the page's fault: the
quickest of all counts, and one that is quick enough is the last."""


async def watch(hand: Hand, arena: FakeArena, sans: str) -> Staged:
    game = Staged(arena.hosts)
    await game.play(sans)
    await hand.page.goto(f"{arena.url}/watch/{game.id}")
    await expect(hand.moves).to_have_count(2 * len(sans.split()))
    return game


async def ply(hand: Hand) -> int:
    return (await hand.position()).ply()


async def test_the_arrow_keys_lead_through_the_game(arena: FakeArena, hand: Hand) -> None:
    await hand.start(arena.url, "first", "white")
    await play_line(hand, "e2e4", "d2d4")  # by clicking: the board must not keep the arrows
    await hand.my_turn("white")
    keys = hand.page.keyboard
    plies = []
    for key in ("ArrowLeft", "ArrowLeft", "Home", "ArrowRight", "End"):
        await keys.press(key)
        plies.append(await ply(hand))
    assert plies == [3, 2, 0, 1, 4]
    await keys.press("f")
    await expect(hand.board).to_have_attribute("data-orientation", "black")
    await hand.my_turn("white")


async def test_an_address_leads_to_one_position(arena: FakeArena, hand: Hand) -> None:
    game = await watch(hand, arena, "e4 d4 Bxa6")
    await hand.page.goto("about:blank")
    await hand.page.goto(f"{arena.url}/watch/{game.id}#ply=3")
    await expect(hand.move(2)).to_have_attribute("aria-current", "step")
    assert await ply(hand) == 3
    await hand.page.keyboard.press("ArrowRight")
    await expect(hand.page).to_have_url(f"{arena.url}/watch/{game.id}#ply=4")
    await hand.page.evaluate("location.hash = 'ply=1'")
    await expect(hand.move(0)).to_have_attribute("aria-current", "step")
    await hand.page.keyboard.press("End")
    await expect(hand.page).to_have_url(f"{arena.url}/watch/{game.id}")


async def test_what_was_taken_is_shown_for_the_position_shown(arena: FakeArena, hand: Hand) -> None:
    await watch(hand, arena, "e4 d4 Bxa6 Bxb7")
    white = hand.page.get_by_test_id("taken-white")
    await expect(white).to_have_accessible_name("took 1 knight, 1 pawn; 4 ahead")
    await expect(hand.page.get_by_test_id("taken-black")).to_be_hidden()
    await hand.move(4).click()
    await expect(white).to_have_accessible_name("took 1 knight; 3 ahead")
    await hand.page.keyboard.press("Home")
    await expect(white).to_be_hidden()


async def test_the_move_into_check_and_the_last_move_are_marked(
    arena: FakeArena, hand: Hand
) -> None:
    await watch(hand, arena, "e4 Qh5 Qxf7")
    await expect(hand.board.locator(".mark-last")).to_have_count(2)
    await hand.move(4).click()
    await expect(hand.board.locator(".mark-check")).to_have_count(1)


async def test_preferences_are_kept(arena: FakeArena, hand: Hand) -> None:
    game = await watch(hand, arena, "e4")
    root = hand.page.locator("html")
    await hand.page.get_by_test_id("settings").click()
    background = "getComputedStyle(document.body).backgroundColor"
    light = await hand.page.evaluate(background)
    await hand.page.get_by_text("Dark", exact=True).click()
    assert await hand.page.evaluate(background) != light
    await hand.page.get_by_label("Sounds").uncheck()
    await hand.page.keyboard.press("Escape")
    await hand.page.keyboard.press("z")
    await expect(hand.page.locator(".panel")).to_be_hidden()
    await expect(hand.board).to_be_visible()
    await hand.page.reload()
    await expect(root).to_have_attribute("data-theme", "dark")
    await expect(hand.page.locator(".panel")).to_be_hidden()
    await hand.page.get_by_test_id("zen-off").click()
    await expect(hand.page.locator(".panel")).to_be_visible()
    await game.play("d4")
    await expect(hand.moves).to_have_count(4)
    assert await root.get_attribute("data-sound") is None
    await hand.page.get_by_test_id("settings").click()
    await hand.page.get_by_label("Sounds").check()
    await game.play("a3")
    await expect(root).to_have_attribute("data-sound", "move")


async def test_the_game_as_text(arena: FakeArena, hand: Hand) -> None:
    game = await watch(hand, arena, "e4 d4")
    reader = hand.page.get_by_test_id("reader")
    await hand.page.get_by_test_id("settings").click()
    await hand.page.get_by_label("Screen-reader mode").check()
    await hand.page.keyboard.press("Escape")
    await expect(reader).to_be_visible()
    await expect(hand.page.get_by_test_id("reader-moves")).to_have_text("Moves: 1.e4 Na6 2.d4 Rb8")
    await game.play("Bxa6")
    await expect(hand.page.get_by_test_id("announce")).to_have_text("black bot plays rook a8")
    await expect(hand.page.get_by_test_id("reader-last")).to_have_text("Black: rook a8.")
    table = hand.page.get_by_role("table", name="The board as a table")
    await expect(table.locator("td", has_text="white bishop")).to_have_count(2)
    await expect(table.locator("tr").nth(3).locator("td").first).to_have_text("white bishop")
    assert await serious(hand.page) == []


async def test_pgn_and_fen_are_copied_and_saved(
    arena: FakeArena, browser: Browser, tmp_path: Path
) -> None:
    hand = await Hand.of(browser)
    await hand.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    game = await watch(hand, arena, "e4 d4 Bxa6")
    page = hand.page

    async def copied(button: str) -> str:
        return await hand.copied(page.get_by_test_id(button))

    await page.locator("#share").click()
    assert await copied("copy-fen") == game.fen
    assert (await copied("copy-ply")).endswith(f"/watch/{game.id}#ply=6")
    text = await copied("copy-pgn")
    async with page.expect_download() as saving:
        await page.get_by_test_id("save-pgn").click()
    saved = tmp_path / "game.pgn"
    await (await saving.value).save_as(saved)
    assert saved.read_text() == text
    parsed = chess.pgn.read_game(io.StringIO(text))
    assert parsed is not None
    assert parsed.errors == []
    assert (parsed.headers["Black"], parsed.headers["Game"]) == ("first", game.id)
    nodes = list(parsed.mainline())
    assert parsed.end().board().fen() == game.fen
    for node in nodes:
        assert node.clock() is not None
        assert re.search(r"\[%tx 0x[0-9a-f]{64}\]", node.comment)
        has_proof = re.search(r"\[%proof 0x[0-9a-f]{64}\]", node.comment) is not None
        assert has_proof == (node.ply() % 2 == 0)
    link = page.get_by_test_id("analysis")
    expected = f"https://lichess.org/analysis/{game.fen.replace(' ', '_')}"
    await expect(link).to_have_attribute("href", expected)
    await hand.close()


async def test_a_link_to_watch_and_a_fen_are_taken_along(
    arena: FakeArena, browser: Browser, tmp_path: Path
) -> None:
    hand = await Hand.of(browser)
    await hand.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    game = await hand.start(arena.url, "first", "white")
    await play_line(hand, "e2e4")
    await expect(hand.moves).to_have_count(2)
    page = hand.page
    await page.locator("#share").click()
    link = await hand.copied(page.locator("#copy-link"))
    assert link == f"{arena.url}/watch/{game}"  # not the page that has a key of a side
    async with page.expect_download() as saving:
        await page.get_by_test_id("save-fen").click()
    download = await saving.value
    assert download.suggested_filename == f"checkproof-{game[2:10]}.fen"
    await download.save_as(tmp_path / "game.fen")
    assert (tmp_path / "game.fen").read_text() == (await hand.position()).fen() + "\n"
    await page.goto(link)
    await expect(page.get_by_test_id("role")).to_have_text("watching")
    assert hand.faults == []
    await hand.close()


async def test_a_delay_is_shown_and_costs_nothing(arena: FakeArena, hand: Hand) -> None:
    free, clock = hand.page.get_by_test_id("delay-white"), hand.page.get_by_test_id("clock-white")
    long = Staged(arena.hosts, delay=120)
    await long.play("e4")
    await hand.page.goto(f"{arena.url}/watch/{long.id}")
    await expect(free).to_have_text(re.compile(r"^\+\d+ s free$"))
    seconds, stands = await free.inner_text(), await clock.inner_text()
    await expect(free).not_to_have_text(seconds)
    await expect(clock).to_have_text(stands)
    await expect(hand.page.get_by_test_id("delay-black")).to_be_hidden()
    short = Staged(arena.hosts, delay=1)
    await short.play("e4")
    await hand.page.goto(f"{arena.url}/watch/{short.id}")
    await expect(clock).to_have_text(re.compile(r"^4:[0-5]\d$"))
    await expect(free).to_be_hidden()


async def test_a_wrong_clock_of_this_machine_does_not_matter(arena: FakeArena, hand: Hand) -> None:
    game = Staged(arena.hosts, base=600)
    await game.play("e4")
    await hand.page.clock.install(time=time.time() + 3600)
    await hand.page.goto(f"{arena.url}/watch/{game.id}")
    await expect(hand.moves).to_have_count(2)
    for color in ("white", "black"):
        clock = hand.page.get_by_test_id(f"clock-{color}")
        await expect(clock).to_have_text(re.compile(r"^(10:00|[5-9]:[0-5]\d)$"))  # and no hour off


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_keeps_people_out(arena: FakeArena, browser: Browser, scheme: Scheme) -> None:
    hand = await Hand.of(browser, scheme=scheme)
    await hand.start(arena.url, "first", "white")
    await play_line(hand, "e2e4", "f1a6")
    await expect(hand.move(3)).to_have_attribute("data-stage", "verified")
    assert await serious(hand.page) == []
    await hand.page.get_by_test_id("settings").click()
    assert await serious(hand.page) == []
    await hand.page.get_by_test_id("keys").click()
    await expect(hand.page.get_by_test_id("keys-dialog")).to_be_visible()
    assert await serious(hand.page) == []
    await hand.page.get_by_test_id("keys-done").click()
    await hand.page.get_by_test_id("resign").click()
    assert await serious(hand.page) == []
    assert hand.faults == []
    await hand.close()


async def test_the_page_is_small_and_soon_there(arena: FakeArena, browser: Browser) -> None:
    game = Staged(arena.hosts)
    first, hand = await Hand.of(browser), await Hand.of(browser)
    await first.page.goto(f"{arena.url}/watch/{game.id}")  # Chromium itself is warm, no cache is
    await expect(first.page.locator("#board svg.cm-chessboard")).to_be_visible()
    await first.close()
    sizes = await weighed(hand)
    await hand.page.goto(f"{arena.url}/watch/{game.id}")
    await expect(hand.page.locator("#board svg.cm-chessboard")).to_be_visible()
    await hand.page.wait_for_load_state("networkidle")
    assert len(sizes) > 50
    assert sum(sizes.values()) < MOST_BYTES, sizes
    verifies = [url for url in sizes if "verify" in url or "curves" in url or "proof_" in url]
    assert verifies == [], "what verifies is loaded only when asked for"
    took = [await usable_after(hand)]
    await hand.close()
    while min(took) >= MOST_SECONDS and len(took) < TRIES:  # neighbours may have the processors
        hand = await Hand.of(browser)
        await hand.page.goto(f"{arena.url}/watch/{game.id}")
        await expect(hand.page.locator("#board svg.cm-chessboard")).to_be_visible()
        took.append(await usable_after(hand))
        await hand.close()
    assert min(took) < MOST_SECONDS, took


@pytest.mark.parametrize(
    ("part", "opener", "opened"),
    [
        ("js/keys_dialog.js", "#keys", "keys-dialog"),
        ("js/proof_drawer.js", "[data-testid=mark]", "proof"),
        ("css/proof.css", "[data-testid=mark]", "proof"),
    ],
)
async def test_a_part_that_does_not_come_is_told_and_asked_for_again(
    arena: FakeArena, browser: Browser, part: str, opener: str, opened: str
) -> None:
    hand = await Hand.of(browser)
    await watch(hand, arena, "e4")
    await hand.page.route(f"**/web/{part}", lambda route: route.abort())
    button, error = hand.page.locator(opener).first, hand.page.get_by_test_id("error")
    await button.dispatch_event("click")
    await expect(error).to_contain_text("could not be loaded. Please try again.")
    await expect(hand.page.get_by_test_id(opened)).to_be_hidden()
    await error.get_by_role("button").click()
    await hand.page.unroute(f"**/web/{part}")
    await button.dispatch_event("click")
    await expect(hand.page.get_by_test_id(opened)).to_be_visible()
    await expect(error).to_be_hidden()
    await hand.close()


async def weighed(hand: Hand) -> dict[str, int]:
    """What each answer takes on the wire, with its headers: filled in as the page loads."""
    wire = await hand.page.context.new_cdp_session(hand.page)
    urls: dict[str, str] = {}
    sizes: dict[str, int] = {}

    def finished(event: dict[str, Any]) -> None:
        url, size = urls[event["requestId"]], event["encodedDataLength"]
        sizes[url] = sizes.get(url, 0) + int(size)

    wire.on(
        "Network.requestWillBeSent", lambda e: urls.update({e["requestId"]: e["request"]["url"]})
    )
    wire.on("Network.loadingFinished", finished)
    await wire.send("Network.enable")
    return sizes


async def usable_after(hand: Hand) -> float:
    """Seconds from the start of loading until the page could be used."""
    milliseconds = await hand.page.evaluate(
        "performance.getEntriesByType('mark').find(m => m.name === 'usable')?.startTime"
    )
    return float(milliseconds) / 1000
