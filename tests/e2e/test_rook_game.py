"""A game against rook by clicking in Chromium: ONNX, ezkl, contract, and the audit of all of it."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiohttp
import chess
import pytest
import pytest_asyncio
from playwright.async_api import expect

from proofs.bundle import read_bundle
from proofs.chain import Chain
from proofs.deploy import read_deployment
from proofs.ezkl_build import Manifest
from proofs.node import running_node
from tests.proofs.ezkl_fixture import rook_folder
from tests.proofs.keys_fixture import dev_store
from tests.server.processes import server_process
from tests.server.test_onnx_bots import lay
from tests.web.browser import Hand, chromium

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
MOVES = ("e2e4", "g1f3", "d2d4", "b1c3", "f1e2", "e1g1", "a2a3", "h2h3")
BOT_MOVES = 4
SECONDS = 300


@dataclass(frozen=True)
class Arena:
    url: str
    data: Path

    async def bot(self, name: str) -> dict[str, Any]:
        """What the lobby says of a bot that plays, once it does."""
        async with aiohttp.ClientSession(self.url) as http, asyncio.timeout(SECONDS):
            while True:
                async with http.get("/api/config") as response:
                    bots: list[dict[str, Any]] = (await response.json())["bots"]
                for bot in bots:
                    if bot["name"] == name and bot["ready"]:
                        return bot
                await asyncio.sleep(0.5)


@dataclass(frozen=True)
class Audited:
    """What an audit said, the game that it saved, its bundle, and what it made anew."""

    ran: subprocess.CompletedProcess[str]
    saved: Path
    bundle: Path
    cache: Path


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def arena(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Arena]:
    """An arena with pawn's key and rook's files, of which its chain knows nothing yet."""
    store, record = dev_store()
    data = tmp_path_factory.mktemp("data")
    shutil.copytree(store.root / record.key_hash, data / "keys" / record.key_hash)
    lay(rook_folder(), data / "ezkl")
    async with server_process(data, bots="pawn,rook") as server:
        await server.ready()
        yield Arena(server.url, data)
        assert await server.stop(signal.SIGINT) == 0


def audit(*words: str, data: Path, cache: Path) -> subprocess.CompletedProcess[str]:
    environment = {"CHECKPROOF_DATA": str(data), "NO_COLOR": "1", "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-m", "server", "audit", *words],
        cwd=ROOT,
        env=os.environ | environment | {"XDG_CACHE_HOME": str(cache)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def game(arena: Arena) -> str:
    """A game by clicking, of four moves by rook, each verified on chain, and then resigned."""
    await arena.bot("rook")
    async with chromium() as browser:
        hand = await Hand.of(browser)
        game = await hand.start(arena.url, "rook", "white")
        board = await hand.my_turn("white", within=SECONDS)
        while board.ply() < 2 * BOT_MOVES:
            moves = filter(board.is_legal, map(chess.Move.from_uci, MOVES))
            await hand.play(next(moves))
            board = await hand.my_turn("white", within=SECONDS)
        for ply in range(board.ply()):
            move = hand.move(ply)
            await expect(move).to_have_attribute("data-stage", "verified", timeout=SECONDS * 1000)
        await expect(hand.page.get_by_test_id("trust")).to_contain_text("Development setup")
        await hand.page.get_by_test_id("resign").click()
        await hand.page.get_by_test_id("confirm-yes").click()
        await expect(hand.page.get_by_test_id("status")).to_have_text(
            "You lose · 0-1", timeout=60_000
        )
        assert hand.faults == []
        await hand.close()
    return game


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def audited(arena: Arena, game: str, tmp_path_factory: pytest.TempPathFactory) -> Audited:
    cache, folder = tmp_path_factory.mktemp("cache"), tmp_path_factory.mktemp("written")
    saved, bundle = folder / "game.json", folder / "game.bundle"
    words = (game, "--save", str(saved), "--bundle", str(bundle))
    ran = await asyncio.to_thread(audit, *words, data=arena.data, cache=cache)
    return Audited(ran, saved, bundle, cache)


async def test_every_move_is_verified_on_chain(arena: Arena, game: str) -> None:
    rpc = running_node(arena.data / "chain")
    assert rpc is not None
    chain = await Chain.connect(rpc, addresses=read_deployment(arena.data))
    try:
        state = await chain.game(bytes.fromhex(game[2:]))
        names = [log.name for log in await chain.logs(bytes.fromhex(game[2:]))]
    finally:
        await chain.close()
    assert (state.ply, state.result) == (2 * BOT_MOVES, 2)
    assert names.count("BotMoved") == BOT_MOVES


async def test_its_proof_is_checked_from_the_browser(arena: Arena, game: str) -> None:
    async with chromium() as browser:
        hand = await Hand.of(browser)
        await hand.page.goto(f"{arena.url}/replay/{game}")
        await hand.page.get_by_test_id("mark").nth(1).click()
        await hand.page.get_by_test_id("check").click()
        verdict = hand.page.get_by_test_id("verdict")
        await expect(verdict).to_have_attribute("data-result", "verified", timeout=60_000)
        await expect(verdict).to_contain_text("The registered verifier accepts this proof")
        assert hand.faults == []
        await hand.close()


async def test_the_lobby_tells_what_its_moves_cost(arena: Arena, game: str) -> None:
    bot = await arena.bot("rook")
    assert bot["proofSystem"] == "ezkl"
    assert bot["proveSeconds"] > 0
    assert 0 < bot["gas"] < 1_250_000
    assert bot["trust"].startswith("Development setup: whoever made it could forge.")
    pawn = await arena.bot("pawn")
    assert (pawn["proofSystem"], pawn["gas"]) == ("groth16", None)


async def test_the_audit_makes_the_key_anew_and_verifies_every_proof(audited: Audited) -> None:
    ran = audited.ran
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "verifying key recomputed from the net's file" in ran.stdout
    assert f"{BOT_MOVES} proofs hold" in ran.stdout
    assert "DEV SETUP" in ran.stdout


async def test_the_bundle_is_audited_without_chain_server_or_data(
    audited: Audited, tmp_path: Path
) -> None:
    """With the bot's files that the first audit made, so that they are not made once more."""
    (setup,) = read_bundle(audited.bundle).setups.values()
    assert sha256(setup).hexdigest() == Manifest.read(rook_folder()).srs_hash
    words = ("--from-bundle", str(audited.bundle), "--json")
    ran = await asyncio.to_thread(audit, *words, data=tmp_path, cache=audited.cache)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (told,) = json.loads(ran.stdout)["games"]
    assert (told["verdict"], told["undecided"]) == ("verified", [])
    assert told["black"]["recomputed"] == "verifying key recomputed from the net's file"
    assert [move["checks"]["proof"] for move in told["moves"][1::2]] == ["ok"] * BOT_MOVES
    (bot,) = (part for part in told["parts"] if part["subject"].startswith("bot "))
    names = ("net", "circuit", "key", "verifier")
    assert [bot["checks"].get(name) for name in names] == ["ok"] * 4


async def test_an_altered_proof_is_found_in_a_saved_game(
    arena: Arena, audited: Audited, tmp_path: Path
) -> None:
    content = json.loads(audited.saved.read_text())
    event = [e for e in content["events"] if e["event"] == "BotMoved"][1]
    proof = bytearray.fromhex(event["args"]["proof"][2:])
    proof[-40] ^= 1
    event["args"]["proof"] = "0x" + proof.hex()
    (tmp_path / "game.json").write_text(json.dumps(content))
    words = ("--file", str(tmp_path / "game.json"))
    ran = await asyncio.to_thread(audit, *words, data=arena.data, cache=audited.cache)
    assert ran.returncode == 3, ran.stdout + ran.stderr
    assert "ply 3: proof" in ran.stdout
