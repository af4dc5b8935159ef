"""What an operator does to a server that plays: stop it, back it up, restore it, ask how it is."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from proofs.chain import Chain
from proofs.deploy import read_deployment
from proofs.node import Anvil
from server.app import FINISHING
from server.bench.host import Host, wait_gone
from server.client import Client
from server.config import processors
from server.errors import CommandRefused
from tests.proofs.keys_fixture import dev_store
from tests.server.test_real_arena import RealPlayer

PROOF_SECONDS = 120


async def checkproof(*words: str | Path) -> tuple[int, str, str]:
    """Run a command; its status, stdout and stderr."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("CHECKPROOF_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "server", *map(str, words)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**clean, "NO_COLOR": "1"},
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def fresh(folder: Path, *options: str, **environment: str) -> Host:
    """A server-to-be on a new folder with pawn's key."""
    keys = dev_store()[0].root
    return await Host.fresh(folder, keys=keys, options=options, environment=environment)


async def begin(url: str) -> tuple[RealPlayer, str, Client]:
    player = await RealPlayer.at(url)
    game = await player.open(url)
    client = await Client.connect(url, game=game)
    await client.wait_until(lambda: client.snapshot is not None)
    return player, game, client


async def until_closed(client: Client) -> None:
    with pytest.raises(ConnectionError):
        await client.wait_until(lambda: False, seconds=PROOF_SECONDS)


async def first_refusal(player: RealPlayer, url: str) -> str:
    """The code with which a game is refused, once what makes it be refused has got there."""
    while True:
        try:
            await player.open(url, nonce=time.monotonic_ns())
        except CommandRefused as refused:
            return refused.code


async def plies_on_chain(data: Path, game: str) -> int:
    """How many plies the saved chain of a folder holds; nobody may be serving it."""
    async with Anvil(data / "chain") as node:
        chain = await Chain.connect(node.url, None, read_deployment(data))
        try:
            return (await chain.game(bytes.fromhex(game[2:]))).ply
        finally:
            await chain.close()


async def ask(url: str, read: Callable[[aiohttp.ClientResponse], Any]) -> Any:
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        return await read(response)


async def health_with_all_provers(url: str) -> dict[str, Any]:
    """One prover is enough for a move; the others may still be on their way."""
    async with asyncio.timeout(60):
        while True:
            health: dict[str, Any] = await ask(f"{url}/healthz", lambda r: r.json())
            if health["prover"]["workers"] == processors():
                return health
            await asyncio.sleep(0.05)


async def test_ctrl_c_while_a_proof_runs_lets_its_move_land(tmp_path: Path) -> None:
    """As a terminal sends it: to every process of the group."""
    async with await fresh(tmp_path, "--log", "json") as host:
        player, game, client = await begin(host.url)
        await player.move(client, "e2e4")
        await client.wait_stage(1, "proving", seconds=PROOF_SECONDS)
        family = set(host.family())
        os.killpg(host.pid, signal.SIGINT)
        await until_closed(client)
        assert [m.stage for m in client.moves] == ["verified", "verified"]
        assert await host.stop(0) == 0  # a signal that is none: only waits
        assert await wait_gone(family) == set()
        assert await plies_on_chain(host.data, game) == 2
        lines = [json.loads(line) for line in host.log.read_text().splitlines()]
    verified = [line for line in lines if line["event"] == "verified"]
    assert [(line["game"], line["ply"]) for line in verified] == [(game, 0), (game, 1)]
    assert all(line["tx"] and line["level"] == "info" for line in verified)
    said = [line["event"] for line in lines]
    assert said.index(FINISHING) < len(said) - 1 - said[::-1].index("verified")


async def test_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    async with await fresh(tmp_path, CHECKPROOF_DRAIN_SECONDS="300") as host:
        player, _, client = await begin(host.url)
        await player.move(client, "e2e4")
        await client.wait_stage(1, "proving", seconds=PROOF_SECONDS)
        for worker in host.workers():
            os.kill(worker, signal.SIGSTOP)  # its proof will never be there
        await client.wait_stage(0, "verified")
        os.kill(host.pid, signal.SIGTERM)
        assert await first_refusal(player, host.url) == "closing"
        assert host.alive
        assert await host.stop(signal.SIGTERM, seconds=120) == 0  # of the 300 that it would drain
        assert "stopping at once" in host.log.read_text()


async def test_a_backup_of_a_served_folder_goes_on_elsewhere(tmp_path: Path) -> None:
    file, there = tmp_path / "backup.tar", tmp_path / "elsewhere" / "data"
    async with await fresh(tmp_path / "here") as host:
        player, game, client = await begin(host.url)
        await player.move(client, "e2e4")
        await client.wait_stage(1, "verified", seconds=PROOF_SECONDS)
        await player.move(client, "d2d4")  # its answer is still owed when the backup is made
        status, out, err = await checkproof("backup", file, "--data", host.data, "--json")
        assert (status, err) == (0, "")
        assert json.loads(out)["path"] == str(file)
        status, _, err = await checkproof("restore", file, "--data", host.data)
        assert (status, "another checkproof server" in err) == (1, True)
        await client.close()
    status, out, err = await checkproof("restore", file, "--data", there)
    assert (status, err, out.startswith("restored: ")) == (0, "", True)
    async with Host(there) as restored:
        async with await Client.connect(restored.url, game=game) as client:
            await client.wait_stage(3, "verified", seconds=PROOF_SECONDS)
            assert [m.uci for m in client.moves][::2] == ["e2e4", "d2d4"]
            await player.move(client, "g1f3")
            await client.wait_stage(5, "verified", seconds=PROOF_SECONDS)
        status, out, err = await checkproof("audit", game, "--data", there)
        assert status == 0, out + err


async def test_how_it_is_and_what_it_spent_can_be_asked(tmp_path: Path) -> None:
    async with await fresh(tmp_path) as host:
        player, _, client = await begin(host.url)
        await player.move(client, "e2e4")
        await client.wait_stage(1, "verified", seconds=PROOF_SECONDS)
        health = await health_with_all_provers(host.url)
        assert (health["status"], health["what"]) == ("ok", None)
        assert health["chain"]["block"] >= 3
        text = await ask(f"{host.url}/metrics", lambda r: r.text())
        values = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[:1] != "#")
        assert float(values['checkproof_stages_total{by="bot",stage="verified"}']) == 1
        moves = [m.gas or 0 for m in client.moves]
        assert float(values["checkproof_gas_total"]) > sum(moves) > 0
        assert float(values['checkproof_transactions_total{outcome="landed"}']) >= 5
        today = json.loads((host.data / "spent.json").read_text())["gas"]
        assert today == float(values["checkproof_gas_today"])
        await client.close()


async def test_a_spent_budget_takes_no_new_games_and_lets_old_ones_go_on(tmp_path: Path) -> None:
    folder = await fresh(tmp_path)
    async with folder as host:
        player, game, client = await begin(host.url)
        await client.close()
        await host.stop()
    async with Host(host.data, environment={"CHECKPROOF_GAS_PER_DAY": "1"}) as again:
        assert await first_refusal(player, again.url) == "over_budget"
        async with await Client.connect(again.url, game=game) as client:
            await client.wait_until(lambda: client.snapshot is not None)
            await player.move(client, "e2e4")
            await client.wait_stage(1, "verified", seconds=PROOF_SECONDS)
        health = await ask(f"{again.url}/healthz", lambda r: r.json())
        assert health["status"] == "ok"


async def test_a_store_made_anew_from_the_logs_goes_on(tmp_path: Path) -> None:
    async with await fresh(tmp_path) as host:
        player, game, client = await begin(host.url)
        await player.move(client, "e2e4")
        await client.wait_stage(1, "verified", seconds=PROOF_SECONDS)
        await client.close()
        await host.stop()
    (host.data / "arena.db").write_bytes(b"no database at all" * 100)
    status, _, err = await checkproof("serve", "--data", host.data)
    assert status == 1
    assert "--rebuild" in err.splitlines()[-1]
    async with (
        Host(host.data, options=("--rebuild",)) as again,
        await Client.connect(again.url, game=game) as client,
    ):
        await client.wait_until(lambda: client.snapshot is not None)
        await player.move(client, "d2d4")
        await client.wait_stage(3, "verified", seconds=PROOF_SECONDS)
        assert [m.stage for m in client.moves] == ["verified"] * 4
