"""Games taken back by their player before the second move."""

import pytest

from engine.game import Reason, Result
from engine.start import Start
from proofs.signing import Domain, start_words
from tests.contracts.ground import Reverted
from tests.contracts.scene import STRANGER, Live, Scene
from tests.contracts.test_arena_endings import assert_ended

BLACK_FIRST = Start.from_fen("4k3/pppppppp/8/8/8/8/PPPPPPPP/4K3 b - - 0 1")


@pytest.fixture
def live(scene: Scene) -> Live:
    return scene.open()


@pytest.mark.parametrize("moves", ["", "e4"])
def test_abort_succeedsBeforeTheSecondMove(live: Live, moves: str) -> None:
    live.play_all(moves)
    signature = live.sign_abort()
    receipt = live.abort(signature)
    assert receipt.event("GameEnded")["evidence"] == "0x" + signature.hex()
    assert_ended(live, receipt, Result.ABORTED, Reason.ABORTED)


@pytest.mark.parametrize("moves", ["", "e5"])
def test_abort_succeedsBeforeTheSecondMoveIfBlackMovedFirst(scene: Scene, moves: str) -> None:
    live = scene.open(**start_words(BLACK_FIRST))
    live.play_all(moves)
    assert_ended(live, live.abort(live.sign_abort()), Result.ABORTED, Reason.ABORTED)


def test_abort_succeedsIfPlayerHasBlack(scene: Scene) -> None:
    live = scene.open(white=scene.yes, black=scene.player_side())
    assert_ended(live, live.abort(live.sign_abort()), Result.ABORTED, Reason.ABORTED)


def test_abort_succeedsWithoutTimeLeft(live: Live) -> None:
    """As a resignation does; nobody has moved twice, and nobody wins by it."""
    live.scene.node.next_block_at(live.opened.timestamp + 300)
    live.claim_timeout()
    live.scene.node.next_block_at(live.opened.timestamp + 400)
    assert_ended(live, live.abort(live.sign_abort()), Result.ABORTED, Reason.ABORTED)


@pytest.mark.parametrize("moves", ["e4 e5", "e4 e5 Nf3"])
def test_abort_failsAfterTheSecondMove(live: Live, moves: str) -> None:
    live.play_all(moves)
    with pytest.raises(Reverted, match="TooLateToAbort") as caught:
        live.abort(live.sign_abort())
    assert caught.value.values == {"ply": len(moves.split())}
    assert live.outcome == (Result.ONGOING, Reason.NONE)


def test_abort_failsAfterTheSecondMoveIfBlackMovedFirst(scene: Scene) -> None:
    live = scene.open(**start_words(BLACK_FIRST))
    live.play_all("e5 e4")
    with pytest.raises(Reverted, match="TooLateToAbort") as caught:
        live.abort(live.sign_abort())
    assert caught.value.values == {"ply": 3}


def test_abort_failsIfSignedByAnother(live: Live) -> None:
    with pytest.raises(Reverted, match="BadSignature"):
        live.abort(live.sign_abort(key=STRANGER))
    assert live.outcome == (Result.ONGOING, Reason.NONE)


def test_abort_failsIfSignatureIsForAnotherGame(live: Live) -> None:
    other = live.scene.open(nonce=2)
    with pytest.raises(Reverted, match="BadSignature"):
        live.abort(other.sign_abort())


def test_abort_failsIfSignatureIsForAnotherArena(live: Live) -> None:
    other = Domain(live.scene.domain.chain_id, "0x" + "12" * 20)
    with pytest.raises(Reverted, match="BadSignature"):
        live.abort(live.sign_abort(domain=other))


def test_abort_failsIfItIsAResignation(live: Live) -> None:
    """And the other way about: an abort is not worth a win."""
    with pytest.raises(Reverted, match="BadSignature"):
        live.abort(live.sign_resign())
    with pytest.raises(Reverted, match="BadSignature"):
        live.resign(live.sign_abort())


def test_abort_failsBetweenBots(scene: Scene) -> None:
    live = scene.open(white=scene.yes, black=scene.yes)
    for signature in (live.sign_abort(), bytes(65)):
        with pytest.raises(Reverted, match="BadSignature"):
            live.abort(signature)
