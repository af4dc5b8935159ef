"""The lobby in Chromium: bots as cards, games as they go on, starts from other positions."""

import pytest
from playwright.async_api import Browser, Locator, expect

from tests.web.axe import serious
from tests.web.browser import Hand
from tests.web.conftest import FakeArena
from tests.web.staged import Staged

pytestmark = pytest.mark.asyncio(loop_scope="module")


def card_of(hand: Hand, bot: str) -> Locator:
    return hand.page.locator(f"[data-testid=bot-card][data-bot={bot}]")


def game_of(hand: Hand, game: str) -> Locator:
    return hand.page.locator(f"[data-testid=game][data-game='{game}']")


def know(arena: FakeArena, bot: str, **news: object) -> None:
    """Have the arena say something else of a bot."""
    info = arena.site.info
    assert info is not None
    bots = [one.model_copy(update=news) if one.name == bot else one for one in info.bots]
    arena.site.info = info.model_copy(update={"bots": bots})


async def test_a_card_says_what_a_bot_is_and_what_it_costs(arena: FakeArena, hand: Hand) -> None:
    pawn = "0xb116eccce25de019fc4c8ef5810d85b8cd1eb857d00cc2a5d161d7cc74bea92a"
    know(arena, "first", net_hash=pawn, trust="One plain line.")
    know(arena, "last", proof_system="ezkl")
    know(arena, "custom", ready=False)
    game = Staged(arena.hosts)
    await game.play("e4")
    await game.resign()
    await hand.page.goto(arena.url)
    card = card_of(hand, "first")
    await expect(card.get_by_test_id("system")).to_have_text("Groth16 · BN254")
    await expect(card).to_contain_text("84 of 100 points against random moves")
    await expect(card).to_contain_text("1.5 s")
    await expect(card).to_contain_text("1 won · 0 drawn · 0 lost")
    await expect(card.get_by_test_id("trust")).to_have_text("One plain line.")
    await expect(card_of(hand, "last").get_by_test_id("system")).to_have_text("ezkl · halo2-KZG")
    making = card_of(hand, "custom")
    await expect(making).to_contain_text("It is being made")
    await expect(making.get_by_role("button")).to_have_count(0)


async def test_a_game_is_seen_as_it_goes_on_and_then_replayed(arena: FakeArena, hand: Hand) -> None:
    game = Staged(arena.hosts)
    await game.play("e4")
    await hand.page.goto(arena.url)
    board = game_of(hand, game.id).locator("svg.mini")
    await expect(board).to_have_attribute("data-fen", game.fen)
    await expect(board.locator("use")).to_have_count(32)
    await game.play("d4")
    await expect(board).to_have_attribute("data-fen", game.fen)
    await expect(game_of(hand, game.id)).to_contain_text("4 of 4 plies verified")
    await game.resign()
    await game_of(hand, game.id).get_by_test_id("replay").click()
    await hand.page.wait_for_url(f"**/replay/{game.id}", wait_until="commit")


async def test_a_game_may_start_from_a_fen(arena: FakeArena, hand: Hand) -> None:
    fen = "4k3/8/8/8/8/8/4P3/4K3 w - - 0 1"
    await hand.page.goto(arena.url)
    await hand.page.get_by_text("Start from another position").click()
    await hand.page.get_by_test_id("fen").fill(fen)
    await card_of(hand, "first").get_by_test_id("start-white").click()
    await hand.page.wait_for_url("**/game/0x*", wait_until="commit")
    await expect(hand.board).to_have_attribute("data-fen", fen)


async def test_a_fen_that_is_none_is_told(arena: FakeArena, hand: Hand) -> None:
    await hand.page.goto(arena.url)
    await hand.page.get_by_text("Start from another position").click()
    await hand.page.get_by_test_id("fen").fill("8/8 nonsense")
    await card_of(hand, "first").get_by_test_id("start-white").click()
    await expect(hand.page.get_by_test_id("error")).to_contain_text("FEN")
    await expect(card_of(hand, "first").get_by_test_id("start-white")).to_be_enabled()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_lobby_keeps_nobody_out(arena: FakeArena, browser: Browser, scheme: str) -> None:
    game, over = Staged(arena.hosts), Staged(arena.hosts, name="other")
    await game.play("e4")
    await over.play("d4")
    await over.resign()
    hand = await Hand.of(browser, width=320, scheme="dark" if scheme == "dark" else "light")
    await hand.page.goto(arena.url)
    await expect(game_of(hand, game.id)).to_be_visible()
    await expect(game_of(hand, over.id)).to_be_visible()
    assert await serious(hand.page) == []
    wide = await hand.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 320
    assert hand.faults == []
    await hand.close()
