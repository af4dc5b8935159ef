"""A game outlives the server that began it: strangers prove, and the player moves by himself."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from coincurve import PrivateKey

from proofs.chain import Chain
from proofs.deploy import read_deployment
from proofs.node import Anvil
from proofs.sender import LOCAL_KEY
from server.bench.host import Host
from server.client import Client
from tests.command import Ran, run
from tests.proofs.chain_scene import PLAYER, Scene, opening, scene
from tests.proofs.keys_fixture import dev_store
from tests.server.test_real_arena import RealPlayer

ROOT = Path(__file__).parents[2]
STRANGERS = (
    "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
)
"""Two further accounts of a local chain."""
LANDING_SECONDS = 120


async def command(*words: str | Path) -> Ran:
    return await asyncio.to_thread(run, *words, CHECKPROOF_KEY=LOCAL_KEY)


@asynccontextmanager
async def stranger(
    key: str, data: Path, *words: str | Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """`checkproof prove` by somebody with an account and a data folder of his own."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("CHECKPROOF_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", "prove", *map(str, words), "--data", str(data)),
        stdout=asyncio.subprocess.PIPE,
        env={**clean, "CHECKPROOF_KEY": key},
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
            await process.wait()


def keep(key: PrivateKey, file: Path) -> None:
    file.write_text(key.secret.hex())


async def reached(chain: Chain, game: bytes, ply: int) -> None:
    async with asyncio.timeout(LANDING_SECONDS):
        while (await chain.game(game)).ply < ply:  # noqa: ASYNC110 the chain tells nobody
            await asyncio.sleep(0.1)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    keep(PLAYER, path)
    return path


@pytest.mark.timeout(900)
async def test_two_strangers_finish_a_game_whose_server_died(
    tmp_path: Path, key_file: Path
) -> None:
    store, _ = dev_store("pawn")
    folders = [tmp_path / f"stranger{k}" for k in range(2)]
    for folder in folders:
        folder.mkdir()
        (folder / "keys").symlink_to(store.root)
    async with Anvil(tmp_path / "chain") as node:
        host = await Host.fresh(
            tmp_path,
            keys=store.root,
            options=("--rpc", node.url),
            environment={"CHECKPROOF_KEY": LOCAL_KEY},
        )
        async with host:
            game, player = await begun(host.url)
            await host.kill()
        keep(player, key_file)
        known = read_deployment(host.data)
        assert known is not None
        chain = (await Chain.connect(node.url)).at(known)
        where = ("--rpc", node.url, "--arena", known.arena)
        proving = ("--game", game, "--watch", *where)
        id_ = bytes.fromhex(game[2:])
        async with (
            stranger(STRANGERS[0], folders[0], *proving) as one,
            stranger(STRANGERS[1], folders[1], *proving) as other,
        ):
            for ply, move in ((2, "d2d4"), (4, "Nf3")):
                await reached(chain, id_, ply)
                played = await command("move", game, move, "--key", key_file, *where)
                assert played.code == 0 or "StalePly" in played.err, played.err
            await reached(chain, id_, 6)
            ended = await command("move", game, "resign", "--key", key_file, *where)
            assert ended.code == 0, ended.err
            said = [(await process.communicate())[0].decode() for process in (one, other)]
            assert (one.returncode, other.returncode) == (0, 0)
        brought = [int(re.match(r"\d+", text)[0]) for text in said]  # type: ignore[index]
        assert sum(brought) == 2
        await chain.close()
        audited = await command("audit", game, *where, "--json")
        assert audited.code == 0, audited.err


async def begun(url: str) -> tuple[str, PrivateKey]:
    """A game of a player with White, whose first move was answered and verified."""
    player = await RealPlayer.at(url)
    game = await player.open(url)
    async with await Client.connect(url, game=game) as socket:
        await socket.ready()
        await player.move(socket, "e2e4")
        assert await socket.wait_verified(1, seconds=LANDING_SECONDS)
    return game, player.key


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as made:
        yield made


async def test_a_move_that_a_server_withheld_still_counts(
    ground: Scene, key_file: Path, tmp_path: Path
) -> None:
    live = await ground.open(opening(ground.yes, base_seconds=60))
    addresses = ground.chain.addresses
    where = ("--rpc", ground.node.url, "--arena", addresses.arena)
    await ground.sleep(100)
    await ground.chain.claim_timeout(live.id)
    assert (await ground.chain.game(live.id)).grace_until > 0
    ran = await command("move", "0x" + live.id.hex(), "e4", "--key", key_file, *where)
    assert ran.code == 0, ran.err
    state = await ground.chain.game(live.id)
    assert (state.ply, state.grace_until, state.result) == (1, 0, 0)
