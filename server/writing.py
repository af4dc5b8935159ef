"""The way into the store: every batch is written before it takes effect, and in order."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Final

from server.errors import StoreFailed
from server.records import Batch
from server.store import Store

AGAIN_SECONDS: Final = 1.0
_LOG: Final = logging.getLogger(__name__)


class Writing:
    """`fault` says why nothing can be written now, if so; without a store nothing has to be."""

    def __init__(self, store: Store | None) -> None:
        self.fault: str | None = None
        self._store = store
        self._backlog: deque[tuple[Batch, Callable[[], None]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def write(self, batch: Batch, then: Callable[[], None]) -> None:
        """Write a batch, then do what it allows; later and in order while that cannot be."""
        self._backlog.append((batch, then))
        if self._timer is None:
            self._flush()

    def _flush(self) -> None:
        self._timer = None
        while self._backlog:
            batch, then = self._backlog[0]
            try:
                if self._store is not None and not batch.is_empty:
                    self._store.write(batch)
            except StoreFailed as error:
                if self.fault is None:
                    _LOG.error("%s; nothing is shown or sent until it does", error)
                self.fault = str(error)
                self._timer = asyncio.get_running_loop().call_later(AGAIN_SECONDS, self._flush)
                return
            self._backlog.popleft()
            then()
        self.fault = None

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
