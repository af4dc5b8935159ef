"""Games from a FEN and games taken back, on a real server: proven, verified on chain, audited."""

import asyncio
import shutil
import subprocess
from dataclasses import dataclass

import pytest

from proofs.signing import Abort
from server.client import Client
from server.messages import EndData
from tests.e2e.test_verified_game import checkproof
from tests.proofs.keys_fixture import dev_store
from tests.server.processes import server_process
from tests.server.test_real_arena import RealPlayer

pytestmark = pytest.mark.timeout(600)  # the first of the tests waits for both games

MATE_IN_TWO_PLIES = "7k/8/5K2/6Q1/8/8/8/8 b - - 7 40"
"""The bot has Black, moves first, and has one move: Kh7."""


@dataclass(frozen=True)
class Ended:
    """A finished game and the audit of it."""

    end: EndData
    stages: list[tuple[int, str, str]]
    audit: subprocess.CompletedProcess[str]


async def mate(url: str, player: RealPlayer) -> tuple[str, EndData, list[tuple[int, str, str]]]:
    async with await Client.connect(url) as lobby:
        game = await lobby.new_game(player.bot, player.key, player.domain, fen=MATE_IN_TWO_PLIES)
    async with await Client.connect(url, game=game) as client:
        await client.ready()
        await client.wait_ply(1)
        await player.move(client, "g5g7")
        end = await client.wait_end(seconds=240)
        return game, end, [(move.ply, move.by, move.stage) for move in client.moves]


async def abort(url: str, player: RealPlayer) -> tuple[str, EndData, list[tuple[int, str, str]]]:
    """The bot's move is being proven when its game is taken back."""
    async with await Client.connect(url) as lobby:
        game = await lobby.new_game(player.bot, player.key, player.domain, is_white=False)
    async with await Client.connect(url, game=game) as client:
        await client.ready()
        await client.wait_ply(0)
        await client.abort(Abort(bytes.fromhex(game[2:])).sign(player.domain, player.key))
        end = await client.wait_end(seconds=240)
        return game, end, [(move.ply, move.by, move.stage) for move in client.moves]


@pytest.fixture(scope="module")
def games(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    data = tmp_path_factory.mktemp("data")
    store, record = dev_store()
    shutil.copytree(store.root / record.key_hash, data / "keys" / record.key_hash)

    async def host() -> dict[str, Ended]:
        async with server_process(data) as server:
            await server.ready()
            player = await RealPlayer.at(server.url)
            found = {}
            for play in (mate, abort):
                game, end, stages = await play(server.url, player)
                audit = await asyncio.to_thread(checkproof, "audit", game, data=data)
                found[play.__name__] = Ended(end, stages, audit)
            return found

    return asyncio.run(host())


@pytest.mark.parametrize("name", ["mate", "abort"])
def test_the_audit_passes(games: dict[str, Ended], name: str) -> None:
    audit = games[name].audit
    assert audit.returncode == 0, audit.stdout + audit.stderr


def test_the_bot_moved_first_and_was_mated(games: dict[str, Ended]) -> None:
    mated = games["mate"]
    assert (mated.end.result, mated.end.reason) == ("1-0", "checkmate")
    assert mated.stages == [(1, "bot", "verified"), (2, "player", "verified")]


def test_nobody_won_the_game_that_was_taken_back(games: dict[str, Ended]) -> None:
    aborted = games["abort"]
    assert (aborted.end.result, aborted.end.reason) == ("*", "aborted")
    assert len(aborted.stages) <= 1
