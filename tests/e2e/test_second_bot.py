"""A second house bot joins an arena that is open: its key is made, loaded, proves and verifies."""

import asyncio
import shutil
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from proofs.keys import KeyStore
from server.app import start
from server.client import Client
from server.config import Config
from server.house_bots import LOADING, MAKING, QUEUED, REGISTERING
from tests.engine.nets import random_net
from tests.proofs.keys_fixture import store_for
from tests.server.test_real_arena import RealPlayer
from tests.stand_in import renamed, shipped_nets

PATIENCE = 480.0
PROOF_SECONDS = 120.0


async def config_of(http: aiohttp.ClientSession) -> dict[str, Any]:
    async with http.get("/api/config") as response:
        found: dict[str, Any] = await response.json()
        return found


async def all_ready(http: aiohttp.ClientSession) -> dict[str, Any]:
    while True:
        told = await config_of(http)
        if all(bot["ready"] for bot in told["bots"]):
            return told
        await asyncio.sleep(0.1)


async def verified_reply(url: str, config: dict[str, Any], name: str) -> None:
    """Play one move against a bot and wait until its answer is verified on chain."""
    (bot,) = [bot for bot in config["bots"] if bot["name"] == name]
    player = RealPlayer(config, bytes.fromhex(bot["version"][2:]))
    game = await player.open(url)
    async with await Client.connect(url, game=game) as client:
        await client.ready()
        await player.move(client, "e2e4")
        await client.wait_stage(1, "verified", seconds=PROOF_SECONDS)


@pytest.mark.timeout(600)
async def test_a_second_bot_joins_and_its_moves_are_verified(tmp_path: Path) -> None:
    pawn = renamed(random_net(81, channels=(1,), magnitude=1), "pawn")
    queen = renamed(random_net(84, channels=(), magnitude=1), "queen")
    store, record = store_for(pawn)
    data = tmp_path / "data"
    shutil.copytree(store.root / record.key_hash, data / "keys" / record.key_hash)
    config = Config.of({}, data=data, port=0, bots=("pawn", "queen"), workers=2)
    async with AsyncExitStack() as stack, asyncio.timeout(PATIENCE):
        stack.enter_context(shipped_nets(tmp_path, pawn, queen))
        url = await start(config, stack)
        http = await stack.enter_async_context(aiohttp.ClientSession(url))
        told = await config_of(http)
        first, second = told["bots"]
        assert (first["name"], first["ready"]) == ("pawn", True)
        assert first["expectSeconds"] > 0
        assert (second["name"], second["ready"]) == ("queen", False)
        assert second["step"] in (QUEUED, MAKING, REGISTERING, LOADING)
        await verified_reply(url, told, "pawn")
        told = await all_ready(http)
        await verified_reply(url, told, "queen")
        told = await config_of(http)
        assert [bot["proveSeconds"] > 0 for bot in told["bots"]] == [True, True]
        assert [bot["gas"] > 0 for bot in told["bots"]] == [True, True]
    keys = KeyStore(data / "keys").records()
    assert {key.net for key in keys} == {"pawn", "queen"}
