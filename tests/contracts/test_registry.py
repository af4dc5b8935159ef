"""Registering bots, of the house and custom ones."""

import hashlib
from typing import Any, Final

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from proofs.statement import STATEMENT_ID
from proofs.trapdoor import (
    G1,
    G2,
    P,
    R,
    TrapdoorKey,
    g1_bytes,
    g2_bytes,
    multiply,
    twist_point_outside_g2,
)
from tests.contracts.ground import Contract, Receipt, Reverted
from tests.contracts.scene import CIRCUIT, NET, ZERO, Scene, raw

BETA, GAMMA, DELTA, IC = 64, 192, 320, 448
G1_OFFSETS: Final = [0, *range(IC, 1152, 64)]
G2_OFFSETS: Final = [BETA, GAMMA, DELTA]
KEY: Final = TrapdoorKey.random()


def register(scene: Scene, vk: bytes, *, metadata: str = "a bot", sender: int = 0) -> Receipt:
    return scene.registry.send("registerHouse", NET, CIRCUIT, vk, metadata, sender=sender)


def refused(scene: Scene, error: str, vk: bytes) -> Reverted:
    with pytest.raises(Reverted) as caught:
        register(scene, vk)
    assert caught.value.name == error, caught.value
    return caught.value


def with_bytes(offset: int, new: bytes) -> bytes:
    return KEY.vk[:offset] + new + KEY.vk[offset + len(new) :]


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


# ---- house bots ----


def test_registerHouse_succeedsIfKeyIsSound(scene: Scene) -> None:
    event = register(scene, KEY.vk, metadata="pawn, réglé ♟").event("BotRegistered")
    owner = scene.node.accounts[0].lower()
    verifier = event["verifier"]
    key_hash = hashlib.sha256(KEY.vk).digest()
    assert event | {"id": None} == {
        "id": None,
        "owner": owner,
        "netHash": "0x" + NET.hex(),
        "circuitHash": "0x" + CIRCUIT.hex(),
        "keyHash": "0x" + key_hash.hex(),
        "statement": "0x" + STATEMENT_ID.hex(),
        "verifier": verifier,
        "custom": False,
        "metadata": "pawn, réglé ♟",
        "verifyingKey": "0x" + KEY.vk.hex(),
    }
    stored = scene.registry.call("bot", raw(event["id"]))
    code_hash = keccak(scene.node.code(verifier))
    assert stored == {
        **{k: event[k] for k in ("netHash", "circuitHash", "keyHash", "statement", "verifier")},
        "verifierCodeHash": "0x" + code_hash.hex(),
        "owner": owner,
        "custom": False,
        "metadata": "pawn, réglé ♟",
    }
    assert scene.registry.call("houseVerifier", key_hash) == verifier


def test_registerHouse_namesTheBotByItsContent(scene: Scene) -> None:
    event = register(scene, KEY.vk).event("BotRegistered")
    kinds = ["bytes32"] * 4 + ["address", "address", "bytes32"]
    values = [
        *(NET, CIRCUIT, hashlib.sha256(KEY.vk).digest(), STATEMENT_ID),
        *(event["verifier"], event["owner"], keccak(text="a bot")),
    ]
    assert event["id"] == "0x" + keccak(encode(kinds, values)).hex()


def test_registerHouse_keepsTheKeyAsCode(scene: Scene) -> None:
    verifier = register(scene, KEY.vk).event("BotRegistered")["verifier"]
    contract = Contract.at(scene.node, "Groth16MoveVerifier", verifier)
    assert scene.node.code(contract.call("keyStore")) == b"\x00" + KEY.vk


def test_registerHouse_reusesTheVerifierOfAKey(scene: Scene) -> None:
    first = register(scene, KEY.vk, metadata="one")
    second = register(scene, KEY.vk, metadata="two", sender=1)
    events = [receipt.event("BotRegistered") for receipt in (first, second)]
    assert events[0]["verifier"] == events[1]["verifier"]
    assert events[0]["id"] != events[1]["id"]
    assert second.gas < first.gas / 2


def test_registerHouse_failsIfBotExists(scene: Scene) -> None:
    event = register(scene, KEY.vk).event("BotRegistered")
    error = refused(scene, "BotExists", KEY.vk)
    assert error.values == {"id": event["id"]}


def test_registerHouse_failsIfMetadataIsTooLong(scene: Scene) -> None:
    register(scene, KEY.vk, metadata="x" * 1024)
    with pytest.raises(Reverted, match="MetadataTooLong") as caught:
        register(scene, KEY.vk, metadata="x" * 1025)
    assert caught.value.values == {"length": 1025}


@pytest.mark.parametrize("length", [0, 64, 1088, 1151, 1153, 1216])
def test_registerHouse_failsIfKeyHasAnotherLength(scene: Scene, length: int) -> None:
    error = refused(scene, "KeyLength", (KEY.vk + bytes(64))[:length])
    assert error.values == {"length": length}


@pytest.mark.parametrize("offset", G1_OFFSETS)
def test_registerHouse_failsIfAG1PointIsZero(scene: Scene, offset: int) -> None:
    error = refused(scene, "KeyPointZero", with_bytes(offset, bytes(64)))
    assert error.values == {"offset": offset}


def test_registerHouse_succeedsIfAPointsCoordinatesShareNoBit(scene: Scene) -> None:
    """The generator is (1, 2), and no zero for it."""
    key = KEY.vk
    for offset in G1_OFFSETS:
        key = key[:offset] + word(1) + word(2) + key[offset + 64 :]
    assert register(scene, key).names == ["BotRegistered"]


@pytest.mark.parametrize("offset", G2_OFFSETS)
def test_registerHouse_failsIfAG2PointIsZero(scene: Scene, offset: int) -> None:
    error = refused(scene, "KeyPointZero", with_bytes(offset, bytes(128)))
    assert error.values == {"offset": offset}


@pytest.mark.parametrize("offset", G1_OFFSETS)
def test_registerHouse_failsIfAG1PointIsOffTheCurve(scene: Scene, offset: int) -> None:
    error = refused(scene, "KeyPointInvalid", with_bytes(offset, word(1) + word(3)))
    assert error.values == {"offset": offset}


@pytest.mark.parametrize("offset", G2_OFFSETS)
def test_registerHouse_failsIfAG2PointIsOffTheCurve(scene: Scene, offset: int) -> None:
    off = with_bytes(offset, word(1) + word(2) + word(3) + word(4))
    error = refused(scene, "KeyPointInvalid", off)
    assert error.values == {"offset": offset}


@pytest.mark.parametrize("offset", G2_OFFSETS)
def test_registerHouse_failsIfAG2PointIsOfTheWrongSubgroup(scene: Scene, offset: int) -> None:
    """On the twist, so that the curve equation holds, but not of order R."""
    outside = twist_point_outside_g2()
    error = refused(scene, "KeyPointInvalid", with_bytes(offset, g2_bytes(outside)))
    assert error.values == {"offset": offset}


@pytest.mark.parametrize("offset", [*G1_OFFSETS, *G2_OFFSETS])
@pytest.mark.parametrize("coordinate", [0, -1])
def test_registerHouse_failsIfACoordinateIsNotBelowTheModulus(
    scene: Scene, offset: int, coordinate: int
) -> None:
    """The same point, its first or last coordinate written with the modulus added."""
    words = 4 if offset in G2_OFFSETS else 2
    start = offset + 32 * (coordinate % words)
    value = P + int.from_bytes(KEY.vk[start : start + 32], "big")
    error = refused(scene, "KeyCoordinate", with_bytes(start, word(value)))
    assert error.values == {"offset": offset, "value": value}


def test_registerHouse_failsIfGammaIsDelta(scene: Scene) -> None:
    refused(scene, "KeyGammaIsDelta", with_bytes(DELTA, KEY.vk[GAMMA:DELTA]))


def test_registerHouse_failsIfGammaIsMinusDelta(scene: Scene) -> None:
    minus = g2_bytes(multiply(G2, R - KEY.gamma))
    refused(scene, "KeyGammaIsDelta", with_bytes(DELTA, minus))


# ---- custom bots ----


def custom(scene: Scene, verifier: str, **changes: Any) -> Receipt:
    arguments = {"net": NET, "circuit": CIRCUIT, "key": ZERO, "statement": STATEMENT_ID}
    arguments |= changes
    return scene.registry.send("registerCustom", *arguments.values(), verifier, "mine", sender=2)


def test_registerCustom_succeedsIfVerifierHasCode(scene: Scene) -> None:
    verifier = Contract.deploy(scene.node, "YesVerifier").address
    event = custom(scene, verifier).event("BotRegistered")
    assert event["custom"] is True
    assert event["verifyingKey"] == "0x"
    stored = scene.registry.call("bot", raw(event["id"]))
    assert stored["custom"] is True
    assert stored["owner"] == scene.node.accounts[2].lower()
    assert stored["verifierCodeHash"] == "0x" + keccak(scene.node.code(verifier)).hex()


@pytest.mark.parametrize("verifier", ["0x" + "00" * 20, "0x" + "ab" * 20, "0x" + "00" * 19 + "08"])
def test_registerCustom_failsIfVerifierHasNoCode(scene: Scene, verifier: str) -> None:
    with pytest.raises(Reverted, match="VerifierHasNoCode") as caught:
        custom(scene, verifier)
    assert caught.value.values == {"verifier": verifier}


def test_registerCustom_failsIfVerifierDecidesAnotherStatement(scene: Scene) -> None:
    verifier = Contract.deploy(scene.node, "OtherVerifier").address
    with pytest.raises(Reverted, match="StatementMismatch") as caught:
        custom(scene, verifier)
    assert caught.value.values["expected"] == "0x" + STATEMENT_ID.hex()


def test_registerCustom_failsIfVerifierKnowsNoStatement(scene: Scene) -> None:
    with pytest.raises(Reverted):
        custom(scene, scene.arena.address)


def test_registerCustom_staysCustomWithTheHousesVerifier(scene: Scene) -> None:
    house = scene.registry.call("bot", scene.house)
    event = custom(scene, house["verifier"], key=raw(house["keyHash"])).event("BotRegistered")
    assert event["custom"] is True
    assert event["id"] != "0x" + scene.house.hex()


# ---- views ----


@pytest.mark.parametrize("view", ["bot", "binding", "statementOf"])
def test_views_failIfBotIsUnknown(scene: Scene, view: str) -> None:
    with pytest.raises(Reverted, match="UnknownBot"):
        scene.registry.call(view, b"\x99" * 32)


def test_binding_succeedsIfRegistered(scene: Scene) -> None:
    bot = scene.registry.call("bot", scene.house)
    assert scene.registry.call("binding", scene.house) == {
        "verifier": bot["verifier"],
        "verifierCodeHash": bot["verifierCodeHash"],
    }
    assert scene.registry.call("statementOf", scene.house) == "0x" + STATEMENT_ID.hex()


def test_registeringLeavesOtherBotsAlone(scene: Scene) -> None:
    before = scene.registry.call("bot", scene.house)
    register(scene, KEY.vk, metadata="house")
    custom(scene, before["verifier"])
    assert scene.registry.call("bot", scene.house) == before


def test_testPointsAreWhatTheyClaim() -> None:
    assert g1_bytes(multiply(G1, R + 1)) == g1_bytes(G1)
    assert multiply(twist_point_outside_g2(), R) is not None
