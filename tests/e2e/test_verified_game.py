"""A whole game with real parts: played to its end, proven, verified on chain, then audited."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import chess
import pytest

from engine.net import house_net
from engine.policy_map import move_index
from server.client import Client
from tests.e2e.foresight import Foresight
from tests.proofs.keys_fixture import dev_store
from tests.server.processes import server_process
from tests.server.test_real_arena import RealPlayer

pytestmark = pytest.mark.timeout(900)  # the first of the tests waits for the whole game

ROOT = Path(__file__).parents[2]
MAX_PLIES = 60
AHEAD = 5  # the server refuses to run further ahead of the chain than some plies


@dataclass(frozen=True)
class Played:
    """What is left of a finished game: its id, its end, the audit of it, and its saved log."""

    game: str
    result: str
    moves: list[chess.Move]
    audit: subprocess.CompletedProcess[str]
    saved: Path


def checkproof(*words: str, data: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "server", *words],
        cwd=ROOT,
        env=os.environ | {"CHECKPROOF_DATA": str(data), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


async def play(url: str, moves: list[chess.Move]) -> tuple[str, str]:
    """Play `moves` out with White; every bot move must be the expected one and get verified."""
    player = await RealPlayer.at(url)
    game = await player.open(url)
    board = chess.Board()
    async with await Client.connect(url, game=game) as socket:
        await socket.wait_until(lambda: socket.snapshot is not None)
        for move in moves:
            if board.turn == chess.WHITE:
                if board.ply() > AHEAD:
                    await socket.wait_stage(board.ply() - AHEAD, "verified", seconds=120)
                await player.move(socket, move.uci())
            record = await socket.wait_ply(board.ply())
            assert record.index == move_index(board, move)
            board.push(move)
        end = await socket.wait_end(seconds=300)
        assert [record.stage for record in socket.moves] == ["verified"] * len(moves)
    assert end.result == board.result()
    return game, end.result


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    data, saved = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("log") / "game.json"
    store, record = dev_store()
    shutil.copytree(store.root / record.key_hash, data / "keys" / record.key_hash)
    moves = Foresight(house_net("pawn"), chess.WHITE).shortest_game(max_plies=MAX_PLIES, seeds=40)

    async def host() -> tuple[str, str, subprocess.CompletedProcess[str]]:
        async with server_process(data) as server:
            await server.ready()
            game, result = await play(server.url, moves)
            audit = await asyncio.to_thread(
                checkproof, "audit", game, "--save", str(saved), data=data
            )
            return game, result, audit

    game, result, audit = asyncio.run(host())
    return Played(game, result, moves, audit, saved)


@pytest.fixture
def tampered(played: Played, tmp_path: Path) -> Any:
    """Audits the saved game after one change made by `change(events)`."""

    def audit(change: Any) -> subprocess.CompletedProcess[str]:
        content = json.loads(played.saved.read_text())
        change(content["events"])
        file = tmp_path / "game.json"
        file.write_text(json.dumps(content))
        return checkproof("audit", "--file", str(file), data=tmp_path)

    return audit


def test_the_game_ended_on_the_board(played: Played) -> None:
    board = chess.Board()
    for move in played.moves:
        board.push(move)
    assert board.is_game_over()
    assert played.result == board.result()


def test_the_audit_of_the_chain_passes(played: Played) -> None:
    assert played.audit.returncode == 0, played.audit.stdout + played.audit.stderr
    assert "DEV SETUP" in played.audit.stdout + played.audit.stderr


def test_the_audit_of_the_saved_game_passes(played: Played, tmp_path: Path) -> None:
    audit = checkproof("audit", "--file", str(played.saved), data=tmp_path)
    assert audit.returncode == 0, audit.stdout + audit.stderr


def flip(text: str, at: int) -> str:
    """`text`, 0x hex, with the lowest bit of byte `at` changed."""
    raw = bytearray.fromhex(text[2:])
    raw[at] ^= 1
    return "0x" + raw.hex()


@pytest.mark.parametrize(
    ("event", "argument"),
    [
        ("BotMoved", "proof"),
        ("BotMoved", "board"),
        ("BotMoved", "index"),
        ("PlayerMoved", "signature"),
        ("PlayerMoved", "board"),
        ("PlayerMoved", "index"),
    ],
)
def test_the_audit_fails_if_one_byte_changed(tampered: Any, event: str, argument: str) -> None:
    plies: list[int] = []

    def change(events: list[dict[str, Any]]) -> None:
        args = [e["args"] for e in events if e["event"] == event][3]
        value = args[argument]
        args[argument] = value ^ 1 if isinstance(value, int) else flip(value, 17)
        plies.append(args["ply"])

    audit = tampered(change)
    assert audit.returncode == 3, audit.stdout + audit.stderr
    assert f"ply {plies[0]}" in audit.stdout + audit.stderr
