"""What a reader was shown: gaps, repetitions and silent take-backs are noticed."""

import json

import pytest

from server.bench.screen import Screen
from tests.server.bench.frames import GAME, Teller, history


@pytest.fixture
def teller() -> Teller:
    return Teller()


@pytest.fixture
def screen(teller: Teller) -> Screen:
    """A reader that has come, and saw one verified move."""
    screen = Screen(GAME)
    screen.connect()
    screen.frame(teller.snapshot())
    screen.frame(teller.move(5))
    screen.frame(teller.chain(0, "verified"))
    return screen


def test_followsAGame(screen: Screen, teller: Teller) -> None:
    screen.frame(teller.move(7))
    assert [move.index for move in screen.moves] == [5, 7]
    assert screen.history == history(5, 7)
    assert screen.verified == 1
    assert screen.final == {0: (5, history(5))}
    assert screen.is_whole
    assert screen.faults == []


def test_aGapIsAFault(screen: Screen, teller: Teller) -> None:
    teller.move(7)
    screen.frame(teller.chain(1, "submitted"))
    assert screen.faults == ["reader: version 104 came where 103 was due"]


def test_aVersionTwiceIsAFault(screen: Screen, teller: Teller) -> None:
    wire = teller.move(7)
    screen.frame(wire)
    screen.frame(wire)
    assert screen.faults


def test_whatWasMissedComesAfterAReconnect(screen: Screen, teller: Teller) -> None:
    missed = [teller.move(7), teller.chain(1, "submitted")]
    screen.connect(screen.version)
    for wire in missed:
        screen.frame(wire)
    assert screen.faults == []
    assert screen.moves[1].stage == "submitted"


def test_aGapAfterAReconnectIsAFault(screen: Screen, teller: Teller) -> None:
    teller.move(7)
    screen.connect(screen.version)
    screen.frame(teller.chain(1, "submitted"))
    assert screen.faults


def test_anEventBeforeAnySnapshotIsAFault(screen: Screen, teller: Teller) -> None:
    screen.connect()
    screen.frame(teller.move(7))
    assert screen.faults


def test_aSnapshotOfAnEarlierVersionIsAFault(screen: Screen, teller: Teller) -> None:
    teller.version = 50
    screen.connect(screen.version)
    screen.frame(teller.snapshot())
    assert screen.faults


def test_whatIsToldAgainMustBeTheSame(screen: Screen, teller: Teller) -> None:
    wire = teller.move(7)
    screen.frame(wire)
    assert screen.version is not None
    screen.connect(screen.version - 1)
    screen.frame(wire)
    screen.frame(teller.chain(1, "submitted"))
    assert screen.faults == []
    screen.connect(screen.version - 2)
    other = json.loads(wire)
    other["d"]["index"] = 8
    screen.frame(json.dumps(other))
    assert screen.faults == ["reader: version 103 (move) was told twice, differently"]
    assert screen.moves[1].index == 7


def test_aWholeGameAmongWhatWasMissedIsAnEventAsAnyOther(screen: Screen, teller: Teller) -> None:
    whole = teller.full()
    screen.frame(whole)
    screen.frame(teller.move(7))
    known = screen.version
    assert known is not None
    screen.connect(known - 2)
    screen.frame(whole)
    assert screen.faults == []
    assert screen.version == known
    screen.connect(known - 2)
    screen.frame(whole.replace('"stage": "verified"', '"stage": "proposed"'))
    assert screen.faults == [f"reader: version {known - 1} (full) was told twice, differently"]


def test_aFullThatTakesBackAVerifiedMoveIsAFault(screen: Screen, teller: Teller) -> None:
    teller.stages[0] = "submitted"
    screen.frame(teller.full())
    assert screen.faults == ["reader: ply 0 was verified, and was taken back without a word"]


def test_anotherMoveInItsPlaceIsAFault(screen: Screen, teller: Teller) -> None:
    teller.take_back(0)
    screen.frame(teller.move(6, "verified"))
    assert screen.faults


def test_aStageThatGoesBackIsAFault(screen: Screen, teller: Teller) -> None:
    screen.frame(teller.chain(0, "submitted"))
    assert screen.faults


def test_aCorrectionMayTakeBack(screen: Screen, teller: Teller) -> None:
    screen.frame(teller.correction(0, "reorg"))
    assert not screen.is_whole
    assert screen.final == {}
    teller.stages[0] = "submitted"
    screen.frame(teller.full())
    screen.frame(teller.chain(0, "verified"))
    assert screen.faults == []
    assert screen.final == {0: (5, history(5))}
    assert [c.cause for c in screen.corrections] == ["reorg"]


def test_aCorrectionOfALaterPlyIsNoExcuse(screen: Screen, teller: Teller) -> None:
    screen.frame(teller.correction(1, "reorg"))
    teller.stages[0] = "submitted"
    screen.frame(teller.full())
    assert screen.faults


def test_anEndTakenBackWithoutAWordIsAFault(screen: Screen, teller: Teller) -> None:
    screen.frame(teller.end("1-0", "resignation"))
    teller.result = None
    screen.frame(teller.full())
    assert screen.faults


def test_anEndMayBeCorrected(screen: Screen, teller: Teller) -> None:
    screen.frame(teller.end("1-0", "resignation"))
    screen.frame(teller.correction(1, "reorg"))
    assert screen.result is None
    teller.result = None
    screen.frame(teller.full())
    assert screen.faults == []


def test_whoLoadsThePageAnewIsToldTheStateOfNow(screen: Screen, teller: Teller) -> None:
    teller.stages[0] = "submitted"
    screen.connect()
    screen.frame(teller.snapshot())
    assert screen.faults == []
    assert screen.final == {}
