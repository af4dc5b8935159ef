"""What happens around an open server."""

import asyncio
import gc
import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from server import app
from server.config import Config


async def test_what_the_start_made_is_not_looked_through_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    frozen = asyncio.Event()

    async def drain(seconds: float) -> None:
        """Nothing is in hand."""

    async def open_server(*_: Any, **__: Any) -> Any:
        assert not frozen.is_set()
        arena = SimpleNamespace(drain=drain, is_busy=False)
        return SimpleNamespace(arena=arena, site=SimpleNamespace())

    monkeypatch.setattr(app, "open_server", open_server)
    monkeypatch.setattr(gc, "freeze", frozen.set)
    serving = asyncio.create_task(app._serve(Config.of({}, data=tmp_path), rebuild=False))
    async with asyncio.timeout(60):
        await frozen.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        await serving
