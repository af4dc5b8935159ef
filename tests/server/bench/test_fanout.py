"""Spectators that read, spectators that do not, and the figures that come of them."""

import asyncio
from typing import Any

import pytest

from server.bench.crowd import frames_in
from server.bench.fanout import Run, Spectators, figures
from server.errors import HostFailed
from server.hub import text_frame
from tests.server.conftest import Served
from tests.server.test_session import E4


def test_frames_are_found_in_whatever_pieces_they_come() -> None:
    texts = ["", "short", "é" * 100, "x" * 70_000]
    data = b"".join(map(text_frame, texts)) + b"\x89\x01p"
    seen, rest = [], b""
    for at in range(0, len(data), 997):
        rest += data[at : at + 997]
        end = 0
        for first, payload, end in frames_in(rest):  # noqa: B007 the last one's end is used
            seen.append((first, payload))
        rest = rest[end:]
    assert rest == b""
    assert seen == [*((0x81, text.encode()) for text in texts), (0x89, b"p")]


async def test_a_crowd_sees_each_move_once_and_who_stalls_holds_nobody_up(served: Served) -> None:
    game = await served.open()
    async with Spectators.of(served.url, game) as crowd, await served.client(game) as player:
        assert await crowd.tell("stall 2") == {"sockets": 2, "lost": 0}
        assert await crowd.tell("join 20") == {"sockets": 22, "lost": 0}
        await crowd.tell("mark")
        begun = asyncio.get_running_loop().time()
        await served.move(player, E4)
        await player.wait_stage(1, "verified")
        async with asyncio.timeout(60):
            while not is_told(told := await crowd.tell("report")):  # noqa: ASYNC110 it is asked
                await asyncio.sleep(0.05)
        assert told["lost"] == 0
        assert {ply: len(times) for ply, times in told["moves"].items()} == {"0": 20, "1": 20}
        now = asyncio.get_running_loop().time()
        assert all(begun < at < now for times in told["moves"].values() for at in times)
        assert told["bytes"] > 100 * told["frames"]


def is_told(report: dict[str, Any]) -> bool:
    """Whether all twenty have both moves: some may be far behind the others."""
    return report["frames"] >= 200 and all(len(report["moves"].get(p, ())) >= 20 for p in "01")


async def test_a_server_that_takes_nobody_on_is_told_of(served: Served) -> None:
    served.site.max_sockets = 1
    game = "0x" + "00" * 32
    async with Spectators.of(served.url, game) as crowd:
        with pytest.raises(HostFailed, match="did not take all spectators on"):
            await crowd.tell("join 5")


def test_the_figures_are_those_of_the_runs() -> None:
    quiet = Run(sent={0: 10.0}, cpu=0.5, frames=600, bytes=60_000, moves={0: [10.01, 10.03]})
    held = Run(sent={0: 20.0, 2: 30.0}, cpu=0.5, frames=400, bytes=40_000, moves={})
    held.take({"frames": 400, "bytes": 40_000, "moves": {"0": [20.05], "2": [30.1], "1": [20.0]}})
    found = figures(quiet, held, 2, 1234.5)
    assert found["frames_per_s_core"] == 1000
    assert found["delay_ms"] == {"p50": 10.0, "p99": 30.0}
    assert found["stalled_delay_ms"] == {"p50": 50.0, "p99": 100.0}
    assert (found["bytes_per_socket"], found["bytes_per_frame"]) == (1234, 100)
    assert figures(Run(), Run(), 2, 0)["delay_ms"] is None
