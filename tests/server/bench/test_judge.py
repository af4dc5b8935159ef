"""The judge of a fault campaign: a run that would hide harm must not pass."""

import pytest

from server.bench.judge import Ack, Case, Truth, judge, unsettled
from server.bench.screen import Screen
from tests.server.bench.frames import GAME, Teller, history

MATE = ("1-0", "checkmate")


@pytest.fixture
def teller() -> Teller:
    return Teller()


@pytest.fixture
def case(teller: Teller) -> Case:
    """A player whose first move was acknowledged and answered; both were shown as verified."""
    screen = Screen(GAME, "player")
    screen.connect()
    screen.frame(teller.snapshot())
    screen.frame(teller.move(5))
    ack = Ack(0, 5, GAME, screen.order)
    screen.frame(teller.move(7))
    screen.frame(teller.chain(0, "verified"))
    screen.frame(teller.chain(1, "verified"))
    return Case(GAME, [screen], [ack])


def test_aFaithfulGameIsClean(case: Case) -> None:
    truths = {GAME: Truth((5, 7))}
    assert judge([case], truths).is_clean
    assert not unsettled([case], truths)


def test_aGameThatIsNotOnTheChainIsLost(case: Case) -> None:
    verdict = judge([case], {})
    assert len(verdict.lost) == 1
    assert len(verdict.wrong) == 1


def test_aRejectedOpeningThatWasToldIsNot(teller: Teller) -> None:
    screen = Screen(GAME, "player")
    screen.connect()
    screen.frame(teller.snapshot())
    screen.frame(teller.chain(-1, "rejected"))
    assert judge([Case(GAME, [screen])], {}).is_clean


def test_anAcknowledgedMoveThatIsNotOnTheChainIsLost(case: Case) -> None:
    case.acks.append(Ack(2, 9, history(5, 7), case.player.order))
    verdict = judge([case], {GAME: Truth((5, 7))})
    assert verdict.lost == [f"{GAME[:10]}: the acknowledged move of ply 2 is gone"]


def test_anotherMoveInItsPlaceIsALoss(case: Case) -> None:
    case.acks.append(Ack(2, 9, history(5, 7), case.player.order))
    assert judge([case], {GAME: Truth((5, 7, 8))}).lost


def test_theSameMoveOfAnotherLineIsALoss(case: Case) -> None:
    case.acks.append(Ack(2, 9, history(5, 6), case.player.order))
    assert judge([case], {GAME: Truth((5, 7, 9))}).lost


def test_aReorgIsNoExcuse(case: Case, teller: Teller) -> None:
    case.acks.append(Ack(2, 9, history(5, 7), case.player.order))
    case.player.frame(teller.correction(0, "reorg"))
    case.player.frame(teller.full())
    assert judge([case], {GAME: Truth((5, 7))}).lost


@pytest.mark.parametrize(("ply", "is_lost"), [(1, False), (2, False), (3, True)])
def test_aCorrectionThatSaysWhyIs_ofItsPlyAndLaterOnes(
    case: Case, teller: Teller, ply: int, is_lost: bool
) -> None:
    case.acks.append(Ack(2, 9, history(5, 7), case.player.order))
    case.player.frame(teller.correction(ply, "refused"))
    case.player.frame(teller.full())
    assert bool(judge([case], {GAME: Truth((5, 7))}).lost) == is_lost


def test_aCorrectionBeforeThePromiseIsNoExcuse(case: Case, teller: Teller) -> None:
    case.player.frame(teller.correction(0, "refused"))
    case.player.frame(teller.full())
    case.acks.append(Ack(2, 9, history(5, 7), case.player.order))
    assert judge([case], {GAME: Truth((5, 7))}).lost


def test_anEndThatCameFirstIsAnExcuseOnceItIsShown(case: Case, teller: Teller) -> None:
    case.acks.append(Ack(2, 9, history(5, 7), case.player.order))
    truths = {GAME: Truth((5, 7), MATE)}
    assert judge([case], truths).lost
    case.player.frame(teller.end(*MATE))
    assert judge([case], truths).is_clean


def test_aVerifiedMoveThatTheChainDoesNotHoldIsWrong(case: Case) -> None:
    verdict = judge([case], {GAME: Truth((5,))})
    assert verdict.wrong == [f"{GAME[:10]} player: ply 1 is not verified as shown"]
    assert judge([case], {GAME: Truth((5, 8))}).wrong


def test_aSpectatorIsNotToBeLiedToEither(case: Case, teller: Teller) -> None:
    spectator = Screen(GAME, "spectator")
    spectator.connect()
    teller.indices[1] = 8
    spectator.frame(teller.snapshot())
    case.screens.append(spectator)
    assert judge([case], {GAME: Truth((5, 7))}).wrong


@pytest.mark.parametrize("result", [None, ("0-1", "resignation")])
def test_anEndThatTheChainDoesNotHoldIsWrong(
    case: Case, teller: Teller, result: tuple[str, str] | None
) -> None:
    case.player.frame(teller.end(*MATE))
    assert judge([case], {GAME: Truth((5, 7), result)}).wrong


def test_whatTheScreenFoundIsWrong(case: Case, teller: Teller) -> None:
    teller.move(9)
    case.player.frame(teller.chain(2, "submitted"))
    assert judge([case], {GAME: Truth((5, 7))}).wrong


def test_unsettled_ifTheChainHoldsMoreThanIsShown(case: Case) -> None:
    assert unsettled([case], {GAME: Truth((5, 7, 9))})
    assert unsettled([case], {GAME: Truth((5, 7), MATE)})
