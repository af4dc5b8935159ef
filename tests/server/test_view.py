"""What someone who looks on knows after each event."""

from typing import Any

import pytest

from server import messages as m
from server.view import MissedEvent, View
from tests.server.play import Table
from tests.server.test_session import E4


def shown(*more: m.GameEvent) -> View:
    """A view of a game in which 1. e4 was answered, after `more` events."""
    table = Table()
    table.move(E4)
    view = View()
    view.apply(m.FullEvent(d=table.session.snapshot(), v=7))
    for number, event in enumerate(more, start=8):
        view.apply(event.model_copy(update={"v": number}))
    return view


def proof(stage: Any, **more: Any) -> m.ProofEvent:
    return m.ProofEvent(d=m.ProofData(ply=1, stage=stage, at=5.0, **more))


def chain(ply: int, stage: Any, **more: Any) -> m.ChainEvent:
    return m.ChainEvent(d=m.ChainData(ply=ply, stage=stage, at=6.0, **more))


def test_a_ply_is_brought_up_to_date() -> None:
    view = shown(
        proof("queued", queue_position=2, wait_seconds=4.5),
        proof("proving"),
        proof("proved", prove_seconds=1.5, proof="0xab"),
        chain(1, "submitted", tx="0x01", reason="no answer"),
        chain(1, "verified", tx="0x01", gas=5),
    )
    ply = view.moves[1]
    assert (ply.stage, ply.proof, ply.gas, ply.reason) == ("verified", "0xab", 5, None)
    assert (ply.queue_position, ply.wait_seconds) == (None, None)
    assert {"queued", "proving", "proved", "submitted", "verified"} <= ply.at.keys()
    assert view.version == 12


def test_a_place_in_the_queue_lasts_until_the_next_word() -> None:
    view = shown(proof("queued", queue_position=2, wait_seconds=4.5))
    assert (view.moves[1].queue_position, view.moves[1].wait_seconds) == (2, 4.5)
    view = shown(proof("queued", queue_position=2, wait_seconds=4.5), proof("proving"))
    assert (view.moves[1].queue_position, view.moves[1].wait_seconds) == (None, None)


def test_a_correction_outlives_the_whole_game_that_follows_it() -> None:
    told = m.CorrectionData(ply=1, cause="reorg", message="the chain lost block 9", at=1.0)
    table = Table()
    view = shown(
        m.CorrectionEvent(d=told),
        m.WaitingEvent(d=m.WaitingData(reason="the chain does not answer", at=2.0)),
    )
    assert view.waiting == "the chain does not answer"
    view.apply(m.FullEvent(d=table.session.snapshot(), v=10))
    assert view.corrections == [told]
    assert view.moves == []
    assert view.waiting is None


def test_an_end_may_be_taken_back() -> None:
    end = m.EndData(result="1-0", reason="checkmate", tx="0x01")
    view = shown(m.EndEvent(d=end))
    assert view.end == end
    view.apply(m.FullEvent(d=Table().session.snapshot(), v=9))
    assert view.end is None


def test_opening_clocks_and_spectators() -> None:
    clocks = m.Clocks(white=1, black=2, running="black", at=3)
    view = shown(
        chain(-1, "verified", tx="0x02"),
        m.ClockEvent(d=clocks),
        m.SpectatorsEvent(d=m.SpectatorsData(count=4)),
    )
    assert view.opening == m.Opening(stage="verified", tx="0x02")
    assert (view.clocks, view.spectators) == (clocks, 4)


def test_a_left_out_version_is_noticed_and_changes_nothing() -> None:
    view = shown()
    with pytest.raises(MissedEvent, match="the next event is 8, not 9"):
        view.apply(m.EndEvent(d=m.EndData(result="1-0", reason="checkmate", tx=None), v=9))
    assert (view.end, view.version) == (None, 7)
    assert view.has(0, E4)
    assert not view.has(2, E4)
