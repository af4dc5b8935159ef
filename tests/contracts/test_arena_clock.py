"""Clocks, timeouts and their grace window, second by second."""

from typing import Any, Final

import pytest

from engine.game import Reason, Result
from tests.contracts.ground import Reverted, read_receipt
from tests.contracts.scene import BASE_SECONDS, Live, Scene

GRACE: Final = 60


def wait(live: Live, seconds: int) -> int:
    """Let the next block come `seconds` after the last move; its time."""
    timestamp: int = live.state["lastMoveAt"] + seconds
    live.scene.node.next_block_at(timestamp)
    return timestamp


def refused_claim(live: Live, error: str) -> Reverted:
    before = live.state
    with pytest.raises(Reverted) as caught:
        live.claim_timeout()
    assert caught.value.name == error, caught.value
    assert live.state == before
    return caught.value


@pytest.fixture
def live(scene: Scene) -> Live:
    """The player's White, five minutes each, no increment."""
    return scene.open()


# ---- the clock ----


def test_clock_runsWhileASideThinks(live: Live) -> None:
    wait(live, 10)
    live.play("e4")
    wait(live, 25)
    live.play("e5")
    state = live.state
    assert (state["whiteClock"], state["blackClock"]) == (BASE_SECONDS - 10, BASE_SECONDS - 25)


def test_clock_addsTheIncrement(scene: Scene) -> None:
    live = scene.open(increment_seconds=4)
    wait(live, 10)
    live.play("e4")
    assert live.state["whiteClock"] == BASE_SECONDS - 10 + 4


@pytest.mark.parametrize(("thought", "charged"), [(1, 0), (5, 0), (6, 1), (20, 15)])
def test_clock_waitsOutTheDelay(scene: Scene, thought: int, charged: int) -> None:
    live = scene.open(delay_seconds=5)
    wait(live, thought)
    live.play("e4")
    assert live.state["whiteClock"] == BASE_SECONDS - charged


@pytest.mark.parametrize("late", [0, 1, 1000])
def test_clock_stopsAtZeroAndTheMoveCounts(scene: Scene, late: int) -> None:
    """Nobody claimed, so the move stands; what is left is the increment."""
    live = scene.open(increment_seconds=7)
    wait(live, BASE_SECONDS + late)
    live.play("e4")
    state = live.state
    assert (state["ply"], state["whiteClock"], state["blackClock"]) == (1, 7, BASE_SECONDS)


def test_clock_survivesTheLongestSettings(scene: Scene) -> None:
    live = scene.open(base_seconds=365 * 86400, increment_seconds=65535, delay_seconds=65535)
    live.play("e4")
    assert live.state["whiteClock"] == 365 * 86400 + 65535


# ---- claims ----


def test_claimTimeout_failsIfASecondEarly(live: Live) -> None:
    end = live.state["lastMoveAt"] + BASE_SECONDS
    wait(live, BASE_SECONDS - 1)
    error = refused_claim(live, "TimeLeft")
    assert error.values == {"runsOutAt": end}


def test_claimTimeout_succeedsIfTimeIsOut(live: Live) -> None:
    now = wait(live, BASE_SECONDS)
    event = live.claim_timeout().event("TimeoutClaimed")
    assert event == {"game": "0x" + live.id.hex(), "ply": 0, "deadline": now + GRACE}
    assert live.state["graceUntil"] == now + GRACE
    assert live.outcome == (Result.ONGOING, Reason.NONE)


@pytest.mark.parametrize(
    ("seconds", "succeeds"), [(BASE_SECONDS + 4, False), (BASE_SECONDS + 5, True)]
)
def test_claimTimeout_countsTheDelay(scene: Scene, seconds: int, succeeds: bool) -> None:
    live = scene.open(delay_seconds=5)
    wait(live, seconds)
    if succeeds:
        live.claim_timeout()
    else:
        refused_claim(live, "TimeLeft")


def test_claimTimeout_usesTheMoversOwnClock(live: Live) -> None:
    wait(live, 200)
    live.play("e4")
    live.play("e5")
    wait(live, 100)
    live.claim_timeout()


def test_claimTimeout_failsIfGraceRuns(live: Live) -> None:
    now = wait(live, BASE_SECONDS)
    live.claim_timeout()
    live.scene.node.next_block_at(now + GRACE)
    error = refused_claim(live, "GraceRunning")
    assert error.values == {"graceUntil": now + GRACE}


@pytest.mark.parametrize(
    ("moves", "result"),
    [("", Result.BLACK_WINS), ("e4", Result.WHITE_WINS), ("e4 e5", Result.BLACK_WINS)],
)
def test_claimTimeout_endsTheGameIfGraceIsOver(live: Live, moves: str, result: Result) -> None:
    """The mover loses, player and bot alike."""
    live.play_all(moves)
    now = wait(live, BASE_SECONDS)
    live.claim_timeout()
    live.scene.node.next_block_at(now + GRACE + 1)
    event = live.claim_timeout().event("GameEnded")
    assert event == {
        "game": "0x" + live.id.hex(),
        "result": result,
        "reason": Reason.TIMEOUT,
        "evidence": "0x",
    }
    assert live.outcome == (result, Reason.TIMEOUT)


def test_claimTimeout_succeedsIfBroughtByAnyone(live: Live) -> None:
    wait(live, BASE_SECONDS)
    live.scene.arena.send("claimTimeout", live.id, sender=6)


def test_claimTimeout_failsIfGameUnknown(scene: Scene) -> None:
    with pytest.raises(Reverted, match="GameUnknown"):
        scene.arena.send("claimTimeout", b"\x99" * 32)


def test_claimTimeout_failsIfGameIsOver(live: Live) -> None:
    live.resign(live.sign_resign())
    wait(live, BASE_SECONDS)
    refused_claim(live, "GameOver")


# ---- moves inside and after the window ----


@pytest.mark.parametrize("seconds", [1, GRACE])
def test_move_succeedsIfWithinGrace(live: Live, seconds: int) -> None:
    """A hidden signed move, brought by anyone before the window closes, is played."""
    now = wait(live, BASE_SECONDS)
    live.claim_timeout()
    live.scene.node.next_block_at(now + seconds)
    live.play("e4")
    state = live.state
    assert (state["ply"], state["graceUntil"], state["whiteClock"]) == (1, 0, 0)


def test_move_failsIfGraceIsOver(live: Live) -> None:
    now = wait(live, BASE_SECONDS)
    live.claim_timeout()
    live.scene.node.next_block_at(now + GRACE + 1)
    index = live.index("e4")
    with pytest.raises(Reverted, match="GraceOver") as caught:
        live.send_move(index, live.sign(index))
    assert caught.value.values == {"graceUntil": now + GRACE}
    assert live.state["ply"] == 0


def test_submitBotMove_succeedsIfWithinGrace(scene: Scene) -> None:
    live = scene.open(black=scene.house)
    live.play("e4")
    now = wait(live, BASE_SECONDS)
    live.claim_timeout()
    live.scene.node.next_block_at(now + GRACE)
    live.play("e5")
    assert live.state["graceUntil"] == 0


def test_submitBotMove_failsIfGraceIsOver(scene: Scene) -> None:
    live = scene.open(black=scene.house)
    live.play("e4")
    now = wait(live, BASE_SECONDS)
    live.claim_timeout()
    live.scene.node.next_block_at(now + GRACE + 1)
    index = live.index("e5")
    with pytest.raises(Reverted, match="GraceOver"):
        live.send_bot_move(index, live.proof(index))


def test_claimTimeout_opensANewWindowAtTheNextMove(live: Live) -> None:
    """An old claim is of no use against a later move of the same side."""
    now = wait(live, BASE_SECONDS)
    live.claim_timeout()
    live.scene.node.next_block_at(now + 1)
    live.play_all("e4 e5")
    now = wait(live, 1)  # nothing was left on the clock
    assert live.claim_timeout().event("TimeoutClaimed")["deadline"] == now + GRACE
    assert live.outcome == (Result.ONGOING, Reason.NONE)


@pytest.mark.parametrize("first", ["move", "claim"])
def test_moveAndClaimInOneBlock_playTheMoveInEitherOrder(live: Live, first: str) -> None:
    """Move first: the claim finds a fresh clock. Claim first: the move closes its window."""
    node, arena = live.scene.node, live.scene.arena
    index = live.index("e4")
    calls: list[tuple[str, tuple[Any, ...]]] = [
        ("move", (live.id, 0, index, live.sign(index))),
        ("claimTimeout", (live.id,)),
    ]
    if first == "claim":
        calls.reverse()
    with node.one_block(live.state["lastMoveAt"] + BASE_SECONDS) as mined:
        for function, arguments in calls:
            mined.append(arena.send_later(function, *arguments))
    receipts = [node.receipt(sent) for sent in mined]
    assert receipts[0]["blockNumber"] == receipts[1]["blockNumber"]
    if first == "move":
        assert read_receipt(node, receipts[0]).names == ["PlayerMoved"]
        with pytest.raises(Reverted, match="TimeLeft"):
            read_receipt(node, receipts[1])
    else:
        assert read_receipt(node, receipts[0]).names == ["TimeoutClaimed"]
        assert read_receipt(node, receipts[1]).names == ["PlayerMoved"]
    state = live.state
    assert (state["ply"], state["graceUntil"], state["result"]) == (1, 0, 0)


@pytest.mark.parametrize("first", ["move", "claim"])
def test_moveAndClaimInOneBlock_endTheGameOnceGraceIsOver(live: Live, first: str) -> None:
    """After the window the block's time decides alone: the move fails in either order."""
    node, arena = live.scene.node, live.scene.arena
    now = wait(live, BASE_SECONDS)
    live.claim_timeout()
    index = live.index("e4")
    calls: list[tuple[str, tuple[Any, ...]]] = [
        ("move", (live.id, 0, index, live.sign(index))),
        ("claimTimeout", (live.id,)),
    ]
    if first == "claim":
        calls.reverse()
    with node.one_block(now + GRACE + 1) as mined:
        for function, arguments in calls:
            mined.append(arena.send_later(function, *arguments))
    receipts = {call[0]: node.receipt(sent) for call, sent in zip(calls, mined, strict=True)}
    assert receipts["move"]["status"] == "0x0"
    assert read_receipt(node, receipts["claimTimeout"]).names == ["GameEnded"]
    assert live.outcome == (Result.BLACK_WINS, Reason.TIMEOUT)


# ---- time against a side that cannot mate ----


@pytest.mark.parametrize(
    ("fen", "result"),
    [
        ("4k3/8/8/8/8/8/8/QQ2K3 w - - 0 1", Result.DRAW),  # a bare king
        ("4k2n/8/8/8/8/8/8/QQ2K3 w - - 0 1", Result.DRAW),  # a knight against queens
        ("4k2n/8/8/8/8/8/8/QP2K3 w - - 0 1", Result.BLACK_WINS),  # a pawn can be in the way
        ("4k1nn/8/8/8/8/8/8/QQ2K3 w - - 0 1", Result.BLACK_WINS),
        ("4k2b/8/8/8/8/8/8/QQ2K3 w - - 0 1", Result.DRAW),
        ("4k3/8/8/8/8/8/4P3/4K3 w - - 0 1", Result.DRAW),
        ("4k3/4p3/8/8/8/8/8/QQ2K3 w - - 0 1", Result.BLACK_WINS),
    ],
)
def test_claimTimeout_drawsIfTheOtherCannotMate(live: Live, fen: str, result: Result) -> None:
    live.set_position(fen)
    now = wait(live, BASE_SECONDS)
    live.claim_timeout()
    live.scene.node.next_block_at(now + GRACE + 1)
    live.claim_timeout()
    assert live.outcome == (result, Reason.TIMEOUT)
