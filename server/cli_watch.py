"""`checkproof watch GAME|tv`: a game as it happens, on a terminal, as lines or as JSON."""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

from rich.console import RenderableType
from rich.live import Live

from server import messages as m
from server.arena_http import ArenaHttp
from server.cli_out import console
from server.client import Client
from server.errors import ArenaError, NoSuchGame
from server.view import View
from server.watch_text import line_of, name_of, screen, stage_of

PATIENCE_SECONDS: Final = 3600.0
REFRESHES_PER_SECOND: Final = 4
LOOK_SECONDS: Final = 3.0
"""How often tv looks around for a game."""
QUIET_SECONDS: Final = 60.0
"""A game without a move for so long is left for one that has some."""
LINGER_SECONDS: Final = 5.0
"""How long tv shows a finished game."""

Say = Callable[[str], None]


def run_watch(game: str, *, url: str, as_json: bool, say: Say) -> None:
    """Show a game until it ends; `tv` shows one after another.  Raises ArenaError."""
    with _show(as_json=as_json) as show:
        asyncio.run(_tv(url, show, say) if game == "tv" else _watch(game, url, show))


# --- ways to show -------------------------------------------------------------------------------


class Show(Protocol):
    """Where a game is shown."""

    def event(self, event: m.GameEvent, view: View) -> None: ...
    def note(self, line: str) -> None:
        """Say something about the connection, not the game."""


@contextlib.contextmanager
def _show(*, as_json: bool) -> Iterator[Show]:
    if as_json:
        yield Frames()
    elif not sys.stdout.isatty():
        yield Lines()
    else:
        with Screen() as shown:
            yield shown


class Frames:
    """The frames as they came, one a line."""

    def event(self, event: m.GameEvent, view: View) -> None:  # noqa: ARG002  Show's signature
        print(m.to_wire(event), flush=True)

    def note(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)


class Lines:
    """A line for each thing that happened."""

    def event(self, event: m.GameEvent, view: View) -> None:
        if (line := line_of(event, view)) is not None:
            print(line, flush=True)
        if isinstance(event, m.FullEvent):
            for move in event.d.moves:
                print(f"{name_of(move):<14}{stage_of(move)}", flush=True)

    def note(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)


class Screen:
    """The board, drawn anew as time goes on."""

    def __init__(self) -> None:
        self._view = View()
        self._note: list[str] = []
        self._console = console()
        self._live = Live(
            console=self._console,
            refresh_per_second=REFRESHES_PER_SECOND,
            get_renderable=self._render,
            transient=False,
        )

    def __enter__(self) -> "Screen":
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def event(self, event: m.GameEvent, view: View) -> None:  # noqa: ARG002  Show's signature
        self._view, self._note = view, []

    def note(self, line: str) -> None:
        self._note = [line]

    def _render(self) -> RenderableType:
        is_coloured = self._console.color_system is not None and "NO_COLOR" not in os.environ
        return screen(self._view, now=time.time(), notes=self._note, is_coloured=is_coloured)


# --- following ----------------------------------------------------------------------------------


async def _watch(name: str, url: str, show: Show) -> None:
    async with ArenaHttp(url) as http:
        game = await http.find_game(name)
    await follow(url, game, show)


async def follow(url: str, game: str, show: Show) -> None:
    """Show a game until nothing more can happen in it.  Raises ArenaError."""

    def lost(why: str) -> None:
        show.note(f"the connection ended ({why}); coming back")

    connecting = Client.connect(url, game=game, stay=True, patience=PATIENCE_SECONDS, lost=lost)
    async with await connecting as client:
        async for event in client.stream():
            show.event(event, client.view)
            if is_over(client.view) and event is client.events[-1]:
                return


def is_over(view: View) -> bool:
    return view.end is not None or (view.opening is not None and view.opening.stage == "rejected")


async def _tv(url: str, show: Show, say: Say) -> None:
    """Follow the most interesting game, one after another, until interrupted."""
    async with ArenaHttp(url) as http:
        choice, is_told = Choice(), False
        choice.look(await http.games(), time.monotonic())  # nobody there is told at once
        while True:
            game = choice.best(None, time.monotonic())
            if game is None:
                if not is_told:
                    say("no game is going on; waiting for one")
                is_told = True
                await _look(http, choice)
                continue
            is_told = False
            await _until_another_is_better(http, choice, game, show)


async def _until_another_is_better(
    http: ArenaHttp, choice: "Choice", game: str, show: Show
) -> None:
    following = asyncio.create_task(follow(http.url, game, show))
    try:
        while not following.done():
            await asyncio.wait((following,), timeout=LOOK_SECONDS)
            if not following.done():
                await _look(http, choice, pause=0)
                if choice.best(game, time.monotonic()) != game:
                    return
        with contextlib.suppress(NoSuchGame):  # the arena has forgotten it
            following.result()
        choice.leave(game)
        await _look(http, choice, pause=LINGER_SECONDS)
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def _look(http: ArenaHttp, choice: "Choice", *, pause: float = LOOK_SECONDS) -> None:
    await asyncio.sleep(pause)
    with contextlib.suppress(ArenaError):  # it comes back, or the follower tells
        choice.look(await http.games(), time.monotonic())


class Choice:
    """Which game to show: the newest that is played and has moves, no sooner than it is dull."""

    def __init__(self) -> None:
        self._playing: list[str] = []
        self._plies: dict[str, int] = {}
        self._moved: dict[str, float] = {}
        self._left: set[str] = set()

    def look(self, games: list[dict[str, Any]], now: float) -> None:
        """Take note of the arena's list, newest first."""
        self._playing = [game["game"] for game in games if game["status"] == "playing"]
        for game in games:
            name, plies = game["game"], game["plies"]
            if self._plies.get(name) != plies:
                self._plies[name], self._moved[name] = plies, now

    def leave(self, game: str) -> None:
        """Never choose a game again."""
        self._left.add(game)

    def best(self, current: str | None, now: float) -> str | None:
        """The game to show; `current` unless it is dull and another is not."""
        able = [game for game in self._playing if game not in self._left]
        lively = [g for g in able if self._plies[g] > 0 and now - self._moved[g] <= QUIET_SECONDS]
        if current is not None and (current in lively or not lively):
            return current
        return next(iter([*lively, *[g for g in able if self._plies[g] > 0], *able]), None)
