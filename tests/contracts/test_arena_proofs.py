"""pawn's own proofs, made by the real prover under a real key, before the arena."""

from dataclasses import dataclass, replace
from typing import Any, Final

import pytest

from engine.net import house_net
from engine.player import choose
from proofs.prove import Prover
from proofs.signing import Open
from proofs.statement import Statement
from proofs.trapdoor import R
from tests.contracts.ground import Contract, Receipt, Reverted
from tests.contracts.scene import PAYEE, Live, Scene, raw
from tests.proofs.keys_fixture import dev_store

NEVER: Final = 1 << 40
NO_RECEIPT: Final = Receipt(0, 0, 0, ())


@dataclass(frozen=True)
class Answer:
    """pawn's answer to 1. e4, and its proof."""

    opening: Open
    statement: Statement
    proof: bytes

    @property
    def index(self) -> int:
        return self.statement.index


@pytest.fixture(scope="module")
def prover() -> Prover:
    return Prover(house_net("pawn"), dev_store("pawn")[1])


@pytest.fixture(scope="module")
def pawn(shared_scene: Scene, prover: Prover) -> bytes:
    """The id of pawn, registered with its real hashes and key."""
    record = prover.record
    net, circuit = raw(prover.circuit.net.hash), raw(record.circuit_hash)
    receipt = shared_scene.registry.send("registerHouse", net, circuit, record.vk, "pawn")
    return raw(receipt.event("BotRegistered")["id"])


@pytest.fixture(scope="module")
def verifier(shared_scene: Scene, pawn: bytes) -> Contract:
    address = shared_scene.registry.call("bot", pawn)["verifier"]
    return Contract.at(shared_scene.node, "Groth16MoveVerifier", address)


def answer_to(scene: Scene, prover: Prover, opening: Open, *sans: str) -> Answer:
    """pawn's move after `sans` of a game that need not exist yet, and its proof."""
    live = Live(scene, opening, NO_RECEIPT)
    live.play_off_chain(*sans)
    index = choose(prover.circuit.net, live.game.position, live.game.mask)
    statement = live.statement(index)
    return Answer(opening, statement, prover.prove(statement).proof)


@pytest.fixture(scope="module")
def answer(shared_scene: Scene, prover: Prover, pawn: bytes) -> Answer:
    opening = replace(shared_scene.opening(black=pawn), expires=NEVER)
    return answer_to(shared_scene, prover, opening, "e4")


@pytest.fixture
def live(scene: Scene, answer: Answer) -> Live:
    """The game of `answer`, pawn to move."""
    game = scene.open(answer.opening)
    game.play("e4")
    return game


def rejected(live: Live, index: int, proof: bytes, **options: Any) -> None:
    before = live.state
    with pytest.raises(Reverted, match="ProofRejected"):
        live.send_bot_move(index, proof, **options)
    assert live.state == before


def test_submitBotMove_succeedsIfPawnProvedIt(live: Live, answer: Answer) -> None:
    receipt = live.send_bot_move(answer.index, answer.proof)
    assert receipt.event("BotMoved")["index"] == answer.index
    assert receipt.gas < 700_000


def test_submitBotMove_failsForEveryOtherLegalMove(live: Live, answer: Answer) -> None:
    others = [i for i in range(1858) if live.game.mask >> i & 1 and i != answer.index]
    assert others
    for index in others:
        rejected(live, index, answer.proof)


def test_submitBotMove_failsIfPawnsProofIsForAnotherPayee(live: Live, answer: Answer) -> None:
    rejected(live, answer.index, answer.proof, payee=PAYEE ^ 1)


def test_submitBotMove_failsIfPawnsProofIsOfAnotherPosition(scene: Scene, answer: Answer) -> None:
    """The same game, had the player begun otherwise: the index is legal there too."""
    live = scene.open(answer.opening)
    live.play("e3")
    rejected(live, answer.index, answer.proof)


def test_submitBotMove_failsIfPawnsProofIsOfAnotherGame(scene: Scene, answer: Answer) -> None:
    """The same position at the same ply: only the dice tell the games apart."""
    live = scene.open(answer.opening, nonce=2)
    live.play("e4")
    claim = live.statement(answer.index)
    assert replace(claim, dice=answer.statement.dice) == answer.statement
    rejected(live, answer.index, answer.proof)


def test_submitBotMove_failsIfPawnsProofIsForAnotherBot(scene: Scene, answer: Answer) -> None:
    live = scene.open(answer.opening, black=scene.house)
    live.play("e4")
    rejected(live, answer.index, answer.proof)


def test_submitBotMove_succeedsIfPawnHasWhite(scene: Scene, prover: Prover, pawn: bytes) -> None:
    opening = replace(scene.opening(white=pawn, black=scene.player_side()), expires=NEVER)
    first = answer_to(scene, prover, opening)
    live = scene.open(opening)
    live.send_bot_move(first.index, first.proof)
    live.follow(first.index)
    live.play("e5")
    assert live.state["ply"] == 2


@pytest.mark.parametrize("word", range(8))
def test_verifyLimbs_failsIfABitOfPawnsProofIsFlipped(
    verifier: Contract, answer: Answer, word: int
) -> None:
    limbs = list(answer.statement.limbs)
    assert verifier.call("verifyLimbs", limbs, answer.proof)
    for bit in (0, 128, 255):
        bent = bytearray(answer.proof)
        bent[32 * word + 31 - bit // 8] ^= 1 << bit % 8
        assert not verifier.call("verifyLimbs", limbs, bytes(bent))


@pytest.mark.parametrize("k", range(10))
def test_verifyLimbs_failsIfALimbOfPawnsStatementIsChanged(
    verifier: Contract, answer: Answer, k: int
) -> None:
    """Bumped by one, and pushed above the modulus, where it means the same number."""
    for step in (1, R):
        limbs = list(answer.statement.limbs)
        limbs[k] += step
        assert not verifier.call("verifyLimbs", limbs, answer.proof)
