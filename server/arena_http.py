"""The arena's JSON API, as a client asks it."""

import re
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

from server.errors import NoSuchGame, NotAnArena, Unreachable

DEFAULT_URL: Final = "http://127.0.0.1:8000"

_TIMEOUT: Final = aiohttp.ClientTimeout(total=20, connect=5)
_DIGITS: Final = re.compile(r"(0x)?[0-9a-fA-F]{4,64}")


def is_game_name(text: str) -> bool:
    """Whether it is a game's id or at least four of its first digits."""
    return _DIGITS.fullmatch(text) is not None


class ArenaHttp:
    """Questions to the arena at an http URL.  All raise Unreachable and NotAnArena."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._http = aiohttp.ClientSession(timeout=_TIMEOUT)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.close()

    async def text(self, path: str) -> str:
        """What is at a path below the URL."""
        try:
            async with self._http.get(self.url + path) as answer:
                text = await answer.text()
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Unreachable(self.url, error) from None
        if answer.status >= 500:
            raise Unreachable(self.url, f"status {answer.status}")
        if answer.status != 200:
            raise NotAnArena(self.url, f"status {answer.status} for {path}")
        return text

    async def json(self, path: str) -> Any:
        try:
            async with self._http.get(self.url + path) as answer:
                value = await answer.json()
        except (aiohttp.ContentTypeError, UnicodeDecodeError) as error:
            raise NotAnArena(self.url, f"{path} is no JSON") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Unreachable(self.url, error) from None
        if answer.status >= 500:
            raise Unreachable(self.url, _told(value) or f"status {answer.status}")
        if answer.status != 200:
            raise NotAnArena(self.url, f"status {answer.status} for {path}")
        return value

    async def games(self) -> list[dict[str, Any]]:
        """The newest games, newest first."""
        games = await self.json("/api/games")
        if not isinstance(games, list) or not all(
            isinstance(game, dict) and {"game", "status", "plies"} <= game.keys() for game in games
        ):
            raise NotAnArena(self.url, "its list of games is none")
        return games

    async def find_game(self, name: str) -> str:
        """The full id of the game whose id begins with these digits, as 0x hex.

        Raises NoSuchGame where there is none, or more than one.
        """
        wanted = "0x" + name.lower().removeprefix("0x")
        if len(wanted) == 66:
            return wanted
        found = [game["game"] for game in await self.games() if game["game"].startswith(wanted)]
        if len(found) != 1:
            raise NoSuchGame(self.url, f"{wanted}… (it fits {len(found)} games)")
        game: str = found[0]
        return game


def _told(value: Any) -> str | None:
    """The message of an error in JSON."""
    try:
        text = value["error"]["message"]
    except (KeyError, TypeError):
        return None
    return text if isinstance(text, str) else None
