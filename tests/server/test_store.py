"""The file that the arena leaves behind when it dies."""

import sqlite3
import statistics
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from server.errors import StoreBroken, StoreFailed, StoreTooNew
from server.messages import Away
from server.offers import Offer
from server.records import Batch, GameRow, PlyRow
from server.store import EVENTS_KEPT, Store
from server.tables import METADATA
from tests.proofs.test_outbox import check_outbox, signed

GAME = GameRow(b"\x01" * 32, "{}", b"sig", b"secret", True, 5.0, "{}")


def ply(number: int, stage: str = "proposed", **more: object) -> PlyRow:
    values: dict[str, object] = {
        "number": number, "by": "player", "move": 7, "history": b"h", "stage": stage,
        "at": {"proposed": 1.5}, "signature": b"s", "proof": None, "payee": None,
        "prove_seconds": None, "cpu_seconds": None, "tx": None, "gas": None, "block": None,
    }  # fmt: skip
    return PlyRow(**{**values, **more})  # type: ignore[arg-type]


def begin(store: Store) -> None:
    store.write(Batch(GAME.id, [(11, "a")], [ply(0)], state="{}", game=GAME))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "arena.db"


def test_the_migrations_make_the_tables(path: Path) -> None:
    store = Store.open(path)
    with store.batch() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    store.close()


def test_what_was_written_is_there_after_opening_again(path: Path) -> None:
    store = Store.open(path)
    begin(store)
    store.write(Batch(GAME.id, [(12, "b")], [ply(0, "verified", gas=5), ply(1)], state="{1}"))
    for _ in range(2):
        (game,) = store.games()
        assert (game.id, game.ours, game.begun, game.state) == (GAME.id, True, 5.0, "{1}")
        assert store.plies(GAME.id) == [ply(0, "verified", gas=5), ply(1)]
        assert store.events(GAME.id) == [(11, "a"), (12, "b")]
        store.close()
        store = Store.open(path)
    store.write(Batch(GAME.id, [], [], keeps=1))
    assert store.plies(GAME.id) == [ply(0, "verified", gas=5)]
    store.forget_game(GAME.id)
    assert (store.games(), store.plies(GAME.id), store.events(GAME.id)) == ([], [], [])
    store.close()


def test_a_batch_is_written_whole_or_not_at_all(path: Path) -> None:
    store = Store.open(path)
    begin(store)
    bad = ply(1, signature="no bytes", block="no number" * 10)
    with pytest.raises(StoreFailed, match=r"arena\.db does not work"):
        store.write(Batch(GAME.id, [(12, "b"), (12, "twice")], [bad], state="{2}"))
    assert store.games()[0].state == "{}"
    assert store.plies(GAME.id) == [ply(0)]
    assert store.events(GAME.id) == [(11, "a")]
    begin(Store.open(path.with_name("other.db")))
    store.close()


def test_only_the_latest_events_are_kept_and_none_before_a_gap(path: Path) -> None:
    store = Store.open(path)
    begin(store)
    for version in range(12, 12 + 2 * EVENTS_KEPT):
        store.write(Batch(GAME.id, [(version, str(version))], []))
    found = store.events(GAME.id)
    last = 11 + 2 * EVENTS_KEPT
    assert [version for version, _ in found] == list(range(last - EVENTS_KEPT + 1, last + 1))
    store.write(Batch(GAME.id, [(last + 5, "x"), (last + 6, "y")], []))
    assert store.events(GAME.id) == [(last + 5, "x"), (last + 6, "y")]
    store.close()


def test_events_of_no_game_are_refused(path: Path) -> None:
    store = Store.open(path)
    with pytest.raises(StoreFailed, match="FOREIGN KEY"):
        store.write(Batch(GAME.id, [(1, "a")], []))
    store.close()


def test_offers_are_kept_until_they_expire_or_serve(path: Path) -> None:
    store = Store.open(path)
    offers = [Offer(b"bot", bytes([i]), b"s", 100 + i) for i in range(4)]
    for offer in offers:
        store.add_offer(offer)
    store.drop_offer(offers[3].commitment)
    store.write(Batch(GAME.id, [], [], state="{}", game=GAME, offer=offers[2].commitment))
    assert store.offers(100) == [offers[1]]
    assert store.offers(0) == [offers[1]]
    store.close()


def test_the_times_between_runs_are_known(path: Path) -> None:
    store = Store.open(path)
    assert not store.begin_run(100, "here")
    store.see_run(150)
    store.close()
    store = Store.open(path)
    assert store.begin_run(170, "here")
    store.end_run(180)
    assert not store.begin_run(200, "elsewhere")
    assert store.absences() == [Away(since=150, until=170), Away(since=180, until=200)]
    store.close()


def test_stored_outbox(path: Path) -> None:
    store = Store.open(path)
    other = store.outbox(1, "0xother")
    check_outbox(store.outbox(1, "0xme"))
    assert other.next_nonce == 0
    assert store.outbox(2, "0xme").open() == []
    store.close()
    store = Store.open(path)
    assert store.outbox(1, "0xme").since(4)[0] == signed(4, block=14)
    store.close()


def test_the_oldest_transactions_are_forgotten(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.open(path)
    monkeypatch.setattr("server.store_outbox.KEPT", 2)
    box = store.outbox(1, "0xme")
    for nonce in range(5):
        box.save(signed(nonce))
    assert [s.nonce for s in store.outbox(1, "0xme").since(0)] == [2, 3, 4]
    store.close()


def test_a_batch_takes_less_than_a_millisecond(path: Path) -> None:
    """Of the processor's time: the event loop waits for it."""
    store, costs = Store.open(path), []
    begin(store)
    for version in range(12, 212):
        batch = Batch(
            GAME.id, [(version, "x" * 600)], [ply(0, proof=bytes(256))], state=str(version)
        )
        begun = time.thread_time()
        store.write(batch)
        costs.append(time.thread_time() - begun)
    median = statistics.median(costs)
    print(f"a batch takes {median * 1e6:.0f} us of processor time")
    assert median < 0.001
    store.close()


def test_a_file_of_a_later_version_is_refused_by_name(path: Path) -> None:
    store = Store.open(path)
    with store.batch() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(StoreTooNew, match=r"later version.*9999.*--rebuild"):
        Store.open(path)


@pytest.mark.parametrize("spoil", ["text", "pages", "other tables"])
def test_a_broken_file_is_refused_and_says_what_to_do(path: Path, spoil: str) -> None:
    if spoil == "text":
        path.write_text("this is no database, but it is long enough to look at" * 100)
    elif spoil == "other tables":
        with sqlite3.connect(path) as raw:
            raw.execute("CREATE TABLE games (x)")
        raw.close()
    else:
        store = Store.open(path)
        begin(store)
        store.close()
        whole = path.read_bytes()
        path.write_bytes(whole[:4096] + bytes(b ^ 0x55 for b in whole[4096:]))
    with pytest.raises(StoreBroken, match=r"--rebuild.*backup") as caught:
        Store.open(path)
    assert "\n" not in str(caught.value)


def test_a_store_that_somebody_else_writes_is_waited_for(path: Path) -> None:
    store = Store.open(path)
    begin(store)
    with sqlite3.connect(path) as reader:  # a reader, such as a backup, holds nobody up
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM games").fetchone() == (1,)
        store.write(Batch(GAME.id, [(12, "b")], []))
        assert reader.execute("SELECT count(*) FROM events").fetchone() == (1,)
    reader.close()
    store.close()
