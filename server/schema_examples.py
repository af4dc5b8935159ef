"""One frame of each kind, as it could travel: a game's first moves against a bot.

They are shown in the schema, and a test sends those of a client to a server.
"""

from typing import Any, Final

import chess
from pydantic_core import from_json

from server import messages as m

GAME: Final = "0x" + "6a" * 32
BOT: Final = "0x" + "b0" * 32
PLAYER: Final = "0x" + "a1" * 20
_ARENA: Final = "0x" + "c3" * 20
_COMMITMENT: Final = "0x" + "04" * 32
_SIGNATURE: Final = "0x" + "5e" * 64 + "1b"
_HISTORY: Final = "0x" + "41" * 32
_TX: Final = "0x" + "7c" * 32
_AFTER_E4: Final = "rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b KQkq - 0 1"
_E4: Final = 322
_NOW: Final = 1_767_225_600.0

_MOVE: Final = m.MoveRecord(
    ply=0,
    color="white",
    by="player",
    index=_E4,
    uci="e2e4",
    san="e4",
    fen=_AFTER_E4,
    history=_HISTORY,
    stage="proposed",
    at={"proposed": _NOW},
)
_CLOCKS: Final = m.Clocks(white=600, black=600, running="white", at=_NOW)


def _open() -> dict[str, Any]:
    return {
        "opener": PLAYER,
        "white": "0x" + PLAYER[2:].rjust(64, "0"),
        "black": BOT,
        "start": "0x" + "00" * 32,
        "startContext": 0,
        "baseSeconds": 600,
        "incrementSeconds": 5,
        "delaySeconds": 0,
        "commitment": _COMMITMENT,
        "seed": "0x" + "5d" * 32,
        "expires": int(_NOW) + 600,
        "nonce": "0",
    }


COMMANDS: Final[dict[str, dict[str, Any]]] = {
    "offer": {"bot": BOT},
    "open": {"open": _open(), "signature": _SIGNATURE},
    "move": {"ply": 0, "index": _E4, "signature": _SIGNATURE},
    "resign": {"signature": _SIGNATURE},
    "abort": {"signature": _SIGNATURE},
    "draw": {"ply": 0, "signature": _SIGNATURE},
    "timeout": {},
    "ping": {},
}

_SNAPSHOT: Final = m.Snapshot(
    game=GAME,
    chain_id=31337,
    arena=_ARENA,
    white=m.PlayerSide(address=PLAYER),
    black=m.BotSide(version=BOT, name="pawn"),
    opener=PLAYER,
    clock=m.ClockTerms(base_seconds=600, increment_seconds=5, delay_seconds=0),
    start_fen=chess.STARTING_FEN,
    status="playing",
    result=None,
    open_stage=m.Opening(stage="verified", tx=_TX, gas=181_000),
    moves=[_MOVE],
    history=_HISTORY,
    clocks=_CLOCKS,
    spectators=1,
)

EVENTS: Final[tuple[m.GameEvent, ...]] = (
    m.FullEvent(d=_SNAPSHOT, v=7),
    m.MoveEvent(d=_MOVE, v=7),
    m.ProofEvent(
        d=m.ProofData(ply=1, stage="queued", at=_NOW, queue_position=2, wait_seconds=1.5), v=8
    ),
    m.ChainEvent(
        d=m.ChainData(ply=0, stage="verified", at=_NOW, tx=_TX, gas=75_300, block=12), v=9
    ),
    m.ClockEvent(d=_CLOCKS, v=10),
    m.EndEvent(d=m.EndData(result="0-1", reason="resignation", tx=_TX), v=11),
    m.CorrectionEvent(
        d=m.CorrectionData(
            ply=1, cause="reorg", message="the chain lost blocks from ply 1 on", at=_NOW
        ),
        v=12,
    ),
    m.WaitingEvent(d=m.WaitingData(reason="the chain does not answer", at=_NOW), v=13),
    m.SpectatorsEvent(d=m.SpectatorsData(count=3), v=14),
)

REPLIES: Final[tuple[m.Reply, ...]] = (
    m.Offered(id=1, d=m.OfferReply(commitment=_COMMITMENT, expires=int(_NOW) + 600)),
    m.Opened(id=2, d=m.OpenedReply(game=GAME)),
    m.Ack(id=3),
    m.Pong(id=4, d=m.PongReply(at=_NOW)),
    m.error_reply(5, "illegal_move", "e2e5 is no legal move"),
)

ANSWERS: Final = {"offer": "offer", "open": "opened", "ping": "pong"}
"""The answer to a command that is taken; `ack` to all others, `error` to what is refused."""


def commands() -> dict[str, dict[str, Any]]:
    """A whole frame of each type."""
    return {kind: {"t": kind, "id": n, "d": d} for n, (kind, d) in enumerate(COMMANDS.items(), 1)}


def events() -> dict[str, dict[str, Any]]:
    return {event.t: from_json(m.to_wire(event)) for event in EVENTS}


def replies() -> dict[str, dict[str, Any]]:
    return {reply.t: from_json(m.to_wire(reply)) for reply in REPLIES}
