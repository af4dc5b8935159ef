"""What a step changes of a game, as rows of the store; and games as the store tells them.

opening   the signed Open, its fields by name, bytes as hex
state     {"opening", "clocks", "ended", "endedAt", "resignation", "draw", "timeout", "abort"}
"""

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final

from engine.game import Outcome, Reason, Result
from proofs.signing import Open
from server import messages as m
from server.effects import (
    AbortGame,
    ClaimDraw,
    ClaimTimeout,
    Ended,
    ResignGame,
    SessionState,
    Terms,
)
from server.ply import Ply
from server.records import Batch, GameRow, PlyRow
from server.session import Session
from server.store import Store

_OPEN_BYTES: Final = ("white", "black", "start", "commitment", "seed")


# --- one game's writing -------------------------------------------------------------------------


class Journal:
    """Knows what was written of one game, to write no more than what has changed."""

    def __init__(self, session: Session, *, ours: bool, begun: float) -> None:
        self.ours = ours
        self.begun = begun
        self.ended_at: float | None = None
        self._session = session
        self._plies: list[PlyRow] = []
        self._state: str | None = None
        self._settled = 0

    def wrote(self, rows: list[PlyRow], state: str, ended_at: float | None) -> None:
        """The store holds this already."""
        self._plies, self._state, self.ended_at = list(rows), state, ended_at

    def batch(self, events: list[tuple[int, str]], now: float, *, whole: bool = False) -> Batch:
        """What has changed since the last batch.  `whole` looks at plies that were settled, too."""
        if self._session.ended is None:
            self.ended_at = None
        elif self.ended_at is None:
            self.ended_at = now
        state = dump_state(self._session.state, self.ended_at)
        batch = Batch(
            self._session.id,
            events,
            self._changed_plies(whole),
            keeps=self._dropped(),
            state=None if state == self._state else state,
        )
        self._state = state
        return batch

    def first(self, terms: Terms, batch: Batch, offer: bytes | None) -> Batch:
        """The same batch for a game that the store does not know."""
        assert self._state is not None
        game = GameRow(
            id=self._session.id,
            opening=dump_open(terms.open),
            signature=terms.signature,
            secret=terms.secret,
            ours=self.ours,
            begun=self.begun,
            state=self._state,
        )
        return replace(batch, game=game, offer=offer)

    def _dropped(self) -> int | None:
        line = self._session.line
        if (kept := len(line.plies)) >= len(self._plies):
            return None
        del self._plies[kept:]
        return line.next

    def _changed_plies(self, whole: bool) -> list[PlyRow]:
        line = self._session.line
        changed = []
        landed = len(line.plies) - len(line.pending)
        first = 0 if whole else min(self._settled, landed)
        for at, ply in enumerate(line.plies[first:], first):
            row = row_of(ply)
            if at < len(self._plies) and self._plies[at] == row:
                continue
            self._plies[at:] = [row, *self._plies[at + 1 :]]
            changed.append(row)
        self._settled = landed
        return changed


def row_of(ply: Ply) -> PlyRow:
    assert ply.stage is not None
    return PlyRow(
        number=ply.number,
        by=ply.by,
        move=ply.index,
        history=ply.history,
        stage=ply.stage,
        at=dict(ply.at),
        signature=ply.signature,
        proof=ply.proof,
        payee=None if ply.payee is None else f"0x{ply.payee:040x}",
        prove_seconds=ply.prove_seconds,
        cpu_seconds=ply.cpu_seconds,
        tx=ply.tx,
        gas=ply.gas,
        block=ply.block,
    )


# --- one game's reading -------------------------------------------------------------------------


@dataclass(frozen=True)
class Kept:
    """A game as the store kept it; `version` is that of the last event, which `events` may lack."""

    begun: float
    state: SessionState
    state_text: str
    ended_at: float | None
    plies: list[PlyRow]
    events: list[tuple[int, str]]
    version: int


def kept_game(store: Store, row: GameRow, *, events_hold: bool) -> Kept:
    """Read a game.  Without `events_hold` some that were shown may be missing: none is used."""
    state, ended_at = load_state(row.state)
    events = store.events(row.id)
    return Kept(
        begun=row.begun,
        state=state,
        state_text=row.state,
        ended_at=ended_at,
        plies=store.plies(row.id),
        events=events if events_hold else [],
        version=events[-1][0] if events else 0,
    )


# --- texts --------------------------------------------------------------------------------------


def dump_open(opening: Open) -> str:
    named = {field.name: getattr(opening, field.name) for field in fields(opening)}
    return json.dumps({k: v.hex() if isinstance(v, bytes) else v for k, v in named.items()})


def load_open(text: str) -> Open:
    named: dict[str, Any] = json.loads(text)
    return Open(**{**named, **{name: bytes.fromhex(named[name]) for name in _OPEN_BYTES}})


def dump_state(state: SessionState, ended_at: float | None) -> str:
    ended, draw = state.ended, state.draw
    return json.dumps(
        {
            "opening": state.opening.model_dump(),
            "clocks": state.clocks.model_dump(),
            "ended": ended and [*map(int, (ended.outcome.result, ended.outcome.reason)), ended.tx],
            "endedAt": ended_at,
            "resignation": state.resignation and state.resignation.signature.hex(),
            "draw": draw and [draw.ply, draw.signature.hex()],
            "timeout": state.timeout and asdict(state.timeout),
            "abort": state.abort and state.abort.signature.hex(),
        }
    )


def load_state(text: str) -> tuple[SessionState, float | None]:
    raw: dict[str, Any] = json.loads(text)
    ended, resignation, draw, timeout = (
        raw[name] for name in ("ended", "resignation", "draw", "timeout")
    )
    abort = raw.get("abort")  # not in what was written before there were aborts
    state = SessionState(
        opening=m.Opening(**raw["opening"]),
        clocks=m.Clocks(**raw["clocks"]),
        ended=ended and Ended(Outcome(Result(ended[0]), Reason(ended[1])), ended[2]),
        resignation=resignation and ResignGame(bytes.fromhex(resignation)),
        draw=draw and ClaimDraw(draw[0], bytes.fromhex(draw[1])),
        timeout=timeout and ClaimTimeout(**timeout),
        abort=abort and AbortGame(bytes.fromhex(abort)),
    )
    return state, raw["endedAt"]
