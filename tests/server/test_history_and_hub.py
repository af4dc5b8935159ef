"""Versions without gaps, and readers that nobody waits for."""

import asyncio
import json

import pytest

from server import messages as m
from server.history import History
from server.hub import BYTE_LIMIT, HISTORY_SIZE, Room, Subscriber, text_frame
from server.limits import TokenBucket
from tests.server.fakes import DOMAIN, Player

CLOCKS = m.Clocks(white=1, black=1, running=None, at=0)


def snapshot(spectators: int) -> m.Snapshot:
    side = m.PlayerSide(address=Player().address)
    return m.Snapshot(
        game="0x00", chain_id=1, arena=DOMAIN.arena, white=side, black=side, opener="0x00",
        clock=m.ClockTerms(base_seconds=1, increment_seconds=0, delay_seconds=0),
        status="playing", result=None, open_stage=m.Opening(stage="verified"), moves=[],
        history="0x00", clocks=CLOCKS, spectators=spectators,
    )  # fmt: skip


def tick(at: float) -> m.ClockEvent:
    return m.ClockEvent(d=CLOCKS.model_copy(update={"at": at}))


def publish_spectators(room: Room) -> None:
    if (event := room.count_spectators()) is not None:
        room.publish(event)


async def drain(subscriber: Subscriber) -> list[m.ServerFrame]:
    subscriber.close()
    return [m.parse_server_frame(wire) for wire in iter_queue(subscriber)]


def iter_queue(subscriber: Subscriber) -> list[str]:
    return list(subscriber._queue)


def test_who_missed_events_gets_just_those() -> None:
    history = History(start=100, size=3)
    assert history.since(100) == []
    for name in "abcd":
        history.add(name)
    assert history.version == 104
    assert history.since(104) == []
    assert history.since(102) == ["c", "d"]
    assert history.since(101) == ["b", "c", "d"]


@pytest.mark.parametrize("version", [100, 105, 0, -1, 10**15])
def test_who_missed_too_much_or_comes_from_elsewhere_starts_anew(version: int) -> None:
    history = History(start=100, size=3)
    for name in "abcd":
        history.add(name)
    assert history.since(version) is None


async def test_a_new_reader_gets_everything_then_each_event() -> None:
    room, reader = Room(snapshot, start=5), Subscriber()
    room.publish(tick(1))
    room.subscribe(reader)
    room.publish(tick(2))
    frames = await drain(reader)
    assert [(f.t, f.v) for f in frames] == [("full", 6), ("clock", 7)]  # type: ignore[union-attr]


async def test_a_returning_reader_gets_what_it_missed() -> None:
    room = Room(snapshot, start=0)
    for at in range(1, 6):
        room.publish(tick(at))
    for since, versions in ((3, [4, 5]), (5, []), (0, [1, 2, 3, 4, 5])):
        reader = Subscriber()
        room.subscribe(reader, since=since)
        assert [f.v for f in await drain(reader)] == versions  # type: ignore[union-attr]
    for since in (6, 99):
        reader = Subscriber()
        room.subscribe(reader, since=since)
        assert [f.t for f in await drain(reader)] == ["full"]


async def test_an_event_is_serialised_once() -> None:
    room, readers = Room(snapshot, start=0), [Subscriber() for _ in range(5)]
    for reader in readers:
        room.subscribe(reader)
    room.publish(tick(1))
    assert len({id(iter_queue(reader)[-1]) for reader in readers}) == 1


async def test_a_slow_reader_is_dropped_and_others_are_not() -> None:
    dropped: list[str] = []
    room = Room(snapshot, start=0)
    slow = Subscriber(limit=3, on_drop=lambda: dropped.append("slow"))
    quick = Subscriber(limit=3, on_drop=lambda: dropped.append("quick"))
    room.subscribe(slow)
    room.subscribe(quick)
    for at in range(10):
        room.publish(tick(at))
        assert await quick.next() is not None
    assert dropped == ["slow"]
    assert slow.is_dropped
    assert await slow.next() is None
    assert not quick.is_dropped
    assert room.spectators == 1


async def test_a_whole_history_fits_a_new_readers_queue() -> None:
    room, reader = Room(snapshot, start=0), Subscriber()
    for at in range(2 * HISTORY_SIZE):
        room.publish(tick(at))
    room.subscribe(reader, since=HISTORY_SIZE)
    assert not reader.is_dropped
    assert len(iter_queue(reader)) == HISTORY_SIZE


async def test_a_closed_reader_still_gets_what_is_queued() -> None:
    reader = Subscriber()
    reader.put("one")
    reader.close()
    assert not reader.put("two")
    assert [await reader.next(), await reader.next()] == ["one", None]


async def test_a_waiting_reader_wakes_up_at_the_end() -> None:
    reader = Subscriber()
    waiting = asyncio.create_task(reader.next())
    await asyncio.sleep(0)
    reader.close()
    assert await waiting is None


def test_players_are_no_spectators() -> None:
    room, player, guest = Room(snapshot, start=0), Subscriber(), Subscriber()
    room.subscribe(player)
    room.subscribe(guest)
    player.is_player = True
    assert room.spectators == 1
    publish_spectators(room)
    assert json.loads(room.full().model_dump_json())["d"]["spectators"] == 1


async def test_whoever_moves_at_once_was_never_told_to_be_a_spectator() -> None:
    room, player = Room(snapshot, start=0), Subscriber()
    room.subscribe(player)
    player.is_player = True
    publish_spectators(room)
    [full] = await drain(player)
    assert isinstance(full, m.FullEvent)
    assert full.d.spectators == 0


async def test_a_number_of_spectators_is_told_once() -> None:
    room, guest = Room(snapshot, start=0), Subscriber()
    room.subscribe(guest)
    for _ in range(2):
        publish_spectators(room)
    room.publish_full()
    _, told, full = await drain(guest)
    assert isinstance(told, m.SpectatorsEvent)
    assert isinstance(full, m.FullEvent)
    assert told.d.count == full.d.spectators == 1


def test_a_bucket_lets_a_burst_through_and_then_its_rate() -> None:
    bucket = TokenBucket(rate=2, burst=3, now=0)
    assert [bucket.take(0) for _ in range(4)] == [True, True, True, False]
    assert bucket.take(0.5)
    assert not bucket.take(0.5)
    assert [bucket.take(100) for _ in range(4)] == [True, True, True, False]


class Line:
    """A line that takes frames while it is free."""

    def __init__(self) -> None:
        self.is_free = True
        self.taken: list[bytes] = []

    def __call__(self, framed: bytes) -> bool:
        if self.is_free:
            self.taken.append(framed)
        return self.is_free


async def test_a_free_line_gets_all_events_of_a_step_in_one_piece() -> None:
    room, line = Room(snapshot, start=0), Line()
    reader, other = Subscriber(outlet=line), Subscriber()
    for subscriber in (reader, other):
        room.subscribe(subscriber)
        assert await subscriber.next() is not None
    wires = [room.number(tick(at))[1] for at in (1, 2)]
    room.send(*wires)
    assert line.taken == [b"".join(map(text_frame, wires))]
    assert iter_queue(reader) == []
    assert iter_queue(other) == wires


async def test_what_queues_is_never_overtaken() -> None:
    room, line = Room(snapshot, start=0), Line()
    reader = Subscriber(outlet=line)
    room.subscribe(reader)  # the whole game waits for the writer
    room.publish(tick(1))
    assert line.taken == []
    assert [json.loads(wire)["t"] for wire in iter_queue(reader)] == ["full", "clock"]
    while iter_queue(reader):
        await reader.next()
    line.is_free = False
    room.publish(tick(2))
    line.is_free = True
    room.publish(tick(3))
    assert line.taken == []
    assert [json.loads(wire)["v"] for wire in iter_queue(reader)] == [2, 3]


async def test_a_reader_holds_few_bytes_however_large_the_frames() -> None:
    reader = Subscriber()
    huge = "x" * (BYTE_LIMIT + 1)
    assert reader.put(huge)  # one frame always has room: a whole game may be large
    assert not reader.put("a")
    assert reader.is_dropped
    reader = Subscriber()
    for _ in range(3):
        assert reader.put(huge)
        assert await reader.next() == huge
    assert not reader.is_dropped


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (0, "8100"),
        (125, "817d"),
        (126, "817e007e"),
        (65535, "817effff"),
        (65536, "817f0000000000010000"),
    ],
)
def test_a_text_frame_is_that_of_rfc_6455(size: int, head: str) -> None:
    framed = text_frame("x" * size)
    assert framed == bytes.fromhex(head) + b"x" * size
    assert text_frame("é")[:2] == b"\x81\x02"
