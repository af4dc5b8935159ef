"""A session in the words of the protocol."""

from collections.abc import Sequence
from typing import Literal

from engine.game import Outcome
from proofs.signing import side_player
from server import messages as m
from server.effects import Emit, Ended, Terms
from server.ply import Line, Ply, hex_of


def snapshot(
    terms: Terms,
    line: Line,
    *,
    status: Literal["opening", "playing", "ended"],
    ended: Ended | None,
    opening: m.Opening,
    clocks: m.Clocks,
    spectators: int,
    waiting: str | None = None,
    away: Sequence[m.Away] = (),
) -> m.Snapshot:
    """The game as a whole."""
    signed = terms.open
    return m.Snapshot(
        game=hex_of(line.id),
        chain_id=terms.domain.chain_id,
        arena=terms.domain.arena,
        white=side_of(terms, signed.white),
        black=side_of(terms, signed.black),
        opener=signed.opener,
        clock=clock_of(terms),
        start_fen=line.start_fen,
        status=status,
        result=result_of(ended.outcome) if ended else None,
        open_stage=opening,
        moves=[ply.record() for ply in line.plies],
        history=hex_of(line.history),
        clocks=clocks,
        spectators=spectators,
        waiting=waiting,
        away=list(away),
    )


def side_of(terms: Terms, side: bytes) -> m.Side:
    address = side_player(side)
    if address is not None:
        return m.PlayerSide(address=address)
    bot = terms.bots.get(side)
    return m.BotSide(version=hex_of(side), name=bot.name if bot else "unknown")


def clock_of(terms: Terms) -> m.ClockTerms:
    signed = terms.open
    return m.ClockTerms(
        base_seconds=signed.base_seconds,
        increment_seconds=signed.increment_seconds,
        delay_seconds=signed.delay_seconds,
    )


def result_of(outcome: Outcome) -> m.Result:
    return m.Result(result=str(outcome.result), reason=str(outcome.reason))


def proof_event(ply: Ply) -> Emit:
    assert ply.stage in ("queued", "proving", "proved")
    data = m.ProofData(
        ply=ply.number,
        stage=ply.stage,
        at=ply.at[ply.stage],
        queue_position=ply.queue_position,
        wait_seconds=ply.wait_seconds,
        prove_seconds=ply.prove_seconds,
        cpu_seconds=ply.cpu_seconds,
        proof=None if ply.proof is None else hex_of(ply.proof),
    )
    return Emit(m.ProofEvent(d=data))


def chain_event(
    ply: int,
    stage: Literal["submitted", "verified", "rejected"],
    now: float,
    *,
    tx: str | None = None,
    gas: int | None = None,
    block: int | None = None,
    reason: str | None = None,
) -> Emit:
    data = m.ChainData(ply=ply, stage=stage, at=now, tx=tx, gas=gas, block=block, reason=reason)
    return Emit(m.ChainEvent(d=data))
