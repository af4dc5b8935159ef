"""Who looks at a game, and how its events get to them.

An event is serialised and framed once.  A reader whose line is free gets the bytes at once, all
events of one step in one write; for any other they go into its bounded queue.  Nobody waits for a
slow reader: when its queue is full it is dropped, and comes back with the version it has seen.

    text frame   0x81, then the length n of the UTF-8 text (RFC 6455, 5.2; not masked):
                 n < 126: one byte; n < 2^16: 126, two bytes; else 127, eight bytes; then the text
"""

import asyncio
import struct
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from server.history import History
from server.messages import (
    FullEvent,
    GameEvent,
    Snapshot,
    SpectatorsData,
    SpectatorsEvent,
    to_wire,
)

HISTORY_SIZE: Final = 128
QUEUE_LIMIT: Final = 2 * HISTORY_SIZE
"""Frames that may wait for one reader; a whole history has to fit."""

BYTE_LIMIT: Final = 4 * 1024 * 1024
"""And their characters; a whole game may be larger, and waits alone then."""

Outlet = Callable[[bytes], bool]
"""Takes frames, ready for the wire; False when the line is not free, and then none was taken."""


class Subscriber:
    """One reader's queue of serialised frames; ends when dropped or closed.

    `on_drop` is called once, when the reader was too slow.  What `outlet` takes never queues.
    """

    def __init__(
        self,
        *,
        limit: int = QUEUE_LIMIT,
        on_drop: Callable[[], None] | None = None,
        outlet: Outlet | None = None,
    ) -> None:
        self._queue: deque[str] = deque()
        self._queued = 0  # characters
        self._limit = limit
        self._on_drop = on_drop
        self._outlet = outlet
        self._ready = asyncio.Event()
        self._is_done = False
        self.is_dropped = False
        self.is_player = False

    def put(self, wire: str) -> bool:
        """Queue a frame.  False when the subscription is over, or ends now for slowness."""
        if self._is_done:
            return False
        if len(self._queue) >= self._limit or self._queued > BYTE_LIMIT:
            self._drop()
            return False
        self._queue.append(wire)
        self._queued += len(wire)
        self._ready.set()
        return True

    def send(self, wires: Iterable[str], framed: bytes) -> bool:
        """The same for frames that are `framed` already: at once where nothing is before them."""
        if self._is_done:
            return False
        if not self._queue and self._outlet is not None and self._outlet(framed):
            return True
        return all(self.put(wire) for wire in wires)

    def _drop(self) -> None:
        self.is_dropped = True
        self._queue.clear()
        self.close()
        if self._on_drop is not None:
            self._on_drop()

    def close(self) -> None:
        """No more frames; those queued are still read."""
        self._is_done = True
        self._ready.set()

    async def next(self) -> str | None:
        """The next frame, None at the end."""
        while not self._queue:
            if self._is_done:
                return None
            self._ready.clear()
            await self._ready.wait()
        wire = self._queue.popleft()
        self._queued -= len(wire)
        return wire


def text_frame(text: str) -> bytes:
    """A whole text message of a server, as drawn above."""
    data = text.encode()
    size = len(data)
    if size < 126:
        head = struct.pack("!BB", 0x81, size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", 0x81, 126, size)
    else:
        head = struct.pack("!BBQ", 0x81, 127, size)
    return head + data


class Room:
    """A game's history and its subscribers."""

    def __init__(
        self,
        snapshot: Callable[[int], Snapshot],
        *,
        start: int,
        events: Iterable[tuple[int, str]] = (),
    ) -> None:
        """`snapshot(spectators)` describes the game; versions begin after `start`, or after those
        of the `events` that are known already."""
        known = list(events)
        first = known[0][0] - 1 if known else start
        self._snapshot = snapshot
        self._history = History(start=first, size=HISTORY_SIZE)
        for _, wire in known:
            self._history.add(wire)
        self._numbered = self._history.version
        self._subscribers: set[Subscriber] = set()
        self._wire, self._wire_version = "", -1
        self._spectators_told = 0

    @property
    def version(self) -> int:
        return self._history.version

    @property
    def is_empty(self) -> bool:
        return not self._subscribers

    @property
    def spectators(self) -> int:
        """How many look on without having shown a player's signature."""
        return sum(not s.is_player for s in self._subscribers)

    def full(self) -> FullEvent:
        """The game as it is now, at the latest version."""
        return FullEvent(d=self._snapshot(self._spectators_told), v=self._history.version)

    def _full_wire(self) -> str:
        """Serialised once a version: after a restart many ask for the same."""
        if self._wire_version != self._history.version:
            self._wire, self._wire_version = to_wire(self.full()), self._history.version
        return self._wire

    def subscribe(self, subscriber: Subscriber, *, since: int | None = None) -> None:
        """Send what was missed after version `since`, or everything, and then each event."""
        self._subscribers.add(subscriber)
        missed = None if since is None else self._history.since(since)
        for wire in [self._full_wire()] if missed is None else missed:
            subscriber.put(wire)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        self._subscribers.discard(subscriber)

    def number(self, event: GameEvent) -> tuple[int, str]:
        """Give an event the next version: its frame, still to be sent."""
        self._numbered += 1
        return self._numbered, to_wire(event.model_copy(update={"v": self._numbered}))

    def number_full(self) -> tuple[int, str]:
        """The whole game as an event of its own."""
        return self.number(FullEvent(d=self._snapshot(self._spectators_told)))

    def send(self, *wires: str) -> None:
        """Keep and send numbered frames; they have to come in their order."""
        for wire in wires:
            self._history.add(wire)
        framed = b"".join(map(text_frame, wires)) if self._subscribers else b""
        for subscriber in [s for s in self._subscribers if not s.send(wires, framed)]:
            self._subscribers.discard(subscriber)

    def publish(self, event: GameEvent) -> None:
        """Number, keep and send one event."""
        self.send(self.number(event)[1])

    def publish_full(self) -> None:
        self.send(self.number_full()[1])

    def count_spectators(self) -> SpectatorsEvent | None:
        """Their number if it changed.  Whole games carry the told one: all see the same."""
        if self.spectators == self._spectators_told:
            return None
        self._spectators_told = self.spectators
        return SpectatorsEvent(d=SpectatorsData(count=self.spectators))

    def close(self) -> None:
        for subscriber in self._subscribers:
            subscriber.close()
        self._subscribers.clear()
