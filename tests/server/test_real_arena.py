"""The whole server with real proofs and a real chain, in this process and in its own."""

import asyncio
import gc
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import chess
import pytest
import websockets
from coincurve import PrivateKey
from eth_utils.crypto import keccak
from websockets.exceptions import ConnectionClosed

from engine.policy_map import move_index
from proofs.signing import Domain, Move, Open, address_of, player_side
from server.app import start
from server.arena import Arena
from server.bench.host import children_of, command_of, wait_gone
from server.client import Client
from server.config import Config, hold_folder
from server.errors import DataFolderBusy
from server.exhibition import Exhibition
from server.messages import ProofEvent
from server.onnx_bots import OnnxBots
from tests.proofs.keys_fixture import dev_store
from tests.server.processes import ServerProcess, server_process

STALL_LIMIT = 0.1


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that has pawn's key already."""
    store, record = dev_store()
    folder = tmp_path_factory.mktemp("data")
    shutil.copytree(
        store.root / record.key_hash, folder / "keys" / record.key_hash, copy_function=os.link
    )
    return folder


class RealPlayer:
    """A key that plays at one arena, whichever that is."""

    def __init__(self, config: dict[str, object], bot: bytes) -> None:
        self.key = PrivateKey(keccak(b"somebody"))
        self.address = address_of(self.key)
        chain_id, arena = config["chainId"], config["arena"]
        assert isinstance(chain_id, int)
        assert isinstance(arena, str)
        self.domain = Domain(chain_id, arena)
        self.bot = bot

    @classmethod
    async def at(cls, url: str) -> "RealPlayer":
        async with aiohttp.ClientSession() as http, http.get(f"{url}/api/config") as response:
            config = await response.json()
        (bot,) = config["bots"]
        assert bot["name"] == "pawn"
        return cls(config, bytes.fromhex(bot["version"][2:]))

    async def open(self, url: str, *, nonce: int = 0) -> str:
        async with await Client.connect(url) as lobby:
            offer = await lobby.offer(self.bot)
            opening = Open(
                opener=self.address,
                white=player_side(self.address),
                black=self.bot,
                start=bytes(32),
                base_seconds=600,
                increment_seconds=0,
                delay_seconds=0,
                commitment=bytes.fromhex(offer.commitment[2:]),
                seed=keccak(b"seed"),
                expires=offer.expires,
                nonce=nonce,
            )
            return await lobby.open(opening, opening.sign(self.domain, self.key))

    async def move(self, client: Client, uci: str) -> None:
        """Sign a move of the last known position."""
        assert client.snapshot is not None
        ply, game = client.view.next, bytes.fromhex(client.snapshot.game[2:])
        board = chess.Board(client.view.fen)
        index = move_index(board, board.parse_uci(uci))
        message = Move(game, ply, client.history, index)
        await client.move(ply, index, message.sign(self.domain, self.key))


class Stalls:
    """How long the event loop was away, without the time that it waited for a processor.

    What other tests left in memory is not looked through meanwhile: no server has that.
    """

    def __init__(self) -> None:
        self.longest = 0.0
        self.longest_wall = 0.0

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        gc.collect()
        gc.freeze()  # as the server does when it is open
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()
            gc.unfreeze()

    async def _watch(self) -> None:
        nap = 0.002
        while True:
            wall, waited = time.perf_counter(), _waited_for_processor()
            await asyncio.sleep(nap)
            away = time.perf_counter() - wall - nap
            self.longest_wall = max(self.longest_wall, away)
            self.longest = max(self.longest, away - (_waited_for_processor() - waited))


def _waited_for_processor() -> float:
    """Seconds that this thread could have run but for other processes (Linux' schedstat)."""
    return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9


async def test_a_real_game_is_verified_and_the_loop_never_stalls(data: Path) -> None:
    stalls = Stalls()
    async with AsyncExitStack() as stack:
        url = await start(Config(port=0, data=data, bots=("pawn",)), stack)
        player = await RealPlayer.at(url)
        async with stalls.watched():
            games = [await player.open(url, nonce=nonce) for nonce in range(2)]
            clients = [await Client.connect(url, game=game) for game in games]
            for client in clients:
                await client.wait_until(lambda client=client: client.snapshot is not None)  # type: ignore[misc]
                await player.move(client, "e2e4")
                await client.wait_ply(1)
                await player.move(client, "d2d4")  # at once, upon a move that is only proposed
            for client in clients:
                await client.wait_stage(3, "verified", seconds=120)
                assert [m.stage for m in client.moves] == ["verified"] * 4
                assert [m.by for m in client.moves] == ["player", "bot"] * 2
                assert client.moves[3].proof is not None
                assert client.moves[3].gas
                await client.close()
        async with aiohttp.ClientSession() as http:
            async with http.get(f"{url}/api/config") as response:
                (bot,) = (await response.json())["bots"]
            async with http.get(f"{url}/keys/{bot['keyHash']}") as response:
                assert (await response.json())["setup"] == "development"
    print(f"longest stall {stalls.longest * 1000:.1f} ms ({stalls.longest_wall * 1000:.1f} wall)")
    assert bot["proveSeconds"] > 0
    assert stalls.longest < STALL_LIMIT


async def test_ctrl_c_leaves_nothing_and_a_restart_goes_on(data: Path) -> None:
    async with server_process(data) as server:
        await server.ready()
        player = await RealPlayer.at(server.url)
        game = await player.open(server.url)
        async with await Client.connect(server.url, game=game) as client:
            await client.wait_until(lambda: client.snapshot is not None)
            await player.move(client, "g1f3")
            await client.wait_stage(0, "verified")
            await prover_of(server)
            children = server.children
            assert len(children) >= 2
            with (
                pytest.raises(DataFolderBusy, match="another checkproof server"),
                hold_folder(data),
            ):
                pass
            async with websockets.connect("ws" + server.url.removeprefix("http") + "/ws") as socket:
                assert await server.stop(signal.SIGINT) == 0
                with pytest.raises(ConnectionClosed):
                    await socket.recv()
                assert socket.close_code == 1001
        assert await wait_gone(children) == set()
    async with server_process(data) as server:
        await server.ready()
        async with await Client.connect(server.url, game=game) as client:
            await client.wait_stage(1, "verified", seconds=120)
            await player.move(client, "g2g3")
            await client.wait_stage(2, "verified")
        children = server.children
        assert await server.stop(signal.SIGTERM) == 0
        assert await wait_gone(children) == set()


async def test_a_killed_server_takes_its_processes_along(data: Path) -> None:
    async with server_process(data) as server:
        await server.ready()
        await prover_of(server)
        children = server.children
        await server.stop(signal.SIGKILL)
        assert await wait_gone(children) == set()


async def test_nothing_is_brought_to_an_arena_that_is_closed(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, begun, close = list[str](), asyncio.Semaphore(0), Arena.close

    async def run(self: object) -> None:
        begun.release()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append(type(self).__name__)

    async def close_it(self: Arena) -> None:
        ended.append("Arena")
        await close(self)

    monkeypatch.setattr(OnnxBots, "run", run)
    monkeypatch.setattr(Exhibition, "run", run)
    monkeypatch.setattr(Arena, "close", close_it)
    async with AsyncExitStack() as stack:
        await start(Config(port=0, data=data, bots=("pawn",), exhibition=True), stack)
        for _ in range(2):
            await begun.acquire()
    assert sorted(ended[:2]) == ["Exhibition", "OnnxBots"]
    assert ended[2:] == ["Arena"]


async def test_ctrl_c_while_warming_up(tmp_path: Path) -> None:
    """The key of a fresh folder takes seconds; nobody has to wait for it."""
    async with server_process(tmp_path) as server:
        keys = tmp_path / "keys"
        async with asyncio.timeout(120):
            while not keys.is_dir():  # noqa: ASYNC110 another process makes it
                await asyncio.sleep(0.05)
        children = server.children
        assert await server.stop(signal.SIGINT) == 0
        assert await wait_gone(children) == set()
    assert not [p for p in keys.iterdir() if len(p.name) == 64]


async def test_a_killed_prover_and_a_killed_chain_are_replaced(data: Path) -> None:
    async with AsyncExitStack() as stack:
        url = await start(Config(port=0, data=data, bots=("pawn",), workers=1), stack)
        player = await RealPlayer.at(url)
        game = await player.open(url, nonce=77)
        async with await Client.connect(url, game=game) as client:
            await client.wait_until(lambda: client.snapshot is not None)
            await player.move(client, "e2e4")
            await client.wait_stage(1, "proving", seconds=120)
            for pid in leaves_called("proofs.prover_process", data):
                os.kill(pid, signal.SIGKILL)
            await client.wait_stage(1, "verified", seconds=120)
            stages = [e.d.stage for e in client.events if isinstance(e, ProofEvent)]
            assert stages.count("proving") == 2
            (node,) = leaves_called("anvil", data)
            os.kill(node, signal.SIGKILL)
            await player.move(client, "d2d4")
            await client.wait_stage(3, "verified", seconds=120)
            assert [m.stage for m in client.moves] == ["verified"] * 4


async def test_an_acked_move_that_was_not_sent_lands_after_the_servers_death(data: Path) -> None:
    async with server_process(data) as server:
        await server.ready()
        player = await RealPlayer.at(server.url)
        game = await player.open(server.url, nonce=5)
        async with await Client.connect(server.url, game=game) as client:
            await client.wait_until(lambda: client.snapshot is not None)
            await player.move(client, "g1f3")
            await client.wait_stage(1, "verified", seconds=120)
            (node,) = leaves_called("anvil", data, of=server.process.pid)
            os.kill(node, signal.SIGSTOP)  # so that nothing can be sent
            await player.move(client, "g2g3")  # returns when it is acknowledged
            children = server.children
            await server.stop(signal.SIGKILL)
        os.kill(node, signal.SIGCONT)
        assert await wait_gone(children) == set()
    async with server_process(data) as server:
        await server.ready()
        async with await Client.connect(server.url, game=game) as client:
            await client.wait_until(lambda: client.snapshot is not None)
            assert client.snapshot is not None
            assert len(client.snapshot.away) >= 1
            move = await client.wait_stage(2, "verified", seconds=120)
            assert (move.uci, move.by) == ("g2g3", "player")
            await client.wait_stage(3, "verified", seconds=120)
            assert client.moves[1].prove_seconds is not None
            assert client.moves[1].gas is not None
        await server.stop(signal.SIGTERM)


async def test_a_node_that_lost_all_gets_the_same_transactions_and_the_game_goes_on(
    tmp_path: Path, data: Path
) -> None:
    shutil.copytree(data / "keys", tmp_path / "keys", copy_function=os.link)
    async with AsyncExitStack() as stack:
        url = await start(Config(port=0, data=tmp_path, bots=("pawn",)), stack)
        player = await RealPlayer.at(url)
        game = await player.open(url)
        async with await Client.connect(url, game=game) as client:
            await client.wait_until(lambda: client.snapshot is not None)
            await player.move(client, "e2e4")
            await client.wait_stage(1, "verified", seconds=120)
            before = [move.tx for move in client.moves]
            (node,) = leaves_called("anvil", tmp_path)
            os.kill(node, signal.SIGKILL)
            for state in (tmp_path / "chain").glob("state*.json"):
                state.unlink(missing_ok=True)  # even the contracts; another thread keeps them
            await player.move(client, "d2d4")
            await client.wait_stage(3, "verified", seconds=120)
            assert [move.tx for move in client.moves][:2] == before
            assert [move.stage for move in client.moves] == ["verified"] * 4


def leaves_called(name: str, data: Path, *, of: int | None = None) -> list[int]:
    """Descendants of ours, or of another process, that have no children and whose command line
    holds `name` and the folder."""
    return [
        pid
        for pid in children_of(os.getpid() if of is None else of)
        if not children_of(pid) and all(word in command_of(pid) for word in (name, str(data)))
    ]


async def prover_of(server: ServerProcess) -> None:
    """Wait for the first of the provers' processes: games can be played a moment before."""
    async with asyncio.timeout(60):
        while not any("proofs.prover_process" in command_of(pid) for pid in server.children):  # noqa: ASYNC110 another process
            await asyncio.sleep(0.05)
