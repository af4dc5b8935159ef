"""Moves of players and bots: what the arena takes, and what it refuses."""

from dataclasses import replace
from typing import Any, Final

import chess
import pytest

from engine.policy_map import MOVES
from proofs.signing import address_of, player_side
from tests.contracts.ground import Reverted, read_receipt
from tests.contracts.scene import (
    BASE_SECONDS,
    CIRCUIT,
    NET,
    PAYEE,
    PLAYER,
    STRANGER,
    Live,
    Scene,
    address,
    as_struct,
    raw,
)

ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def refused(live: Live, error: str, attempt: Any, *arguments: Any, **options: Any) -> Reverted:
    """The revert of an attempt that must fail by this error and change nothing."""
    before = live.state
    with pytest.raises(Reverted) as caught:
        attempt(*arguments, **options)
    assert caught.value.name == error, caught.value
    assert live.state == before
    return caught.value


@pytest.fixture
def live(scene: Scene) -> Live:
    """The player's White against the yes bot, at ply 0."""
    return scene.open()


@pytest.fixture
def proven(scene: Scene) -> Live:
    """The house bot's Black against the player, at ply 1: the bot is to move."""
    game = scene.open(black=scene.house)
    game.play("e4")
    return game


# ---- players ----


def test_move_succeedsIfSignedAndLegal(live: Live) -> None:
    index = live.index("e4")
    signature = live.sign(index)
    receipt = live.send_move(index, signature)
    live.follow(index)
    state = live.state
    assert receipt.event("PlayerMoved") == {
        "game": "0x" + live.id.hex(),
        "ply": 0,
        "index": index,
        "signature": "0x" + signature.hex(),
        "board": live.game.position.board,
        "context": live.game.position.context,
        "history": "0x" + live.history.hex(),
    }
    assert receipt.names == ["PlayerMoved"]
    assert state["board"] == live.game.position.board
    assert state["context"] == live.game.position.context
    assert state["history"] == "0x" + live.history.hex()
    assert state["ply"] == 1
    assert state["lastMoveAt"] == receipt.timestamp
    assert state["result"] == 0


def test_move_succeedsIfBroughtByAnyone(live: Live) -> None:
    index = live.index("d4")
    live.scene.arena.send("move", live.id, 0, index, live.sign(index), sender=3)
    assert live.state["ply"] == 1


def test_move_succeedsIfPlayerHasBlack(scene: Scene) -> None:
    live = scene.open(white=scene.yes, black=scene.player_side())
    live.play_all("e4 c5 Nf3 d6")
    assert live.state["ply"] == 4
    assert live.state["board"] == live.game.position.board


def test_move_failsIfGameUnknown(live: Live) -> None:
    unknown = b"\x99" * 32
    error = refused(live, "GameUnknown", live.scene.arena.send, "move", unknown, 0, 1, live.sign(1))
    assert error.values == {"game": "0x" + unknown.hex()}


def test_move_failsIfPlyIsStale(live: Live) -> None:
    index = live.index("e4")
    signature = live.sign(index)
    live.send_move(index, signature)
    error = refused(live, "StalePly", live.send_move, index, signature)
    assert error.values == {"expected": 1, "got": 0}


def test_move_failsIfPlyIsAhead(live: Live) -> None:
    index = live.index("e4")
    error = refused(live, "StalePly", live.send_move, index, live.sign(index, ply=2), ply=2)
    assert error.values == {"expected": 0, "got": 2}


def test_move_failsIfBotIsToMove(live: Live) -> None:
    live.play("e4")
    index = live.index("e5")
    error = refused(live, "NotPlayersTurn", live.send_move, index, live.sign(index))
    assert error.values == {"ply": 1}


@pytest.mark.parametrize("name", ["e2e5", "e1h1", "a1a3", "e7e5", "e2d3", "a7a8q"])
def test_move_failsIfIllegal(live: Live, name: str) -> None:
    index = MOVES.index(chess.Move.from_uci(name))
    error = refused(live, "IllegalMove", live.send_move, index, live.sign(index))
    assert error.values == {"index": index}


@pytest.mark.parametrize("index", [1858, 2047, 2048, 65535])
def test_move_failsIfIndexIsOutsideThePolicy(live: Live, index: int) -> None:
    error = refused(live, "IllegalMove", live.send_move, index, live.sign(index))
    assert error.values == {"index": index}


def test_move_failsIfIndexHasHighBits(live: Live) -> None:
    index = live.index("e4")
    refused(live, "BadSignature", live.send_move, index | 1 << 16, live.sign(index))


@pytest.mark.parametrize("what", ["game", "ply", "history", "index"])
def test_move_failsIfSignatureIsForAnother(live: Live, what: str) -> None:
    index = live.index("e4")
    another = {"game": b"\x01" * 32, "ply": 2, "history": b"\x02" * 32, "index": index + 1}
    signature = live.sign(index, **{what: another[what]})
    refused(live, "BadSignature", live.send_move, index, signature)


def test_move_failsIfSignatureIsForAnotherChain(live: Live) -> None:
    index = live.index("e4")
    signature = live.sign(index, domain=replace(live.scene.domain, chain_id=1))
    refused(live, "BadSignature", live.send_move, index, signature)


def test_move_failsIfTheChainForked(live: Live) -> None:
    """The chain's id is read at each move: after a fork, signatures count on their own side."""
    index = live.index("e4")
    arena, before = live.scene.arena, live.sign(index)
    with live.scene.node.forked_as(1):
        after = live.sign(index)
        arena.call("move", live.id, 0, index, after)
        refused(live, "BadSignature", arena.call, "move", live.id, 0, index, before)
    refused(live, "BadSignature", live.send_move, index, after)
    live.send_move(index, before)


def test_move_failsIfSignatureIsForAnotherContract(live: Live) -> None:
    index = live.index("e4")
    domain = replace(live.scene.domain, arena=live.scene.registry.address)
    refused(live, "BadSignature", live.send_move, index, live.sign(index, domain=domain))


def test_move_failsIfSignedByAnother(live: Live) -> None:
    index = live.index("e4")
    error = refused(live, "BadSignature", live.send_move, index, live.sign(index, key=STRANGER))
    assert error.values == {"expected": address_of(PLAYER), "recovered": address_of(STRANGER)}


def test_move_failsIfSignatureHasHighS(live: Live) -> None:
    index = live.index("e4")
    signature = live.sign(index)
    s = ORDER - int.from_bytes(signature[32:64], "big")
    twin = signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])
    error = refused(live, "BadSignature", live.send_move, index, twin)
    assert error.values["recovered"] == address(0)
    live.send_move(index, signature)


@pytest.mark.parametrize(
    "mangle",
    [
        lambda s: s[:0],
        lambda s: s[:64],
        lambda s: s + b"\x00",
        lambda s: s[:64] + bytes([s[64] - 27]),
        lambda s: s[:64] + b"\x1d",
        lambda s: bytes(64) + s[64:],
        lambda s: bytes(32) + s[32:],
        lambda s: s[:32] + bytes(32) + s[64:],
        lambda s: bytes(len(s)),
    ],
)
def test_move_failsIfSignatureIsMalformed(live: Live, mangle: Any) -> None:
    index = live.index("e4")
    refused(live, "BadSignature", live.send_move, index, mangle(live.sign(index)))


def test_move_failsIfItAnswersAMoveThatNeverLanded(live: Live) -> None:
    live.play("e4")
    shown, landed = live.index("e5"), live.index("c5")
    ahead = Live(live.scene, live.opening, live.opened)
    ahead.play_off_chain("e4", "e5")
    reply = ahead.index("Nf3")
    signature = ahead.sign(reply)
    assert shown != landed
    live.play("c5")
    refused(live, "BadSignature", live.send_move, reply, signature)


def test_move_succeedsIfTheAnsweredMoveLanded(live: Live) -> None:
    live.play("e4")
    ahead = Live(live.scene, live.opening, live.opened)
    ahead.play_off_chain("e4", "e5")
    reply = ahead.index("Nf3")
    signature = ahead.sign(reply)
    live.play("e5")
    live.send_move(reply, signature)
    assert live.state["ply"] == 3


# ---- bots ----


def test_submitBotMove_succeedsIfProven(proven: Live) -> None:
    index = proven.index("e5")
    proof = proven.proof(index)
    receipt = proven.send_bot_move(index, proof)
    proven.follow(index)
    assert receipt.event("BotMoved") == {
        "game": "0x" + proven.id.hex(),
        "ply": 1,
        "index": index,
        "payee": address(PAYEE),
        "proof": "0x" + proof.hex(),
        "board": proven.game.position.board,
        "context": proven.game.position.context,
        "history": "0x" + proven.history.hex(),
    }
    assert proven.state["board"] == proven.game.position.board


def test_submitBotMove_succeedsIfBothSidesAreBots(scene: Scene) -> None:
    live = scene.open(white=scene.house, black=scene.yes)
    live.play_all("d4 d5 c4 e6")
    assert live.state["ply"] == 4


def test_submitBotMove_succeedsIfCopiedBySomebodyElse(proven: Live) -> None:
    index = proven.index("e5")
    proof = proven.proof(index)
    node = proven.scene.node
    events = []
    for sender in (0, 4):
        snapshot = node.snapshot()
        events.append(proven.send_bot_move(index, proof, sender=sender).event("BotMoved"))
        node.revert(snapshot)
    assert events[0] == events[1]


def test_submitBotMove_failsIfThePayeeIsChanged(proven: Live) -> None:
    index = proven.index("e5")
    proof = proven.proof(index)
    refused(proven, "ProofRejected", proven.send_bot_move, index, proof, payee=PAYEE + 1)


def test_submitBotMove_failsIfProofIsOfAnotherMove(proven: Live) -> None:
    proof = proven.proof(proven.index("e5"))
    refused(proven, "ProofRejected", proven.send_bot_move, proven.index("c5"), proof)


def test_submitBotMove_failsIfProofIsOfAnotherPly(proven: Live) -> None:
    """Knights out and back: board, moves and index are the same again, dice and counter are not."""
    index = proven.index("Nf6")
    proof = proven.proof(index)
    proven.play_all("Nf6 Nf3 Ng8 Ng1")
    assert proven.index("Nf6") == index
    refused(proven, "ProofRejected", proven.send_bot_move, index, proof)


def test_submitBotMove_failsIfProofIsOfAnotherGame(proven: Live) -> None:
    twin = proven.scene.open(black=proven.scene.house, nonce=2, expires=proven.opening.expires)
    twin.play("e4")
    index = proven.index("e5")
    proof = proven.proof(index)
    refused(twin, "ProofRejected", twin.send_bot_move, index, proof)
    proven.send_bot_move(index, proof)


@pytest.mark.parametrize("what", ["board", "context", "dice", "mask"])
def test_submitBotMove_failsIfTheProofSaysAnother(proven: Live, what: str) -> None:
    index = proven.index("e5")
    claim = proven.statement(index)
    bent = replace(claim, **{what: getattr(claim, what) ^ 1})
    proof = proven.scene.key.prove(bent.limbs)
    refused(proven, "ProofRejected", proven.send_bot_move, index, proof)


def test_submitBotMove_failsIfIllegal(proven: Live) -> None:
    for index in (1857, 1858, 2048, 1 << 200):
        refused(proven, "IllegalMove", proven.send_bot_move, index, bytes(256))


def test_submitBotMove_failsIfPlyIsStale(proven: Live) -> None:
    index = proven.index("e5")
    proof = proven.proof(index)
    proven.send_bot_move(index, proof)
    error = refused(proven, "StalePly", proven.send_bot_move, index, proof)
    assert error.values == {"expected": 2, "got": 1}


def test_submitBotMove_failsIfSentTwiceAtOnce(proven: Live) -> None:
    """Two transactions for one ply in one block: the first plays, the second is stale."""
    node, arena = proven.scene.node, proven.scene.arena
    index = proven.index("e5")
    arguments = (proven.id, 1, index, address(PAYEE), proven.proof(index))
    with node.one_block() as mined:
        for _ in range(2):
            mined.append(arena.send_later("submitBotMove", *arguments))
    first, second = (node.receipt(sent) for sent in mined)
    assert first["blockNumber"] == second["blockNumber"]
    assert read_receipt(node, first).names == ["BotMoved"]
    with pytest.raises(Reverted, match="StalePly"):
        read_receipt(node, second)


def test_submitBotMove_failsIfPlayerIsToMove(live: Live) -> None:
    error = refused(live, "NotBotsTurn", live.send_bot_move, live.index("e4"), b"")
    assert error.values == {"ply": 0}


def test_submitBotMove_failsIfGameUnknown(live: Live) -> None:
    unknown = b"\x99" * 32
    arguments = ("submitBotMove", unknown, 0, 1, address(PAYEE), b"")
    refused(live, "GameUnknown", live.scene.arena.send, *arguments)


# ---- verifiers that cannot be trusted ----


@pytest.fixture
def shady(scene: Scene) -> Live:
    """A bot to move whose verifier does what the proof says: mode byte, data."""
    game = scene.open(black=scene.garbage)
    game.play("e4")
    return game


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(bytes(32), id="zero"),
        pytest.param(bytes(31) + b"\x02", id="two"),
        pytest.param(b"\x01" + bytes(31), id="a one at the other end"),
        pytest.param(b"\xff" * 32, id="all ones"),
        pytest.param(bytes(31), id="a byte less"),
        pytest.param(bytes(31) + b"\x01\x00", id="one and a byte more"),
        pytest.param(bytes(31) + b"\x01" + bytes(32), id="one and a word more"),
    ],
)
def test_submitBotMove_failsIfTheAnswerIsNotTheWordOne(shady: Live, answer: bytes) -> None:
    index = shady.index("e5")
    refused(shady, "ProofRejected", shady.send_bot_move, index, b"\x00" + answer)


def test_submitBotMove_failsIfVerifierRevertsWithOne(shady: Live) -> None:
    proof = b"\x01" + (1).to_bytes(32, "big")
    refused(shady, "ProofRejected", shady.send_bot_move, shady.index("e5"), proof)


def test_submitBotMove_failsIfVerifierBurnsGas(shady: Live) -> None:
    """It costs the sender the cap and no more, and the game goes on."""
    index = shady.index("e5")
    refused(shady, "ProofRejected", shady.send_bot_move, index, b"\x02")
    gas = shady.scene.node.last_gas
    assert 3_000_000 < gas < 3_200_000
    shady.send_bot_move(index, b"\x00" + (1).to_bytes(32, "big"))
    assert shady.state["ply"] == 2


def test_submitBotMove_failsIfVerifierReturnsTooMuch(shady: Live) -> None:
    """Half a megabyte that begins with a 1 is not copied, and not a yes."""
    refused(shady, "ProofRejected", shady.send_bot_move, shady.index("e5"), b"\x03")
    assert shady.scene.node.last_gas < 2_500_000


def test_submitBotMove_failsIfStarved(shady: Live) -> None:
    """Too little gas for a full verification is told from a wrong proof."""
    error = refused(
        shady, "VerifierStarved", shady.send_bot_move, shady.index("e5"), b"\x02", gas=1_500_000
    )
    assert error.values["gas"] < error.values["needed"] == 3_000_000 * 64 // 63 + 5_000


def test_submitBotMove_succeedsIfLittleGasIsEnough(proven: Live) -> None:
    index = proven.index("e5")
    proven.send_bot_move(index, proven.proof(index), gas=700_000)
    assert proven.state["ply"] == 2


def test_submitBotMove_succeedsIfVerifierCallsBackInVain(scene: Scene) -> None:
    live = scene.open(black=scene.callback)
    live.play("e4")
    index = live.index("e5")
    arguments = (live.id, 1, index, address(PAYEE), b"")
    again = scene.arena.artifact.call("submitBotMove", *arguments)
    live.send_bot_move(index, raw(scene.arena.address) + again)
    assert live.state["ply"] == 2


def test_submitBotMove_succeedsIfVerifierCallsBackToClaim(scene: Scene) -> None:
    """The callback could claim the timeout now, were it not a static call."""
    live = scene.open(black=scene.callback)
    live.play("e4")
    scene.node.next_block_at(live.state["lastMoveAt"] + BASE_SECONDS + 1)
    claim = scene.arena.artifact.call("claimTimeout", live.id)
    live.send_bot_move(live.index("e5"), raw(scene.arena.address) + claim)
    state = live.state
    assert state["ply"] == 2
    assert state["graceUntil"] == 0


@pytest.mark.parametrize("code", [b"", bytes.fromhex("600160005260206000f3")])
def test_submitBotMove_failsIfVerifiersCodeChanged(proven: Live, code: bytes) -> None:
    """Gone, or replaced by code that says yes to everything."""
    scene, index = proven.scene, proven.index("e5")
    proof = proven.proof(index)
    verifier = scene.registry.call("bot", scene.house)["verifier"]
    scene.node.set_code(verifier, code)
    error = refused(proven, "VerifierChanged", proven.send_bot_move, index, proof)
    assert error.values["verifier"] == verifier


def test_submitBotMove_failsIfKeyIsAnothers(scene: Scene) -> None:
    """A stranger's key, registered for the same net: its proofs count for its own bot alone."""
    proven = scene.open(black=scene.house)
    proven.play("e4")
    stranger = type(scene.key).random()
    bot = scene.registry.call("bot", scene.house)
    net, circuit = raw(bot["netHash"]), raw(bot["circuitHash"])
    scene.registry.send("registerHouse", net, circuit, stranger.vk, "house", sender=5)
    index = proven.index("e5")
    proof = stranger.prove(proven.statement(index).limbs)
    refused(proven, "ProofRejected", proven.send_bot_move, index, proof)


def test_submitBotMove_succeedsIfANewVersionCameMeanwhile(proven: Live) -> None:
    """A game keeps the version it began with, whatever its owner registers later."""
    scene, index = proven.scene, proven.index("e5")
    proof = proven.proof(index)
    newer = type(scene.key).random()
    scene.registry.send("registerHouse", NET, CIRCUIT, newer.vk, "house")
    refused(
        proven,
        "ProofRejected",
        proven.send_bot_move,
        index,
        newer.prove(proven.statement(index).limbs),
    )
    proven.send_bot_move(index, proof)
    assert proven.state["black"] == "0x" + scene.house.hex()


# ---- views ----


def test_statement_succeedsIfAsked(proven: Live) -> None:
    index = proven.index("e5")
    found = proven.scene.arena.call("statement", proven.id, index, address(PAYEE))
    board, context, payee, dice, chosen, mask = as_struct(proven.statement(index))
    assert found == {
        "board": board,
        "context": context,
        "payee": payee,
        "dice": dice,
        "index": chosen,
        "mask": mask,
    }


def test_legalMask_succeedsIfAsked(proven: Live) -> None:
    words = proven.scene.arena.call("legalMask", proven.id)
    assert sum(word << 256 * k for k, word in enumerate(words)) == proven.game.mask


@pytest.mark.parametrize("view", ["game", "legalMask", "statement"])
def test_views_failIfGameUnknown(scene: Scene, view: str) -> None:
    arguments = (0, address(PAYEE)) if view == "statement" else ()
    with pytest.raises(Reverted) as caught:
        scene.arena.call(view, b"\x99" * 32, *arguments)
    assert caught.value.name == "GameUnknown"


def test_game_packsItsStateIntoOneSlot(live: Live) -> None:
    """Six storage slots hold a game; only board, packed state and history change in play."""
    live.play("e4")
    state = live.state
    assert state["seed"] == "0x" + live.seed.hex()
    assert state["white"] == "0x" + player_side(address_of(PLAYER)).hex()
    packed = live.storage(1)
    assert packed & 0xFFFFFF == state["context"]
    assert packed >> 24 & 0xFFFF == state["ply"] == 1
    assert packed >> 56 & (1 << 40) - 1 == state["lastMoveAt"]
    assert live.storage(0) == live.game.position.board
    assert live.storage(6) == 0
