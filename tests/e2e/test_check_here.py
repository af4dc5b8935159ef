"""Two bots play for who looks on; a real proof of theirs is checked in Chromium, from a real chain,
and one that an endpoint lies about.

CHECKPROOF_SHOTS=1 pytest tests/e2e/test_check_here.py      renews the pictures in docs/img
"""

import json
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, expect

from proofs.abi import load_artifact
from tests.proofs.keys_fixture import dev_store
from tests.server.processes import server_process
from tests.web.axe import serious
from tests.web.browser import Hand, Scheme, chromium

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]

PATIENCE: Final = 120_000.0
PICTURES: Final = Path(__file__).parents[2] / "docs" / "img"
WIDTHS: Final[tuple[tuple[int, Scheme], ...]] = ((360, "dark"), (820, "light"), (1280, "light"))
BOT_MOVED: Final = "0x" + load_artifact("Arena").topic("BotMoved").removeprefix("0x")
PROOF_AT: Final = 8 * 32  # after the words of the event, the offset and the length among them


@dataclass(frozen=True)
class Played:
    """A game of two bots, a move of which at least is on the chain."""

    url: str
    game: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Played]:
    store, record = dev_store()
    data = tmp_path_factory.mktemp("data")
    shutil.copytree(
        store.root / record.key_hash, data / "keys" / record.key_hash, copy_function=os.link
    )
    async with server_process(data, exhibition=True) as server:
        await server.ready()
        async with chromium() as browser:
            looker = await _page(browser)
            await looker.page.goto(f"{server.url}/tv")
            mark = looker.page.locator("[data-testid=mark][data-stage=verified]")
            await mark.first.wait_for(timeout=PATIENCE)
            game = await looker.page.get_by_test_id("screen").get_attribute("data-game")
            assert game is not None
            yield Played(server.url, game)
            assert looker.faults == []
        assert await server.stop(signal.SIGINT) == 0


@pytest_asyncio.fixture(loop_scope="module")
async def hand() -> AsyncIterator[Hand]:
    async with chromium() as browser:
        yield await _page(browser)


async def _page(browser: Browser) -> Hand:
    return await Hand.of(browser, width=1000)


async def endpoint_of(url: str) -> str:
    async with aiohttp.ClientSession() as http, http.get(f"{url}/api/config") as response:
        offered = (await response.json())["rpcUrl"]
    assert isinstance(offered, str)
    return offered


@asynccontextmanager
async def liar(endpoint: str, page: str) -> AsyncIterator[str]:
    """An endpoint that changes one bit of each proof that it tells of."""

    async def answer(request: web.Request) -> web.Response:
        headers = {"Access-Control-Allow-Origin": page, "Access-Control-Allow-Headers": "*"}
        if request.method == "OPTIONS":
            return web.Response(headers=headers)
        asked = await request.json()
        async with aiohttp.ClientSession() as http, http.post(endpoint, json=asked) as response:
            told = await response.json()
        if asked["method"] == "eth_getLogs":
            told["result"] = [_forged(log) for log in told["result"]]
        return web.json_response(told, headers=headers)

    app = web.Application()
    app.router.add_route("*", "/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


def _forged(log: dict[str, Any]) -> dict[str, Any]:
    if log["topics"][0] != BOT_MOVED:
        return log
    data = bytearray.fromhex(log["data"][2:])
    data[PROOF_AT + 31] ^= 1  # the last byte of A's x
    return {**log, "data": "0x" + data.hex()}


async def open_drawer(hand: Hand, played: Played) -> None:
    await hand.page.goto(f"{played.url}/replay/{played.game}")
    await hand.page.locator("[data-testid=mark][data-stage=verified]").first.click()


async def test_a_proof_is_verified_in_the_browser(played: Played, hand: Hand) -> None:
    loaded: list[str] = []
    hand.page.on("request", lambda request: loaded.append(request.url))
    await open_drawer(hand, played)
    await expect(hand.page.get_by_test_id("endpoint")).to_have_value(await endpoint_of(played.url))
    assert not [url for url in loaded if "noble-curves" in url or "verify_worker" in url]

    await hand.page.get_by_test_id("check").click()
    verdict = hand.page.get_by_test_id("verdict")
    await expect(verdict).to_have_attribute("data-result", "verified", timeout=PATIENCE)
    await expect(verdict).to_contain_text("verified in this browser")
    steps = hand.page.get_by_test_id("check-steps").locator("li")
    await expect(steps).to_have_count(7)
    await expect(steps.locator("visible=true")).to_have_count(7)
    await expect(hand.page.get_by_test_id("check-steps").locator("[data-ok=false]")).to_have_count(
        0
    )
    assert hand.faults == []


async def test_a_forged_proof_is_shown_as_such(played: Played, hand: Hand) -> None:
    async with liar(await endpoint_of(played.url), played.url) as endpoint:
        await open_drawer(hand, played)
        await hand.page.get_by_test_id("endpoint").fill(endpoint)
        await hand.page.get_by_test_id("check").click()
        verdict = hand.page.get_by_test_id("verdict")
        await expect(verdict).to_have_attribute("data-result", "forged", timeout=PATIENCE)
        await expect(verdict).to_contain_text("Not proven")
    assert hand.faults == []


async def test_the_page_itself_may_not_ask_foreign_addresses(played: Played, hand: Hand) -> None:
    await hand.page.goto(f"{played.url}/replay/{played.game}")
    endpoint = json.dumps(await endpoint_of(played.url))
    refused = await hand.page.evaluate(
        f"fetch({endpoint}, {{method: 'POST', body: '{{}}'}}).then(() => 'asked', () => 'refused')"
    )
    assert refused == "refused"
    await hand.complains("Content Security Policy")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where the pictures of the docs go; elsewhere, unless they are asked for."""
    if os.environ.get("CHECKPROOF_SHOTS") != "1":
        return tmp_path
    PICTURES.mkdir(exist_ok=True)
    return PICTURES


@pytest.mark.parametrize(("width", "scheme"), WIDTHS)
async def test_each_page_fits_and_keeps_nobody_out(
    played: Played, pictures: Path, width: int, scheme: Scheme
) -> None:
    async with chromium() as browser:
        hand = await Hand.of(browser, width=width, height=800, scheme=scheme)
        for name, path, shown in (
            ("lobby", "/", "game"),
            ("tv", "/tv", "screen"),
            ("replay", f"/replay/{played.game}", "screen"),
        ):
            await hand.page.goto(played.url + path)
            await hand.page.get_by_test_id(shown).first.wait_for()
            await hand.page.screenshot(path=pictures / f"{name}-{width}.png")
            assert await serious(hand.page) == []
            assert await hand.page.evaluate("document.documentElement.scrollWidth") <= width
        await hand.page.locator("[data-testid=mark][data-stage=verified]").first.click()
        await hand.page.get_by_test_id("check").click()
        verdict = hand.page.get_by_test_id("verdict")
        await expect(verdict).to_have_attribute("data-result", "verified", timeout=PATIENCE)
        await verdict.scroll_into_view_if_needed()
        await hand.page.screenshot(path=pictures / f"proof-{width}.png")
        assert await serious(hand.page) == []
        assert hand.faults == []
        await hand.close()
