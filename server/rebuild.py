"""Games taken up again at start: from the store and the chain, or from the chain alone."""

import asyncio
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.errors import EngineError
from proofs.signing import Open
from server.arena import Arena
from server.effects import ChainTruth, Terms
from server.journal import Kept, kept_game, load_open, load_state
from server.messages import Clocks
from server.ply import hex_of
from server.ports import GameChain, OpenedGame
from server.records import GameRow
from server.store import Store, store_file

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_WHOLE: Final = "whole"
_REJECTED_KEPT: Final = 24 * 3600.0
_EVENTS_KEPT: Final = 3600.0
_NOWHERE: Final = ChainTruth(None, (), Clocks(white=0, black=0, running=None, at=0), None)
_LOG: Final = logging.getLogger(__name__)


def open_store(data_dir: Path, *, anew: bool = False) -> Store:
    """The store of a data folder.  `anew` puts the old file aside and begins with an empty one.

    Raises StoreError.
    """
    path = store_file(data_dir)
    if anew:
        for suffix in ("", "-wal", "-shm"):
            old = path.with_name(path.name + suffix)
            if old.exists():
                old.replace(path.with_name(f"{path.name}.old{suffix}"))
    return Store.open(path)


@dataclass(frozen=True)
class TakenUp:
    """`since` is the block to watch from; `is_anew` says that there was no store to ask."""

    games: int
    since: int
    is_anew: bool


async def take_up(arena: Arena, chain: GameChain) -> TakenUp:
    """Host every game of chain and store, and go on with those that go on.

    Raises ChainDown.
    """
    store, now = arena.store, arena.now()
    is_anew = store is None or store.noted(_WHOLE) is None
    kept = {} if store is None else _read(store, arena, now)
    since, _ = await chain.changed(0)
    count = 0
    found = await chain.games()
    old = sum(truth.ended is not None for _, truth in found) - arena.limits.finished_kept
    for opening, truth in found:
        terms = Terms(chain.domain, opening.open, opening.signature, opening.secret, arena.bots)
        its = kept.pop(terms.open.game_id(chain.domain), None)
        if truth.ended is not None and (old := old - 1) >= 0:
            continue  # the chain remembers it; here only the latest are shown
        ours = its.ours if its else is_anew or await chain.is_ours(opening)
        count += _take_up_one(arena, terms, truth, its.kept if its else None, ours)
        await asyncio.sleep(0)  # a long game takes some time to replay
    for its in kept.values():  # never landed, or lost: the chain will say
        opening = its.opening
        terms = Terms(chain.domain, opening.open, opening.signature, opening.secret, arena.bots)
        if terms.open.game_id(chain.domain) == its.id and its.ours:
            count += _take_up_one(arena, terms, _NOWHERE, its.kept, True)
        await asyncio.sleep(0)
    if store is not None:
        store.note(_WHOLE, "1")
    return TakenUp(count, since, is_anew)


async def rebuild(arena: Arena, chain: GameChain) -> int:
    """Host every game of the chain; returns how many.  Raises ChainDown."""
    return (await take_up(arena, chain)).games


def _take_up_one(
    arena: Arena, terms: Terms, truth: ChainTruth, kept: Kept | None, ours: bool
) -> bool:
    try:
        arena.restore(terms, truth, kept=kept, ours=ours)
    except EngineError as error:
        game = terms.open.game_id(terms.domain)
        _LOG.warning("it cannot be taken up: %s", error, extra={"game": hex_of(game)})
        return False
    return True


# --- what the store has to say ------------------------------------------------------------------


@dataclass(frozen=True)
class _Opened:
    open: Open
    signature: bytes
    secret: bytes
    tx: str


@dataclass(frozen=True)
class _Stored:
    id: bytes
    ours: bool
    opening: OpenedGame
    kept: Kept


def _read(store: Store, arena: Arena, now: float) -> dict[bytes, _Stored]:
    """All games of the store; notes that the arena runs again."""
    events_hold = store.begin_run(now, _host_of(store.path))
    arena.absences = store.absences()
    found = {}
    for row in store.games():
        if _is_done_with(store, row, now):
            continue
        opening = _Opened(load_open(row.opening), row.signature, row.secret, "")
        kept = kept_game(store, row, events_hold=events_hold)
        found[row.id] = _Stored(row.id, row.ours, opening, kept)
    return found


def _is_done_with(store: Store, row: GameRow, now: float) -> bool:
    """Forget games that the contract refused, and the events of those that ended, in good time."""
    state, ended_at = load_state(row.state)
    if state.opening.stage == "rejected" and now - row.begun > _REJECTED_KEPT:
        store.forget_game(row.id)
        return True
    if ended_at is not None and now - ended_at > _EVENTS_KEPT:
        store.forget_events(row.id)
    return False


def _host_of(path: Path) -> str:
    """This boot of the machine and this very file.

    A power cut may have taken the last events, and a file that was put here from a backup lacks
    some: then versions that somebody has seen must not be used for other events.
    """
    try:
        boot = _BOOT.read_text().strip()
    except OSError:
        boot = os.urandom(8).hex()
    return f"{boot} {path.stat().st_ino}"
