"""The drawer with a move's proof, in Chromium; a real check is in tests/e2e/test_check_here.py."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Browser, expect

from tests.web.axe import serious
from tests.web.browser import Hand
from tests.web.conftest import FakeArena
from tests.web.staged import Staged

pytestmark = pytest.mark.asyncio(loop_scope="module")

ANSWERS = {
    "eth_chainId": "0x7a69",
    "eth_blockNumber": "0x1",
    "eth_getTransactionReceipt": {"blockNumber": "0x1"},
    "eth_getLogs": [],
}


Told = Callable[[str, list[Any]], Any]


@asynccontextmanager
async def endpoint(page: str, told: Told) -> AsyncIterator[str]:
    """A chain's endpoint that pages of the arena may ask; `told(method, params)` is its answer."""

    async def answer(request: web.Request) -> web.Response:
        headers = {"Access-Control-Allow-Origin": page, "Access-Control-Allow-Headers": "*"}
        if request.method == "OPTIONS":
            return web.Response(headers=headers)
        asked = await request.json()
        result = told(asked["method"], asked["params"])
        return web.json_response({"id": asked["id"], "result": result}, headers=headers)

    app = web.Application()
    app.router.add_route("*", "/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


def saying(answers: dict[str, Any]) -> Told:
    return lambda method, _: answers.get(method)


async def open_drawer(arena: FakeArena, hand: Hand) -> Staged:
    game = Staged(arena.hosts)
    await game.play("e4")
    await hand.page.goto(f"{arena.url}/replay/{game.id}")
    await hand.page.get_by_test_id("mark").first.click()
    await expect(hand.page.get_by_test_id("proof")).to_be_visible()
    return game


async def test_the_drawer_says_what_is_proven_and_what_it_cost(
    arena: FakeArena, hand: Hand
) -> None:
    await open_drawer(arena, hand)
    page = hand.page
    await expect(page.get_by_role("heading", name="1… Na6")).to_be_focused()
    words = page.get_by_test_id("proof-words")
    await expect(words).to_contain_text("first plays Na6, one of 20 legal moves")
    facts = page.get_by_test_id("proof-facts")
    for text in ("verified", "1.5 s", "50,000", "Groth16 on BN254", "0x3333…3333", "0x2222…2222"):
        await expect(facts).to_contain_text(text)
    await expect(page.get_by_test_id("proof-trust")).to_contain_text("could forge")
    await page.get_by_text("Public inputs", exact=True).click()
    await expect(page.get_by_test_id("proof-inputs")).to_contain_text("Move index")
    await page.get_by_text("Proof bytes", exact=True).click()
    await expect(page.get_by_test_id("proof-bytes")).to_contain_text("bytes")
    assert await serious(page) == []
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("proof")).to_be_hidden()
    await expect(page.get_by_test_id("mark").first).to_be_focused()


async def test_the_drawer_follows_a_proof_through_its_stages(arena: FakeArena, hand: Hand) -> None:
    arena.prover.is_held = True
    game = Staged(arena.hosts)
    playing = asyncio.create_task(game.play("e4"))
    await hand.page.goto(f"{arena.url}/tv")
    await hand.page.get_by_test_id("mark").click()
    stage, check = hand.page.get_by_test_id("proof-stage"), hand.page.get_by_test_id("check")
    await expect(stage).to_have_text("queued")
    await expect(check).to_be_disabled()
    copying = hand.page.get_by_test_id("proof-facts").get_by_role("button").first
    await copying.focus()
    [job] = arena.prover.jobs
    arena.prover.start(job)
    await expect(stage).to_have_text("proving")
    arena.prover.finish(job)
    await expect(stage).to_have_text("verified ✓")
    held = hand.page.locator("[data-testid=proof-facts] button:focus")
    await expect(held).to_have_text("0x3333…3333")  # others have come before it meanwhile
    await expect(check).to_be_enabled()
    await playing
    await hand.page.keyboard.press("Escape")
    await expect(hand.page.get_by_test_id("mark")).to_be_focused()  # it is still the same one


async def test_an_endpoint_that_does_not_answer_decides_nothing(
    arena: FakeArena, browser: Browser
) -> None:
    hand = await Hand.of(browser)
    await open_drawer(arena, hand)
    await hand.page.get_by_test_id("endpoint").fill("http://127.0.0.1:9/")
    await hand.page.get_by_test_id("check").click()
    verdict = hand.page.get_by_test_id("verdict")
    await expect(verdict).to_have_attribute("data-result", "undecided")
    await expect(verdict).to_contain_text("does not answer")
    await hand.close()


@pytest.mark.parametrize(
    ("answers", "line"),
    [
        (ANSWERS, "knows no opening of this game"),
        ({**ANSWERS, "eth_getTransactionReceipt": None}, "does not know the transaction"),
        ({**ANSWERS, "eth_chainId": "0x1"}, "on chain 1, the game on chain 31337"),
        ({}, "no sensible answer"),
    ],
)
async def test_a_chain_without_the_game_decides_nothing(
    arena: FakeArena, hand: Hand, answers: dict[str, Any], line: str
) -> None:
    await open_drawer(arena, hand)
    async with endpoint(arena.url, saying(answers)) as url:
        await hand.page.get_by_test_id("endpoint").fill(url)
        await hand.page.get_by_test_id("check").click()
        verdict = hand.page.get_by_test_id("verdict")
        await expect(verdict).to_have_attribute("data-result", "undecided")
        await expect(verdict).to_contain_text(line)


async def test_an_endpoint_is_named_and_remembered(arena: FakeArena, hand: Hand) -> None:
    game = await open_drawer(arena, hand)
    field, verdict = hand.page.get_by_test_id("endpoint"), hand.page.get_by_test_id("verdict")
    await expect(field).to_have_value("")
    await field.evaluate("field => field.type = 'text'")  # past the browser's own complaint
    await field.fill("file:///etc/passwd")
    await hand.page.get_by_test_id("check").click()
    await expect(verdict).to_contain_text("begins with https:// or http://")
    async with endpoint(arena.url, saying(ANSWERS)) as url:
        await field.fill(url)
        await hand.page.get_by_test_id("check").click()
        await expect(verdict).to_contain_text("no opening")
        await hand.page.goto(f"{arena.url}/replay/{game.id}#again")
        await hand.page.reload()
        await hand.page.get_by_test_id("mark").first.click()
        await expect(hand.page.get_by_test_id("endpoint")).to_have_value(url)


async def test_a_recorded_game_is_verified_and_a_changed_byte_is_found(
    arena: FakeArena, hand: Hand
) -> None:
    """The worker by itself: a real proof, from a chain as tests/web/make_recording.py saw it."""
    recording = json.loads((Path(__file__).parents[1] / "golden" / "check.json").read_text())
    await hand.page.goto(arena.url)
    for flip, result in ((False, "verified"), (True, "forged")):
        async with endpoint(arena.url, recorded(recording, flip=flip)) as url:
            verdict = await hand.page.evaluate(_CHECK, [url, recording])
            assert verdict["result"] == result, verdict["line"]


_CHECK = """
async ([endpoint, {domain, games: {house}}]) => {
  const {checkInWorker} = await import("/web/js/proof_check.js");
  const {game, openTx, plies} = house;
  const question = {endpoint, domain, game, ply: plies[1].ply, openTx, proof: null,
    system: "groth16"};
  return await checkInWorker(question, () => {}).done;
}
"""
_PROOF_AT = 2 + 2 * 8 * 32


def recorded(recording: dict[str, Any], *, flip: bool) -> Told:
    """The chain of a recording, a digit of the second bot move's proof changed if `flip`."""
    house = recording["games"]["house"]
    logs = [dict(log) for log in house["logs"]]
    if flip:
        data, at = logs[4]["data"], _PROOF_AT + 63
        logs[4]["data"] = data[:at] + ("1" if data[at] == "0" else "0") + data[at + 1 :]

    def told(method: str, params: list[Any]) -> Any:
        match method:
            case "eth_getLogs":
                return logs
            case "eth_getTransactionReceipt":
                return {"blockNumber": house["openBlock"]}
            case "eth_getCode":
                return recording["codes"][params[0]]
            case "eth_call":
                return recording["calls"][f"{params[0]['to']} {params[0]['data']}"]
            case "eth_blockNumber":
                return "0x400"
        return hex(recording["domain"]["chainId"])

    return told
