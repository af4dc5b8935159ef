"""`checkproof games`: the arena's games, as the server tells them or from the chain alone."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from engine.game import Reason, Result
from proofs.records import OnChainGame, Opening
from proofs.signing import side_player
from server.arena_http import ArenaHttp
from server.cli_out import console, print_json, table
from server.house import bot_name

if TYPE_CHECKING:
    from server.cli_source import Where

Say = Callable[[str], None]
_AT_ONCE: Final = 16
_COLUMNS: Final = ("game", "white", "black", "moves", "state")


def run_games_of_server(url: str, *, as_json: bool) -> None:
    """Print what the arena at `url` hosts, newest first.  Raises ArenaError."""

    async def read() -> list[dict[str, Any]]:
        async with ArenaHttp(url) as http:
            return await http.games()

    _print(asyncio.run(read()), as_json=as_json)


def run_games_of_chain(where: "Where", *, as_json: bool, say: Say) -> None:
    """Print what the contract holds, newest first.  Raises ProofError."""
    from server.cli_source import open_chain  # noqa: PLC0415  it takes a second

    async def read() -> list[dict[str, Any]]:
        async with open_chain(where, say) as chain:
            names = {bot.id: bot_name(bot.metadata) for bot in await chain.bots()}
            openings = await chain.all_games()
            told: list[dict[str, Any]] = []
            for start in range(0, len(openings), _AT_ONCE):
                some = openings[start : start + _AT_ONCE]
                states = await asyncio.gather(*(chain.game(o.game) for o in some))
                told += map(_game, some, states, [names] * len(some))
            return told[::-1]

    _print(asyncio.run(read()), as_json=as_json)


def _game(opening: Opening, state: OnChainGame, names: dict[bytes, str]) -> dict[str, Any]:
    """As /api/games tells it, as far as the contract knows."""
    result = Result(state.result)
    ended = result is not Result.ONGOING
    return {
        "game": "0x" + opening.game.hex(),
        "white": _side(opening.open.white, names),
        "black": _side(opening.open.black, names),
        "status": "ended" if ended else "playing",
        "result": {"result": str(result), "reason": str(Reason(state.reason))} if ended else None,
        "clock": {
            "baseSeconds": opening.open.base_seconds,
            "incrementSeconds": opening.open.increment_seconds,
            "delaySeconds": opening.open.delay_seconds,
        },
        "plies": state.ply - state.first_ply,
        "verified": state.ply - state.first_ply,
        "opened": opening.time,
        "tx": opening.tx,
    }


def _side(side: bytes, names: dict[bytes, str]) -> dict[str, str]:
    address = side_player(side)
    if address is not None:
        return {"kind": "player", "address": address}
    return {"kind": "bot", "version": "0x" + side.hex(), "name": names.get(side, "unknown")}


def _print(games: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json(games)
    elif games:
        last = "look on" if "spectators" in games[0] else "opened"
        console().print(table((*_COLUMNS, last), map(_row, games)))
    else:
        console().print("no games yet")


def _row(game: dict[str, Any]) -> tuple[str, ...]:
    plies, verified = game["plies"], game.get("verified", game["plies"])
    moves = f"{plies}" if plies == verified else f"{plies}, {verified} verified"
    result = game.get("result")
    state = f"{result['result']} {result['reason']}" if result else str(game["status"])
    seen = game.get("spectators")
    looking = _day(game.get("opened")) if seen is None else str(seen)
    sides = (_name(game["white"]), _name(game["black"]))
    return (str(game["game"])[:12], *sides, moves, state, looking)


def _day(opened: int | None) -> str:
    return "" if opened is None else f"{datetime.fromtimestamp(opened, UTC):%Y-%m-%d %H:%M} UTC"


def _name(side: dict[str, str]) -> str:
    if side["kind"] == "bot":
        return f"bot {side['name']}"
    return f"{side['address'][:8]}…{side['address'][-4:]}"
