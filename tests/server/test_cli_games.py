"""`checkproof games` from the chain alone."""

import asyncio
import json
from pathlib import Path

import pytest

from server.cli_games import run_games_of_chain
from tests.proofs.chain_scene import scene


def said(line: str) -> None:
    """What the work says of itself is not looked at here."""


def test_all_games_of_a_chain_newest_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def play() -> tuple[str, str, tuple[Path, str, str]]:
        async with scene(tmp_path) as setting:
            first, second = await setting.open(), await setting.open()
            await first.player("e4")
            chain = setting.chain
            await chain.resign(second.id, second.resignation())
            where = (tmp_path, chain.rpc.url, chain.addresses.arena)
            await asyncio.to_thread(run_games_of_chain, where, as_json=True, say=said)
            await asyncio.to_thread(run_games_of_chain, where, as_json=False, say=said)
            return first.id.hex(), second.id.hex(), where

    first, second, _ = asyncio.run(play())
    out = capsys.readouterr().out
    told, end = json.JSONDecoder().raw_decode(out)
    assert [game["game"] for game in told] == ["0x" + second, "0x" + first]
    assert [game["status"] for game in told] == ["ended", "playing"]
    assert [game["plies"] for game in told] == [0, 1]
    assert told[0]["result"]["reason"] == "resignation"
    rows = out[end:].splitlines()
    assert any(row.startswith("0x" + first[:10]) and "playing" in row for row in rows)
