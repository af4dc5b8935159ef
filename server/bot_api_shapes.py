"""A game in the shapes of Lichess's Bot API: what existing bot programs read.

    gameFull   the game once:  id, variant, clock, players, initialFen, state
    gameState  what changes:   moves as UCI with spaces, clocks in ms, status, winner

Names are theirs; see https://lichess.org/api.  What the arena has not (ratings, chat, titles of
people) is left out or empty.
"""

import time
from typing import Any, Final

import chess

from server import messages as m
from server.view import View

VARIANT: Final = {"key": "standard", "name": "Standard", "short": "Std"}
FROM_POSITION: Final = {"key": "fromPosition", "name": "From Position", "short": "FEN"}
_STATUS: Final = {
    "checkmate": "mate",
    "stalemate": "stalemate",
    "resignation": "resign",
    "timeout": "outoftime",
    "aborted": "aborted",
}
_WINNER: Final = {"1-0": "white", "0-1": "black"}


def user_name(address: str) -> str:
    """A player's name: an address is all that the arena knows of him."""
    return address.lower()


def never_began(view: View) -> bool:
    """Whether the contract refused the game's opening."""
    return view.opening is not None and view.opening.stage == "rejected"


def status_of(view: View) -> dict[str, Any]:
    """`status`, and `winner` where there is one."""
    if view.end is None:
        return {"status": "aborted" if never_began(view) else "started"}
    status = {"status": _STATUS.get(view.end.reason, "draw")}
    winner = _WINNER.get(view.end.result)
    return status | ({"winner": winner} if winner else {})


def moves_of(view: View) -> str:
    """The line as it is shown now: a correction takes moves back, as a takeback does there."""
    return " ".join(move.uci for move in view.moves)


def game_state(view: View) -> dict[str, Any]:
    snapshot = _snapshot(view)
    increment = 1000 * snapshot.clock.increment_seconds
    white, black = clocks_ms(view)
    return {
        "type": "gameState",
        "moves": moves_of(view),
        "wtime": white,
        "btime": black,
        "winc": increment,
        "binc": increment,
        "wdraw": False,
        "bdraw": False,
        **status_of(view),
    }


def game_full(view: View, *, began: float) -> dict[str, Any]:
    """`began` is a unix time."""
    snapshot = _snapshot(view)
    usual = snapshot.start_fen == chess.STARTING_FEN
    return {
        "type": "gameFull",
        "id": snapshot.game,
        "variant": VARIANT if usual else FROM_POSITION,
        "speed": speed_of(snapshot.clock),
        "perf": {"name": speed_of(snapshot.clock).capitalize()},
        "rated": False,
        "createdAt": int(1000 * began),
        "clock": {
            "initial": 1000 * snapshot.clock.base_seconds,
            "increment": 1000 * snapshot.clock.increment_seconds,
        },
        "white": _player(snapshot.white),
        "black": _player(snapshot.black),
        "initialFen": "startpos" if usual else snapshot.start_fen,
        "state": game_state(view),
    }


def game_info(view: View, color: m.Color) -> dict[str, Any]:
    """What gameStart and gameFinish say, and the list of games that go on."""
    snapshot = _snapshot(view)
    other = snapshot.black if color == "white" else snapshot.white
    white, black = clocks_ms(view)
    status = status_of(view)
    usual = snapshot.start_fen == chess.STARTING_FEN
    return {
        "id": snapshot.game,
        "gameId": snapshot.game,
        "fullId": snapshot.game,
        "fen": view.fen,
        "color": color,
        "lastMove": view.moves[-1].uci if view.moves else "",
        "source": "friend",
        "status": {"id": _STATUS_IDS.get(status["status"], 34), "name": status["status"]},
        "variant": VARIANT if usual else FROM_POSITION,
        "speed": speed_of(snapshot.clock),
        "perf": speed_of(snapshot.clock),
        "rated": False,
        "hasMoved": len(view.moves) > 1,
        "opponent": {"id": _player(other)["id"], "username": _player(other)["name"]},
        "isMyTurn": view.end is None and _is_to_move(view, color),
        "secondsLeft": (white if color == "white" else black) // 1000,
        "compat": {"bot": True, "board": True},
        **({"winner": status["winner"]} if "winner" in status else {}),
    }


def challenge(view: View, color: m.Color) -> dict[str, Any]:
    """A challenge that was accepted as soon as it was made: its id is the game's."""
    snapshot = _snapshot(view)
    mine, other = snapshot.white, snapshot.black
    if color == "black":
        mine, other = other, mine
    return {
        "id": snapshot.game,
        "status": "accepted",
        "challenger": _player(mine),
        "destUser": _player(other),
        "variant": VARIANT if snapshot.start_fen == chess.STARTING_FEN else FROM_POSITION,
        "rated": False,
        "speed": speed_of(snapshot.clock),
        "timeControl": {
            "type": "clock",
            "limit": snapshot.clock.base_seconds,
            "increment": snapshot.clock.increment_seconds,
            "show": f"{snapshot.clock.base_seconds / 60:g}+{snapshot.clock.increment_seconds}",
        },
        "color": color,
        "finalColor": color,
    }


# theirs: lichess-org/scalachess, Status
_STATUS_IDS: Final = {
    "started": 20,
    "aborted": 25,
    "mate": 30,
    "resign": 31,
    "stalemate": 32,
    "draw": 34,
    "outoftime": 35,
}


def speed_of(clock: m.ClockTerms) -> str:
    """Lichess's classes, by the seconds that a game of 40 moves may take."""
    seconds = clock.base_seconds + 40 * clock.increment_seconds
    bounds = ((30, "ultraBullet"), (180, "bullet"), (480, "blitz"), (1500, "rapid"))
    return next((name for bound, name in bounds if seconds < bound), "classical")


def clocks_ms(view: View) -> tuple[int, int]:
    """White's and Black's time left now; the running clock goes on from when it was told."""
    clocks = view.clocks
    if clocks is None:
        return 0, 0
    gone = max(0.0, time.time() - clocks.at) if view.end is None else 0.0
    white = clocks.white - gone * (clocks.running == "white")
    black = clocks.black - gone * (clocks.running == "black")
    return max(0, int(1000 * white)), max(0, int(1000 * black))


def _is_to_move(view: View, color: m.Color) -> bool:
    return view.fen.split()[1] == color[0]


def _player(side: m.Side) -> dict[str, Any]:
    if isinstance(side, m.PlayerSide):
        name = user_name(side.address)
        return {"id": name, "name": name, "title": "BOT"}
    return {"id": side.name.lower(), "name": side.name, "title": "BOT"}


def _snapshot(view: View) -> m.Snapshot:
    assert view.snapshot is not None
    return view.snapshot
