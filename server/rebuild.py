"""Games as the chain tells them, taken up again at start."""

import asyncio
import logging
from pathlib import Path
from typing import Final

from engine.errors import EngineError
from server.arena import Arena
from server.effects import Terms
from server.ply import hex_of
from server.ports import GameChain
from server.store import Store, store_file

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


async def rebuild(arena: Arena, chain: GameChain) -> int:
    """Host every game of the chain, and go on with those that go on; returns how many.

    Raises ChainDown.
    """
    count = 0
    for opening, truth in await chain.games():
        terms = Terms(chain.domain, opening.open, opening.signature, opening.secret, arena.bots)
        try:
            arena.restore(terms, truth)
            count += 1
        except EngineError as error:
            game = terms.open.game_id(terms.domain)
            _LOG.warning("game %s cannot be taken up: %s", hex_of(game), error)
        await asyncio.sleep(0)  # a long game takes some time to replay
    return count
