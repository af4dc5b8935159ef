"""What the arena must not forget when it dies: DATA/arena.db, an SQLite file.

The chain is the truth, and this is what the chain does not know: moves that players signed and
that were acknowledged, proofs that were made, transactions that were signed, what was shown to
whom looks on.  Each batch is one SQLite transaction, written before anything of it is sent, shown
or acknowledged.

The calls are synchronous and stay on the event loop: a batch takes well under a millisecond.
`synchronous=NORMAL` leaves the syncing to checkpoints of the write-ahead log.  A killed process
loses nothing by that; a power cut may lose the last moments, but never the file.  What the chain
holds by then comes back from the chain; a signed move that had not been sent is asked for again,
as the player's page sees it missing; and versions of events begin anew after a reboot, so that
none ever means two things.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import SQLAlchemyError

from proofs.outbox import Outbox
from server.errors import StoreBroken, StoreFailed, StoreTooNew
from server.offers import Offer
from server.records import Away, Batch, GameRow, PlyRow
from server.store_outbox import StoredOutbox
from server.tables import EVENTS, GAMES, NOTES, OFFERS, PLIES, RUNS

EVENTS_KEPT: Final = 128
BUSY_SECONDS: Final = 1.0
"""How long another process, such as a backup, may hold us up; then it is tried again later."""
_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_PLY_COLUMNS: Final = tuple(c.name for c in PLIES.columns if c.name not in ("game", "ply"))


def store_file(data_dir: Path) -> Path:
    return data_dir / "arena.db"


class Store:
    """One open file.  Every method raises StoreFailed where SQLite does not do its work."""

    def __init__(self, engine: sa.Engine, path: Path) -> None:
        self._engine = engine
        self._connection = engine.connect()
        self.path = path
        self._run: int | None = None

    @classmethod
    def open(cls, path: Path) -> "Store":
        """Open or make the file, and bring its tables up to date.

        Raises StoreTooNew for a file of a later version, StoreBroken for what is no such file.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        engine = _engine(path)
        try:
            with engine.connect() as connection:
                _check_whole(connection, path)
                _migrate(connection, path)
            return cls(engine, path)
        except (SQLAlchemyError, sqlite3.Error) as error:
            engine.dispose()
            raise StoreBroken(path, _reason(error)) from None

    def close(self) -> None:
        self._connection.close()
        self._engine.dispose()

    @contextmanager
    def batch(self) -> Iterator[sa.Connection]:
        """One transaction: all of it is written, or nothing."""
        try:
            with self._connection.begin():
                yield self._connection
        except SQLAlchemyError as error:
            raise StoreFailed(self.path, _reason(error)) from error

    def check(self) -> None:
        """Write something, to see whether that can be done."""
        self.note("checked", "1")

    def outbox(self, chain_id: int, address: str) -> Outbox:
        """The signed transactions of a key."""
        return StoredOutbox(self, chain_id, address)

    # --- notes and runs -------------------------------------------------------------------------

    def note(self, name: str, value: str) -> None:
        row = {"name": name, "value": value}
        with self.batch() as connection:
            connection.execute(
                insert(NOTES).values(row).on_conflict_do_update(["name"], set_={"value": value})
            )

    def noted(self, name: str) -> str | None:
        query = sa.select(NOTES.c.value).where(NOTES.c.name == name)
        return next((row.value for row in self._read(query)), None)

    def begin_run(self, now: float, host: str) -> bool:
        """Note that the arena runs now; whether the run before was by the same `host`.

        `host` names this boot of this machine and this very file.
        """
        last = sa.select(RUNS.c.host).order_by(RUNS.c.id.desc()).limit(1)
        before = next((row.host for row in self._read(last)), None)
        row = {"begun": now, "seen": now, "host": host}
        with self.batch() as connection:
            self._run = connection.execute(sa.insert(RUNS).values(row)).lastrowid
        return before == host

    def see_run(self, now: float) -> None:
        """Note that the arena still runs."""
        self._mark_run({"seen": now})

    def end_run(self, now: float) -> None:
        self._mark_run({"seen": now, "ended": now})

    def _mark_run(self, values: Mapping[str, float]) -> None:
        with self.batch() as connection:
            connection.execute(sa.update(RUNS).where(RUNS.c.id == self._run).values(**values))

    def absences(self) -> list[Away]:
        """The times between runs, oldest first."""
        runs = self._read(sa.select(RUNS.c.begun, RUNS.c.seen).order_by(RUNS.c.id))
        return [Away(since=before.seen, until=after.begun) for before, after in pairwise(runs)]

    # --- offers ---------------------------------------------------------------------------------

    def offers(self, now: float) -> list[Offer]:
        """Those that have not expired, oldest first; the others are forgotten."""
        with self.batch() as connection:
            connection.execute(sa.delete(OFFERS).where(OFFERS.c.expires <= now))
            rows = connection.execute(sa.select(OFFERS).order_by(OFFERS.c.expires)).all()
        return [Offer(row.bot, row.commitment, row.secret, row.expires) for row in rows]

    def add_offer(self, offer: Offer) -> None:
        row = {
            "commitment": offer.commitment,
            "bot": offer.bot,
            "secret": offer.secret,
            "expires": offer.expires,
        }
        with self.batch() as connection:
            connection.execute(sa.insert(OFFERS), row)

    def drop_offer(self, commitment: bytes) -> None:
        with self.batch() as connection:
            connection.execute(sa.delete(OFFERS).where(OFFERS.c.commitment == commitment))

    # --- games ----------------------------------------------------------------------------------

    def write(self, batch: Batch) -> None:
        """Write what one batch changes of a game, all or nothing."""
        with self.batch() as connection:
            if batch.game is not None:
                self._write_game(connection, batch)
            elif batch.state is not None:
                of_game = GAMES.c.id == batch.id
                connection.execute(sa.update(GAMES).where(of_game).values(state=batch.state))
            if batch.keeps is not None:
                connection.execute(
                    sa.delete(PLIES).where(PLIES.c.game == batch.id, PLIES.c.ply >= batch.keeps)
                )
            if batch.plies:
                connection.execute(_UPSERT_PLY, [_ply_values(batch.id, ply) for ply in batch.plies])
            if batch.events:
                self._write_events(connection, batch)

    @staticmethod
    def _write_game(connection: sa.Connection, batch: Batch) -> None:
        game = batch.game
        assert game is not None
        row = {
            "id": game.id,
            "opening": game.opening,
            "signature": game.signature,
            "secret": game.secret,
            "ours": game.ours,
            "begun": game.begun,
            "state": batch.state or game.state,
        }
        made = insert(GAMES).values(row)
        connection.execute(made.on_conflict_do_update(["id"], set_={"state": row["state"]}))
        if batch.offer is not None:  # a secret serves one game
            connection.execute(sa.delete(OFFERS).where(OFFERS.c.commitment == batch.offer))

    @staticmethod
    def _write_events(connection: sa.Connection, batch: Batch) -> None:
        rows = [{"game": batch.id, "version": v, "wire": wire} for v, wire in batch.events]
        connection.execute(_ADD_EVENT, rows)
        oldest = batch.events[-1][0] - EVENTS_KEPT
        connection.execute(_TRIM_EVENTS, {"of": batch.id, "oldest": oldest})

    def games(self) -> list[GameRow]:
        """All games, oldest first."""
        rows = self._read(sa.select(GAMES).order_by(GAMES.c.number))
        return [
            GameRow(r.id, r.opening, r.signature, r.secret, r.ours, r.begun, r.state) for r in rows
        ]

    def plies(self, game: bytes) -> list[PlyRow]:
        """A game's plies as they were last written."""
        query = sa.select(PLIES).where(PLIES.c.game == game).order_by(PLIES.c.ply)
        return [_ply_of(row._asdict()) for row in self._read(query)]

    def events(self, game: bytes) -> list[tuple[int, str]]:
        """The latest frames of a game with their versions, oldest first, without a gap."""
        query = sa.select(EVENTS.c.version, EVENTS.c.wire).where(EVENTS.c.game == game)
        found = [(row.version, row.wire) for row in self._read(query.order_by(EVENTS.c.version))]
        first = next((i for i in range(len(found), 0, -1) if not _follows(found, i - 1)), 1)
        return found[first - 1 :]

    def forget_events(self, game: bytes) -> None:
        with self.batch() as connection:
            connection.execute(sa.delete(EVENTS).where(EVENTS.c.game == game))

    def forget_game(self, game: bytes) -> None:
        with self.batch() as connection:
            connection.execute(sa.delete(GAMES).where(GAMES.c.id == game))

    def _read(self, query: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        with self.batch() as connection:
            return connection.execute(query).all()


def _follows(found: list[tuple[int, str]], i: int) -> bool:
    return i > 0 and found[i][0] == found[i - 1][0] + 1


def _ply_of(row: dict[str, Any]) -> PlyRow:
    values = {name: row[name] for name in _PLY_COLUMNS}
    return PlyRow(number=row["ply"], **{**values, "at": json.loads(row["at"])})


def _ply_values(game: bytes, ply: PlyRow) -> dict[str, Any]:
    values = {name: getattr(ply, name) for name in _PLY_COLUMNS}
    return {**values, "game": game, "ply": ply.number, "at": json.dumps(ply.at)}


_NEW_PLY: Final = insert(PLIES)
_UPSERT_PLY: Final = _NEW_PLY.on_conflict_do_update(
    ["game", "ply"], set_={name: _NEW_PLY.excluded[name] for name in _PLY_COLUMNS}
)
_ADD_EVENT: Final = sa.insert(EVENTS)
_TRIM_EVENTS: Final = sa.delete(EVENTS).where(
    EVENTS.c.game == sa.bindparam("of"), EVENTS.c.version <= sa.bindparam("oldest")
)


# --- opening a file -----------------------------------------------------------------------------


def _engine(path: Path) -> sa.Engine:
    engine = sa.create_engine(
        f"sqlite:///{path}", connect_args={"timeout": BUSY_SECONDS}, poolclass=sa.StaticPool
    )

    @sa.event.listens_for(engine, "connect")
    def set_up(raw: sqlite3.Connection, _record: object) -> None:
        raw.isolation_level = None  # or the driver begins transactions at times of its own
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            raw.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # at once for writing: a lock that is asked for later cannot be waited for
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _check_whole(connection: sa.Connection, path: Path) -> None:
    with connection.begin():
        answer = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    if answer != "ok":
        raise StoreBroken(path, str(answer).splitlines()[-1])


def _migrate(connection: sa.Connection, path: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    with connection.begin():
        found = MigrationContext.configure(connection).get_current_revision()
        if found == scripts.get_current_head():
            return
        if found is not None and found not in {
            script.revision for script in scripts.walk_revisions()
        }:
            raise StoreTooNew(path, found)
        command.upgrade(config, "head")


def _reason(error: Exception) -> str:
    """What SQLite said, without the statement."""
    return str(getattr(error, "orig", None) or error).splitlines()[0]
