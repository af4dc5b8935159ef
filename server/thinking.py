"""The moves that pondering bots are asked for: each in a task of its own, so that nobody waits."""

import logging
from collections.abc import Callable
from typing import Final

from server.effects import Effect, Think
from server.hosted import Hosted
from server.ply import hex_of
from server.tasks import Tasks

Apply = Callable[[Hosted, list[Effect]], None]
_LOG: Final = logging.getLogger(__name__)


class Thinking:
    """All thoughts under way; `apply` carries out what the sessions say to them."""

    def __init__(self, tasks: Tasks, apply: Apply, now: Callable[[], float]) -> None:
        self._tasks = tasks
        self._apply = apply
        self._now = now

    def begin(self, hosted: Hosted, wish: Think) -> None:
        task = self._tasks.spawn(self._think(hosted, wish))
        hosted.thoughts[wish.job] = task
        task.add_done_callback(lambda _: hosted.thoughts.pop(wish.job, None))

    @staticmethod
    def drop(hosted: Hosted, job: int) -> None:
        """A thought is wanted no more."""
        if (task := hosted.thoughts.pop(job, None)) is not None:
            task.cancel()

    async def _think(self, hosted: Hosted, wish: Think) -> None:
        session = hosted.session
        try:
            index = await wish.ponder(wish.position, wish.mask, wish.dice)
            effects = session.thought(wish.job, index, self._now())
        except Exception as error:  # whatever it was, the game has to go on
            about = {"game": hex_of(session.id), "ply": wish.ply}
            _LOG.warning("a bot could not choose its move: %s", error, extra=about)
            effects = session.unthinkable(wish.job, str(error), self._now())
        self._apply(hosted, effects)
