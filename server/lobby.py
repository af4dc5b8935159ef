"""What the lobby and the TV ask: the games, whom to feature, how the bots fared.

Every open lobby asks every few seconds, so the answer is made once a second for all of them.
"""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from aiohttp import web

from engine.game import Result
from proofs.signing import side_player
from server.hosted import Hosted
from server.info import BotInfo
from server.pages import summary
from server.ply import hex_of
from server.site import SITE, Site

routes = web.RouteTableDef()


@dataclass(frozen=True)
class Strength:
    """How strong a net is: Elo with its error where that is measured, and a plain comparison."""

    text: str
    elo: int | None = None
    error: int | None = None


STRENGTH: Final[Mapping[str, Strength]] = {
    "1b878df1515b63d6b9471b61770b819b6b3f0f2bacc8a9a6c8fd153a3cf3f384": Strength(
        "183 of 200 points against a greedy mover", elo=1176, error=37
    ),
    "41392816fe33660c73661f1097ad9b57502523a315ceeca71192c86316fe441c": Strength(
        "189 of 200 points against a greedy mover", elo=1289, error=34
    ),
    "ef92a00198dfa3e51e0e81f2ba48647a422a99291762895c84e3d1f80bc7a3f5": Strength(
        "195.5 of 200 points against a greedy mover", elo=1343, error=33
    ),
    "48c8aabf23257e4740fa920d99fc34a02ca455959201ddfd8dac16a35c753160": Strength(
        "139 of 200 points against a greedy mover"
    ),
}
"""What is known of a net, by its hash; docs/training.md and docs/bring-your-net.md tell how.

Elo is that of `checkproof bench elo`: Stockfish with UCI_Elo 1350 at 500 nodes has 1350.
"""

_KEPT_SECONDS: Final = 1.0
_LIVE: Final = 40
_OVER: Final = 40
_KEPT: Final = web.AppKey("lobby", dict[str, Any])


@dataclass
class Record:
    """A bot's finished games, from its own point of view."""

    wins: int = 0
    draws: int = 0
    losses: int = 0


@routes.get("/api/lobby")
async def lobby(request: web.Request) -> web.Response:
    """The games in short, the featured one, how many look on, and what is known of each bot."""
    site, kept = request.app[SITE], request.app[_KEPT]
    if site.arena is None:
        raise web.HTTPServiceUnavailable(text=f"warming up: {site.warming}\n")
    if time.monotonic() >= kept.get("until", 0):
        kept.update(until=time.monotonic() + _KEPT_SECONDS, told=json.dumps(_told(site)))
    return web.json_response(text=kept["told"], headers={"Cache-Control": "no-store"})


def set_up(app: web.Application) -> None:
    """Add the lobby's questions to an application."""
    app[_KEPT] = {}
    app.add_routes(routes)


def _told(site: Site) -> dict[str, Any]:
    assert site.arena is not None
    games = list(site.arena.games())
    shown = featured(games, site.arena.now())
    going = [game for game in games if game.session.status != "ended"]
    over = [game for game in games if game.session.status == "ended"]
    return {
        "games": [summary(game) for game in (*going[:_LIVE], *over[:_OVER])],
        "featured": hex_of(shown.session.id) if shown else None,
        "watching": len(site.sockets) + site.streams,
        "records": {bot: asdict(record) for bot, record in records(games).items()},
        "strength": _strength(site.info.bots if site.info else ()),
    }


def _strength(bots: Iterable[BotInfo]) -> dict[str, dict[str, Any]]:
    known = ((bot.version, STRENGTH.get(bot.net_hash.removeprefix("0x"))) for bot in bots)
    return {version: asdict(strength) for version, strength in known if strength is not None}


def featured(games: Iterable[Hosted], now: float) -> Hosted | None:
    """The game to show: of those that go on a person's first, then the most watched, the newest.

    `games` are the newest first.  None if none goes on.
    """
    live = [game for game in games if _is_live(game, now)]
    return max(live, key=_interest, default=None)  # the first of equals is the newest


def _is_live(hosted: Hosted, now: float) -> bool:
    session = hosted.session
    return session.status == "playing" and not session.is_over and not session.is_flagged(now)


def _interest(hosted: Hosted) -> tuple[bool, int]:
    return bool(hosted.session.players), hosted.room.spectators


def records(games: Iterable[Hosted]) -> dict[str, Record]:
    """The finished games of each bot version, as the contract ended them."""
    found: dict[str, Record] = {}
    for hosted in games:
        ended = hosted.session.ended
        if ended is None:
            continue
        opening = hosted.session.terms.open
        for side, won in ((opening.white, Result.WHITE_WINS), (opening.black, Result.BLACK_WINS)):
            if side_player(side) is None:
                _count(found.setdefault(hex_of(side), Record()), ended.outcome.result, won)
    return found


def _count(record: Record, result: Result, won: Result) -> None:
    if result is Result.DRAW:
        record.draws += 1
    elif result is won:
        record.wins += 1
    elif result in (Result.WHITE_WINS, Result.BLACK_WINS):
        record.losses += 1
