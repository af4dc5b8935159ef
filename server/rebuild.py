"""Games as the chain tells them, taken up again at start."""

import asyncio
import logging
from typing import Final

from engine.errors import EngineError
from server.arena import Arena
from server.effects import Terms
from server.ply import hex_of
from server.ports import GameChain

_LOG: Final = logging.getLogger(__name__)


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
