"""The local chain node, started again when it ends by itself."""

import asyncio
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from proofs.errors import NodeError
from proofs.node import Anvil
from server.house import Tell

_LOOK_EVERY: Final = 1.0
_LONGEST_PAUSE: Final = 30.0


class LocalNode:
    """An anvil on `folder` that is kept running at the address it got first."""

    def __init__(self, folder: Path, *, allowed_origin: str, tell: Tell) -> None:
        self._folder = folder
        self._origin = allowed_origin
        self._tell = tell
        self._node = Anvil(folder, allowed_origin=allowed_origin)
        self._keeper: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return self._node.url

    @property
    def pid(self) -> int | None:
        return self._node.pid

    async def start(self) -> None:
        """Raises NodeMissing, NodeFailed."""
        await self._node.start()
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """End the node and wait until it has written its state."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        await self._node.stop()

    async def _keep(self) -> None:
        """Look after it for ever; a node that does not start is tried less and less often."""
        port, pause = urlsplit(self.url).port or 0, _LOOK_EVERY
        while True:
            await asyncio.sleep(pause)
            if self._node.alive:
                pause = _LOOK_EVERY
                continue
            self._tell("the local chain ended; starting it again")
            await self._node.stop()
            self._node = Anvil(self._folder, port=port, allowed_origin=self._origin)
            try:
                await self._node.start()
            except (NodeError, OSError) as error:
                self._tell(str(error))
                pause = min(2 * pause, _LONGEST_PAUSE)
