"""The lobby in Chromium: bots as cards, games as they go on, starts from other positions."""

import re

import pytest
from playwright.async_api import Browser, Locator, expect

from server import lobby
from server.lobby import Strength
from tests.server.fakes import OTHER_BOT
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


async def test_a_card_says_what_a_bot_is_and_what_it_costs(
    arena: FakeArena, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    strength = Strength("84 of 100 points against random moves", elo=811, error=71)
    monkeypatch.setattr(lobby, "STRENGTH", {"ab" * 32: strength})
    know(arena, "first", net_hash="0x" + "ab" * 32, trust="One plain line.")
    know(arena, "last", proof_system="ezkl")
    know(arena, "custom", ready=False)
    know(arena, "last", constraints=600_000)
    game = Staged(arena.hosts)
    await game.play("e4")
    await game.resign()
    await hand.page.goto(arena.url)
    card = card_of(hand, "first")
    await expect(card.get_by_test_id("system")).to_have_text("Groth16 · BN254")
    await expect(card.get_by_test_id("strength")).to_contain_text("811 ± 71")
    await expect(card.get_by_test_id("strength")).to_contain_text(strength.text)
    await expect(card.get_by_test_id("proving")).to_contain_text("1.5 s")
    await expect(card_of(hand, "last").get_by_test_id("proving")).to_contain_text("≈ 15 s")
    await expect(card_of(hand, "last").get_by_test_id("strength")).to_contain_text("not measured")
    await expect(card).to_contain_text("1 won · 0 drawn · 0 lost")
    await expect(card.get_by_test_id("trust")).to_have_text("One plain line.")
    await expect(card_of(hand, "last").get_by_test_id("system")).to_have_text("ezkl · halo2-KZG")
    making = card_of(hand, "custom")
    await expect(making).to_contain_text("It is being made")
    await expect(making.get_by_role("button")).to_have_count(0)


async def test_a_card_says_what_is_being_done_for_a_bot_and_then_offers_it(
    arena: FakeArena, hand: Hand
) -> None:
    know(arena, "last", ready=False, step="Its key is being loaded.", version="", key_hash="")
    await hand.page.goto(arena.url)
    card = card_of(hand, "last")
    await expect(card.get_by_role("status")).to_have_text("Its key is being loaded.")
    await expect(card.get_by_test_id("proving")).to_contain_text("not known yet")
    await expect(card).to_contain_text("not made yet")
    know(arena, "last", ready=True, version="0x" + OTHER_BOT.hex())
    await expect(card.get_by_test_id("start-white")).to_be_enabled(timeout=60_000)


async def test_what_somebody_is_about_to_press_stays_under_the_finger(
    arena: FakeArena, hand: Hand
) -> None:
    """News of a bot, and of the games, touch only the words that changed."""
    game = Staged(arena.hosts)
    await game.play("e4")
    await game.resign()
    await hand.page.goto(arena.url)
    replay = game_of(hand, game.id).get_by_test_id("replay")
    start = card_of(hand, "last").get_by_test_id("start-black")
    await expect(replay).to_be_visible()
    for held in (start, replay):
        await held.focus()
        other = Staged(arena.hosts, name="other")
        await other.play("e4")
        await other.resign()
        constraints = 600_000 if held is start else 700_000
        know(arena, "last", constraints=constraints)
        await expect(game_of(hand, other.id)).to_be_visible()
        news = card_of(hand, "last").locator(".facts")
        await expect(news).to_contain_text(re.compile(f"{constraints // 1000}.000"))
        await expect(held).to_be_focused()
    await expect(card_of(hand, "last").get_by_role("button")).to_have_count(3)


async def test_four_bots_are_seen_at_once_where_there_is_room(
    arena: FakeArena, browser: Browser
) -> None:
    info = arena.site.info
    assert info is not None
    more = info.bots[0].model_copy(update={"name": "fourth", "version": "0x" + "09" * 32})
    arena.site.info = info.model_copy(update={"bots": [*info.bots, more]})
    for width, columns in ((320, 1), (768, 2), (1400, 2)):
        hand = await Hand.of(browser, width=width)
        await hand.page.goto(arena.url)
        await expect(hand.page.get_by_test_id("bot-card")).to_have_count(4)
        places = await hand.page.get_by_test_id("bot-card").evaluate_all(
            "cards => cards.map((card) => card.getBoundingClientRect().left)"
        )
        assert len(set(places)) == columns
        assert await hand.page.evaluate("document.documentElement.scrollWidth") <= width
        await hand.close()


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
