"""A bot program of Lichess's against a house bot: real proofs, chain, server and bridge."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import berserk
import chess

from proofs.node import dying_with_us
from server.arena_http import ArenaHttp
from server.bench.host import Host
from server.client import Client
from tests.proofs.keys_fixture import dev_store

MOVES = 2
ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def bridge(url: str, key: Path) -> AsyncIterator[tuple[str, str]]:
    """The command as a user runs it: the address and the token that it prints."""
    process = await asyncio.create_subprocess_exec(
        *dying_with_us([sys.executable, "-m", "server", "bridge", "--port", "1024"]),
        *("--url", url, "--key", str(key)),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            ready = (await process.stdout.readline()).decode()
            token = (await process.stdout.readline()).decode()
        assert ready.startswith("Bridge ready at http://127.0.0.1:")
        yield ready.split()[-1], token.split()[-1]
        process.terminate()
        async with asyncio.timeout(60):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def proven(url: str, game: str, plies: int) -> None:
    """Wait until so many plies are verified: who resigns before takes the others back."""
    async with await Client.connect(url, game=game) as client:
        await client.wait_stage(plies - 1, "verified", seconds=120)


def play(
    url: str, token: str, settle: Callable[[str], None]
) -> tuple[str, str, list[dict[str, Any]]]:
    """A bot program that knows Lichess alone: who it is, its game, and what it was told."""
    client = berserk.Client(berserk.TokenSession(token), base_url=url)
    name = client.account.get()["id"]
    assert [bot["id"] for bot in client.bots.get_online_bots()] == ["pawn"]
    game = client.challenges.create("pawn", rated=False, clock_limit=600, color="white")["id"]
    assert next(iter(client.bots.stream_incoming_events()))["type"] == "gameStart"
    told = []
    for event in client.bots.stream_game_state(game):
        told.append(event)
        state = event.get("state", event)
        if state["status"] != "started":
            break
        board = chess.Board()
        for uci in state["moves"].split():
            board.push_uci(uci)
        if board.turn == chess.BLACK:
            continue
        if board.ply() < 2 * MOVES:
            client.bots.make_move(game, max(move.uci() for move in board.legal_moves))
        else:
            settle(game)
            client.bots.resign_game(game)
    return name, game, told


async def test_a_bot_program_plays_a_house_bot_and_its_key_stays_home(tmp_path: Path) -> None:
    keys, key = dev_store("pawn")[0].root, tmp_path / "home" / "bridge.key"
    async with await Host.fresh(tmp_path, keys=keys, options=("--workers", "1")) as host:
        loop = asyncio.get_running_loop()

        def settle(game: str) -> None:
            waiting = proven(host.url, game, 2 * MOVES)
            asyncio.run_coroutine_threadsafe(waiting, loop).result()

        async with bridge(host.url, key) as (url, token):
            name, game, told = await asyncio.to_thread(play, url, token, settle)
        async with ArenaHttp(host.url) as http:
            shown = await http.json(f"/api/games/{game}")
        await host.stop()
    assert told[0]["type"] == "gameFull"
    assert told[0]["white"]["id"] == name == shown["white"]["address"]
    assert (told[-1]["status"], told[-1]["winner"]) == ("resign", "black")
    assert shown["result"] == {"result": "0-1", "reason": "resignation"}
    moves = shown["moves"]
    assert [move["uci"] for move in moves] == told[-1]["moves"].split()
    assert {move["by"] for move in moves[1::2]} == {"bot"}
    assert [move["stage"] for move in moves] == ["verified"] * (2 * MOVES)
    secret = bytes.fromhex(key.read_text().strip())
    kept = [f for f in (*tmp_path.joinpath("data").rglob("*"), host.log) if f.is_file()]
    for file in (f for f in kept if f.stat().st_size < 1 << 22):
        data = file.read_bytes()
        assert secret not in data, file
        assert secret.hex().encode() not in data, file
