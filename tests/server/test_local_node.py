"""The keeper of the local chain: it comes back at its address, and nobody is flooded meanwhile."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from proofs.chain import Chain
from proofs.errors import NodeFailed
from server import local_node
from server.local_node import LocalNode


async def test_a_killed_node_comes_back_at_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_node, "_LOOK_EVERY", 0.05)
    told: asyncio.Queue[str] = asyncio.Queue()
    node = LocalNode(tmp_path, allowed_origin="http://127.0.0.1:1", tell=told.put_nowait)
    await node.start()
    try:
        url, pid = node.url, node.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(60):
            assert "starting it again" in await told.get()
            while node.pid in (None, pid):  # noqa: ASYNC110 another process
                await asyncio.sleep(0.02)
        assert node.url == url
        async with asyncio.timeout(60):
            chain = await _answers(url)
        await chain.close()
    finally:
        await node.stop()


async def _answers(url: str) -> Chain:
    while True:
        try:
            return await Chain.connect(url)
        except Exception:
            await asyncio.sleep(0.05)


async def test_a_node_that_does_not_start_is_tried_less_and_less_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    enough = asyncio.Event()

    class Broken:
        url, pid, alive = "http://127.0.0.1:1", None, False

        def __init__(self, *_: Any, **__: Any) -> None: ...

        async def start(self) -> None:
            if pauses:
                raise NodeFailed("no disk")

        async def stop(self) -> None: ...

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 8:
            enough.set()
            await asyncio.Event().wait()

    monkeypatch.setattr(local_node, "Anvil", Broken)
    monkeypatch.setattr("server.local_node.asyncio.sleep", sleep)
    told: list[str] = []
    node = LocalNode(tmp_path, allowed_origin="http://127.0.0.1:1", tell=told.append)
    await node.start()
    await enough.wait()
    await node.stop()
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    assert "no disk" in told[-1]
