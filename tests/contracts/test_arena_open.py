"""Opening a game: what is stored, and what is refused."""

from dataclasses import replace
from typing import Any

import pytest
from eth_utils.crypto import keccak

from engine.encoding import START
from engine.game import Reason, Result
from proofs.signing import Open, address_of, player_side
from proofs.statement import commitment, game_seed
from tests.contracts.ground import Receipt, Reverted
from tests.contracts.scene import (
    BASE_SECONDS,
    PLAYER,
    SECRET,
    SEED,
    STRANGER,
    ZERO,
    Scene,
    as_tuple,
    register_custom,
)


def refused(scene: Scene, error: str, opening: Open, **options: Any) -> Reverted:
    """The revert of an opening that must fail by this error and leave no game."""
    with pytest.raises(Reverted) as caught:
        scene.send_open(opening, **options)
    assert caught.value.name == error, caught.value
    with pytest.raises(Reverted, match="GameUnknown"):
        scene.arena.call("game", opening.game_id(scene.domain))
    return caught.value


def test_openGame_succeedsIfSigned(scene: Scene) -> None:
    opening = replace(scene.opening(), increment_seconds=3, delay_seconds=2)
    receipt = scene.send_open(opening)
    game = opening.game_id(scene.domain)
    assert scene.arena.call("game", game) == {
        "board": START.board,
        "context": START.context,
        "firstPly": 0,
        "ply": 0,
        "result": Result.ONGOING,
        "reason": Reason.NONE,
        "lastMoveAt": receipt.timestamp,
        "whiteClock": BASE_SECONDS,
        "blackClock": BASE_SECONDS,
        "graceUntil": 0,
        "incrementSeconds": 3,
        "delaySeconds": 2,
        "history": "0x" + game.hex(),
        "seed": "0x" + game_seed(SECRET, SEED).hex(),
        "white": "0x" + opening.white.hex(),
        "black": "0x" + opening.black.hex(),
    }


def test_openGame_emitsAllThatAnAuditNeeds(scene: Scene) -> None:
    opening = scene.opening()
    event = scene.send_open(opening).event("GameOpened")
    assert event["game"] == "0x" + opening.game_id(scene.domain).hex()
    assert event["opener"] == address_of(PLAYER)
    assert event["secret"] == "0x" + SECRET.hex()
    assert event["signature"] == "0x" + opening.sign(scene.domain, PLAYER).hex()
    fields = tuple(event["open"].values())
    plain = ["0x" + v.hex() if isinstance(v, bytes) else v for v in as_tuple(opening)]
    assert list(fields) == plain


def test_gameId_isTheDigestOfTheOpening(scene: Scene) -> None:
    opening = scene.opening()
    found = scene.arena.call("gameId", as_tuple(opening))
    assert found == "0x" + opening.game_id(scene.domain).hex()


def test_openGame_succeedsIfBroughtByAnyone(scene: Scene) -> None:
    opening = scene.opening()
    signature = opening.sign(scene.domain, PLAYER)
    scene.arena.send("openGame", as_tuple(opening), signature, SECRET, sender=7)


def test_openGame_succeedsIfPlayersKeyIsNotTheOpener(scene: Scene) -> None:
    """A wallet opens, and names a key made for this game."""
    opening = replace(scene.opening(), white=player_side(address_of(STRANGER)))
    event = scene.send_open(opening).event("GameOpened")
    assert event["opener"] == address_of(PLAYER)


@pytest.mark.parametrize(("white", "black"), [("player", "yes"), ("yes", "player"), ("yes", "yes")])
def test_openGame_succeedsIfASideIsABot(scene: Scene, white: str, black: str) -> None:
    sides = {"player": scene.player_side(), "yes": scene.yes}
    scene.open(scene.opening(white=sides[white], black=sides[black]))


def test_openGame_succeedsIfItIsAnotherOfTheSame(scene: Scene) -> None:
    opening = scene.opening()
    scene.open(opening)
    scene.open(opening, nonce=2)


def test_openGame_succeedsInItsLastSecond(scene: Scene) -> None:
    opening = scene.opening()
    scene.node.next_block_at(opening.expires)
    scene.open(opening)


def test_openGame_failsIfExpired(scene: Scene) -> None:
    opening = scene.opening()
    scene.node.next_block_at(opening.expires + 1)
    error = refused(scene, "OpenExpired", opening)
    assert error.values == {"expires": opening.expires, "now": opening.expires + 1}


def test_openGame_failsIfGameExists(scene: Scene) -> None:
    live = scene.open()
    live.play("e4")
    state = live.state
    with pytest.raises(Reverted, match="GameExists") as caught:
        scene.send_open(live.opening)
    assert caught.value.values == {"game": "0x" + live.id.hex()}
    assert live.state == state


def test_openGame_failsIfBothArePlayers(scene: Scene) -> None:
    stranger = player_side(address_of(STRANGER))
    refused(scene, "NoBot", replace(scene.opening(), black=stranger))


@pytest.mark.parametrize("side", ["white", "black"])
@pytest.mark.parametrize("id_", [ZERO, b"\x99" * 32, bytes(11) + b"\x01" + bytes(20)])
def test_openGame_failsIfBotIsUnknown(scene: Scene, side: str, id_: bytes) -> None:
    opening = scene.opening(white=scene.yes, black=scene.yes)
    change: dict[str, Any] = {side: id_}
    error = refused(scene, "UnknownBot", replace(opening, **change))
    assert error.values == {"id": "0x" + id_.hex()}


def test_openGame_failsIfBotProvesAnotherStatement(scene: Scene) -> None:
    another = keccak(text="another statement")
    other = register_custom(scene.node, scene.registry, "OtherVerifier", statement=another)
    error = refused(scene, "UnsupportedStatement", scene.opening(black=other))
    assert error.values["bot"] == "0x" + other.hex()


def test_openGame_failsIfStartIsNoPosition(scene: Scene) -> None:
    start = b"\x01" * 32
    opening = replace(scene.opening(), start=start, start_context=15)
    error = refused(scene, "IllegalStart", opening)
    assert error.values == {"start": "0x" + start.hex(), "startContext": 15}


@pytest.mark.parametrize("base", [0, 365 * 86400 + 1])
def test_openGame_failsIfClockIsBad(scene: Scene, base: int) -> None:
    error = refused(scene, "BadClock", replace(scene.opening(), base_seconds=base))
    assert error.values == {"baseSeconds": base}


@pytest.mark.parametrize("base", [1, 365 * 86400])
def test_openGame_succeedsIfClockIsAtItsBounds(scene: Scene, base: int) -> None:
    scene.open(base_seconds=base)


def test_openGame_failsIfSecretIsAnother(scene: Scene) -> None:
    secret = b"\x01" * 32
    error = refused(scene, "BadSecret", scene.opening(), secret=secret)
    assert error.values["commitment"] == "0x" + commitment(SECRET).hex()
    assert error.values["found"] == "0x" + commitment(secret).hex()


def test_openGame_failsIfSignedByAnother(scene: Scene) -> None:
    error = refused(scene, "BadSignature", scene.opening(), key=STRANGER)
    assert error.values["expected"] == address_of(PLAYER)


def test_openGame_failsIfOpenerIsNobody(scene: Scene) -> None:
    """A malformed signature recovers to zero, which must not open games for zero."""
    opening = replace(scene.opening(), opener="0x" + "00" * 20)
    with pytest.raises(Reverted, match="BadSignature"):
        scene.arena.send("openGame", as_tuple(opening), bytes(65), SECRET)


@pytest.mark.parametrize("what", ["chain_id", "arena"])
def test_openGame_failsIfSignedForAnotherArena(scene: Scene, what: str) -> None:
    other: dict[str, Any] = {"chain_id": 1, "arena": "0x" + "12" * 20}
    domain = replace(scene.domain, **{what: other[what]})
    refused(scene, "BadSignature", scene.opening(), domain=domain)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("white", b"\x00" * 12 + b"\x01" * 20),
        ("black", "house"),
        ("base_seconds", BASE_SECONDS + 1),
        ("increment_seconds", 1),
        ("delay_seconds", 1),
        ("seed", b"\x01" * 32),
        ("nonce", 2),
    ],
)
def test_openGame_failsIfAFieldIsChanged(scene: Scene, name: str, value: Any) -> None:
    signed = scene.opening()
    change: dict[str, Any] = {name: scene.house if value == "house" else value}
    changed = replace(signed, **change)
    signature = signed.sign(scene.domain, PLAYER)
    with pytest.raises(Reverted, match="BadSignature"):
        scene.arena.send("openGame", as_tuple(changed), signature, SECRET)


def test_openGame_costsLessThanQuarterOfAMillion(scene: Scene) -> None:
    receipt: Receipt = scene.open().opened
    assert receipt.gas < 250_000
