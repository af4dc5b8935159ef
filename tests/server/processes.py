"""A server in a process of its own, and everything that it starts."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.bench.host import children_of

SERVE = """
import json
import sys
from server.app import run
from server.config import Config
run(Config.of({}, port=int(sys.argv[2]), data=sys.argv[1], **json.loads(sys.argv[3])))
"""


@dataclass
class ServerProcess:
    """`url` is known once it is ready."""

    process: asyncio.subprocess.Process
    url: str = ""

    @property
    def children(self) -> set[int]:
        return children_of(self.process.pid)

    async def ready(self) -> None:
        """Wait for the line that says so."""
        assert self.process.stdout is not None
        async with asyncio.timeout(120):
            line = (await self.process.stdout.readline()).decode()
        if not line.startswith("Arena ready at "):
            raise AssertionError(f"the server said {line!r}")
        self.url = line.removeprefix("Arena ready at ").strip()

    async def stop(self, number: int) -> int:
        """Send a signal, wait for the end; the exit status."""
        self.process.send_signal(number)
        async with asyncio.timeout(60):
            return await self.process.wait()


@asynccontextmanager
async def server_process(
    data: Path, port: int = 0, *, bots: str = "pawn", **settings: Any
) -> AsyncIterator[ServerProcess]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", SERVE, str(data), str(port), json.dumps({"bots": bots, **settings})),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    try:
        yield ServerProcess(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
