"""A player's key carried to another browser, and a wallet that opens a game, in Chromium."""

import json
from typing import Any

import pytest
from coincurve import PrivateKey
from eth_account import Account
from eth_account.messages import encode_typed_data
from playwright.async_api import Browser, expect

from proofs.signing import address_of
from tests.server.fakes import DOMAIN
from tests.web.browser import Hand
from tests.web.conftest import FakeArena
from tests.web.test_page import play_line

pytestmark = pytest.mark.asyncio(loop_scope="module")

WALLET_KEY = PrivateKey(bytes.fromhex("12" * 32))
ANNOUNCE = """
(() => {
  const announce = () => dispatchEvent(new CustomEvent("eip6963:announceProvider", {
    detail: Object.freeze({
      info: {uuid: "1", name: "Test wallet", icon: "data:,", rdns: "org.example.wallet"},
      provider: {request: ({method, params}) => askWallet(method, params ?? []).then((answer) => {
        if ("error" in answer) throw answer.error;
        return answer.result;
      })},
    }),
  }));
  addEventListener("eip6963:requestProvider", announce);
  announce();
})();
"""


class FakeWallet:
    """Signs typed data as a wallet does; `declines` and `chain` say how it is minded."""

    def __init__(self) -> None:
        self.address = address_of(WALLET_KEY)
        self.asked: list[str] = []
        self.declines = False
        self.chain = DOMAIN.chain_id
        self.signed: dict[str, Any] = {}

    async def __call__(self, method: str, params: list[Any]) -> dict[str, Any]:
        self.asked.append(method)
        match method:
            case "eth_requestAccounts":
                return {"result": [self.address]}
            case "eth_chainId":
                return {"result": hex(self.chain)}
            case "eth_signTypedData_v4" if not self.declines:
                self.signed = json.loads(params[1])
                message = encode_typed_data(full_message=self.signed)
                signature = Account.sign_message(message, WALLET_KEY.secret).signature
                return {"result": "0x" + signature.hex().removeprefix("0x")}
        return {"error": {"code": 4001, "message": "no"}}


async def with_wallet(browser: Browser, wallet: FakeWallet) -> Hand:
    hand = await Hand.of(browser)
    await hand.page.expose_function("askWallet", wallet)
    await hand.page.add_init_script(ANNOUNCE)
    return hand


async def choose_wallet(hand: Hand, arena: FakeArena) -> None:
    await hand.page.goto(arena.url)
    await hand.page.get_by_test_id("keys").click()
    await hand.page.get_by_test_id("signer-org.example.wallet").check()
    await hand.page.get_by_test_id("keys-done").click()


async def test_a_key_is_carried_to_another_browser(arena: FakeArena, browser: Browser) -> None:
    first, second = await Hand.of(browser), await Hand.of(browser)
    await first.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    game = await first.start(arena.url, "first", "white")
    await play_line(first, "e2e4")
    await first.page.get_by_test_id("settings").click()
    await first.page.get_by_test_id("keys").click()
    text = await first.copied(first.page.get_by_test_id("key-copy"))
    async with first.page.expect_download() as saving:
        await first.page.get_by_test_id("key-save").click()
    assert (await (await saving.value).path()).read_text().strip() == text

    page = second.page
    await page.goto(arena.url)
    await page.get_by_test_id("keys").click()
    field, told = page.get_by_test_id("key-text"), page.get_by_test_id("key-told")
    await field.fill(text[:-1] + ("0" if text[-1] != "0" else "1"))
    await page.get_by_test_id("key-import").click()
    await expect(told).to_have_text("The key does not match its checksum: a character is wrong.")
    await field.fill(text)
    await page.get_by_test_id("key-import").click()
    await expect(told).to_contain_text("This browser plays as 0x")
    await page.goto(f"{arena.url}/game/{game}")
    await second.my_turn("white")
    await play_line(second, "d2d4")
    await expect(first.moves).to_have_count(4)
    assert (first.faults, second.faults) == ([], [])
    await first.close()
    await second.close()


async def test_a_key_is_not_replaced_without_a_word(arena: FakeArena, hand: Hand) -> None:
    await hand.start(arena.url, "first", "white")
    stored = "localStorage.getItem('checkproof.key')"
    before = await hand.page.evaluate(stored)
    other = await hand.page.evaluate(
        "import('/web/js/keys.js').then(async ({keyLine}) =>"
        " keyLine((await import('/web/js/signing.js')).Key.random()))"
    )
    await hand.page.get_by_test_id("settings").click()
    await hand.page.get_by_test_id("keys").click()
    await hand.page.get_by_test_id("key-text").fill(other)
    told = hand.page.get_by_test_id("key-told")
    await hand.page.get_by_test_id("key-import").click()
    await expect(told).to_contain_text("This replaces the key")
    assert await hand.page.evaluate(stored) == before
    await hand.page.get_by_test_id("key-import").click()
    await expect(told).to_contain_text("This browser plays as")
    assert await hand.page.evaluate(stored) != before


async def test_a_wallet_opens_and_a_key_of_the_game_plays(
    arena: FakeArena, browser: Browser
) -> None:
    wallet = FakeWallet()
    hand = await with_wallet(browser, wallet)
    await choose_wallet(hand, arena)
    game = await hand.start(arena.url, "first", "white")
    await play_line(hand, "e2e4", "d2d4")
    await expect(hand.moves).to_have_count(4)
    session = arena.hosts.game(bytes.fromhex(game[2:])).session
    opened = session.terms.open
    assert opened.opener.lower() == wallet.address.lower()
    assert session.players[0].lower() != wallet.address.lower()
    assert wallet.asked.count("eth_signTypedData_v4") == 1, "moves do not ask the wallet"
    await hand.page.reload()  # the key of the game is kept
    await hand.my_turn("white")
    await hand.page.goto(arena.url)
    await hand.page.get_by_test_id("resume").first.click()
    await hand.my_turn("white")
    assert hand.faults == []
    await hand.close()


@pytest.mark.parametrize(
    ("declines", "chain", "words"),
    [
        (True, DOMAIN.chain_id, "You declined in Test wallet."),
        (False, 1, "Test wallet is on chain 1, this arena on chain 31337."),
    ],
)
async def test_a_wallet_that_does_not_sign_is_one_clear_line(
    arena: FakeArena, browser: Browser, declines: bool, chain: int, words: str
) -> None:
    wallet = FakeWallet()
    wallet.declines, wallet.chain = declines, chain
    hand = await with_wallet(browser, wallet)
    await choose_wallet(hand, arena)
    await hand.page.get_by_test_id("start-white").first.click()
    await expect(hand.page.get_by_test_id("error")).to_contain_text(words)
    assert hand.faults == []
    await hand.close()
