"""The Groth16 verifier: which proofs of which statements it takes, and that it takes no other.

Most proofs here come from a key whose secrets the tests keep, so that even statements which no
honest circuit admits can be proven; a few come from groth16py and a circuit with ten inputs.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import groth16py
import numpy as np
import pytest

from proofs.builder import Builder
from proofs.field import ints_to_words
from proofs.groth16 import setup, verify
from proofs.linear import Lin
from proofs.r1cs import wtns_bytes
from proofs.statement import FIELDS, STATEMENT_ID, Statement
from proofs.trapdoor import (
    G2,
    P,
    R,
    TrapdoorKey,
    g2_bytes,
    multiply,
    twist_point_outside_g2,
)
from tests.contracts.ground import Contract, Node, Reverted
from tests.contracts.scene import NET, Scene, as_struct, raw

KEY: Final = TrapdoorKey.random()


def statement_of(rng: random.Random) -> Statement:
    return Statement(*(rng.getrandbits(width) for _, width in FIELDS))


STATEMENT: Final = statement_of(random.Random(1))
PROOF: Final = KEY.prove(STATEMENT.limbs)


@pytest.fixture(scope="module")
def verifier(shared_node: Node) -> Contract:
    return Contract.deploy(shared_node, "Groth16MoveVerifier", KEY.vk)


@pytest.fixture(scope="module")
def harness(shared_node: Node) -> Contract:
    return Contract.deploy(shared_node, "LibraryHarness")


def accepts(verifier: Contract, proof: bytes, statement: Statement = STATEMENT) -> bool:
    answer: bool = verifier.call("verifyMove", as_struct(statement), proof)
    return answer


def accepts_limbs(verifier: Contract, limbs: Sequence[int], proof: bytes = PROOF) -> bool:
    answer: bool = verifier.call("verifyLimbs", list(limbs), proof)
    return answer


# ---- statements ----


def test_limbs_agreeWithPython(harness: Contract) -> None:
    rng = random.Random(2)
    every_bit = Statement(*((1 << width) - 1 for _, width in FIELDS))
    nothing = Statement(*(0 for _ in FIELDS))
    for statement in [nothing, every_bit, *(statement_of(rng) for _ in range(20))]:
        assert tuple(harness.call("limbs", as_struct(statement))) == statement.limbs


@pytest.mark.parametrize("name", [name for name, _ in FIELDS])
def test_limbs_agreeWithPythonAtTheEndsOfEachField(harness: Contract, name: str) -> None:
    nothing = Statement(*(0 for _ in FIELDS))
    for bit in (0, dict(FIELDS)[name] - 1):
        change: dict[str, Any] = {name: 1 << bit}
        statement = replace(nothing, **change)
        assert tuple(harness.call("limbs", as_struct(statement))) == statement.limbs


def test_statementId_isTheDocumentedHash(verifier: Contract) -> None:
    assert verifier.call("statementId") == "0x" + STATEMENT_ID.hex()


def test_verifyMove_succeedsIfProven(verifier: Contract) -> None:
    assert accepts(verifier, PROOF)
    assert accepts_limbs(verifier, STATEMENT.limbs)


def test_verifyMove_succeedsIfProofIsAnotherOfTheSame(verifier: Contract) -> None:
    """Groth16 proofs are malleable: nothing may be keyed on their bytes."""
    other = KEY.prove(STATEMENT.limbs)
    assert other != PROOF
    assert accepts(verifier, other)


@pytest.mark.parametrize("name", [name for name, _ in FIELDS])
def test_verifyMove_failsIfAFieldDiffers(verifier: Contract, name: str) -> None:
    for bit in (0, dict(FIELDS)[name] - 1):
        change: dict[str, Any] = {name: getattr(STATEMENT, name) ^ 1 << bit}
        assert not accepts(verifier, PROOF, replace(STATEMENT, **change))


def overflowing(**changes: int) -> tuple[Any, ...]:
    """A statement as the contract gets it, with fields wider than they may be."""
    board, context, payee, dice, index, mask = as_struct(STATEMENT)
    top = changes.get("top_mask", mask[7])
    fields = (board, changes.get("context", context), payee, dice, changes.get("index", index))
    return (*fields, [*mask[:7], top])


@pytest.mark.parametrize("bits", [20, 21, 255])
def test_verifyMove_failsIfContextIsTooWide(verifier: Contract, bits: int) -> None:
    """Its spare bits would overlay the payee: the proof is of just that payee."""
    context = STATEMENT.context | 1 << bits
    limbs = limbs_of_words(context=context)
    proof = KEY.prove(limbs)
    assert accepts_limbs(verifier, limbs, proof)
    assert not verifier.call("verifyMove", overflowing(context=context), proof)


@pytest.mark.parametrize("bits", [11, 12, 203])
def test_verifyMove_failsIfIndexIsTooWide(verifier: Contract, bits: int) -> None:
    """Its spare bits would overlay the mask."""
    index = STATEMENT.index | 1 << bits
    limbs = limbs_of_words(index=index)
    proof = KEY.prove(limbs)
    assert accepts_limbs(verifier, limbs, proof)
    assert not verifier.call("verifyMove", overflowing(index=index), proof)


@pytest.mark.parametrize("bits", [66, 100])
def test_verifyMove_failsIfMaskHasSpareBits(verifier: Contract, bits: int) -> None:
    top = STATEMENT.mask >> 1792 | 1 << bits
    limbs = limbs_of_words(top_mask=top)
    proof = KEY.prove(limbs)
    assert accepts_limbs(verifier, limbs, proof)
    assert not verifier.call("verifyMove", overflowing(top_mask=top), proof)


def limbs_of_words(**changes: int) -> list[int]:
    """The limbs that the packing arithmetic makes of fields wider than they may be."""
    s = STATEMENT
    context = changes.get("context", s.context)
    index = changes.get("index", s.index)
    mask = s.mask & (1 << 1792) - 1 | changes.get("top_mask", s.mask >> 1792) << 1792
    word = (1 << 256) - 1
    string = s.board
    string |= (context | s.payee << 20 | s.dice << 180 & word) << 256
    string |= (s.dice >> 76 | index << 52 & word | mask << 63 & word) << 512
    string |= mask >> 193 << 768
    return [string >> 253 * k & (1 << 253) - 1 for k in range(10)]


@pytest.mark.parametrize("field", [2, 3])
def test_verifyMove_failsIfPayeeOrDiceHasDirtyBits(verifier: Contract, field: int) -> None:
    """Solidity's decoder refuses them: their types are as wide as the fields."""
    data = bytearray(verifier.artifact.call("verifyMove", as_struct(STATEMENT), PROOF))
    data[4 + 32 * field] |= 0x80
    with pytest.raises(Reverted):
        verifier.call_raw(bytes(data))


# ---- keys as code ----


@pytest.mark.parametrize("length", [0, 1, 1152, 24_575])
def test_write_keepsTheBytesAsCode(harness: Contract, length: int) -> None:
    data = random.Random(length).randbytes(length)
    address = harness.call("write", data)
    harness.send("write", data)
    assert harness.node.code(address) == b"\x00" + data


@pytest.mark.parametrize("length", [24_576, 49_000])
def test_write_failsIfNoContractMayBeSoLong(harness: Contract, length: int) -> None:
    """Otherwise a verifier would read its key from nowhere, as zeros."""
    with pytest.raises(Reverted, match="StoreFailed"):
        harness.call("write", bytes(length))


# ---- public inputs ----


@pytest.mark.parametrize("k", range(10))
def test_verifyLimbs_failsIfALimbIsBumped(verifier: Contract, k: int) -> None:
    for step in (1, -1, 1 << 252):
        limbs = list(STATEMENT.limbs)
        limbs[k] = (limbs[k] + step) % R
        assert not accepts_limbs(verifier, limbs)


@pytest.mark.parametrize("k", range(10))
def test_verifyLimbs_failsIfALimbIsPushedAboveTheModulus(verifier: Contract, k: int) -> None:
    """The same number modulo R, so only the range check stands against it."""
    for times in (1, 2, 4):
        limbs = list(STATEMENT.limbs)
        limbs[k] += times * R
        assert not accepts_limbs(verifier, limbs)


def test_verifyLimbs_succeedsIfALimbIsJustBelowTheModulus(verifier: Contract) -> None:
    limbs = [R - 1] * 10
    assert accepts_limbs(verifier, limbs, KEY.prove(limbs))


def test_verifyLimbs_failsIfTwoLimbsAreExchanged(verifier: Contract) -> None:
    limbs = list(STATEMENT.limbs)
    limbs[3], limbs[4] = limbs[4], limbs[3]
    assert not accepts_limbs(verifier, limbs)


# ---- proofs ----


@pytest.mark.parametrize("word", range(8))
def test_verifyMove_failsIfABitOfTheProofIsFlipped(verifier: Contract, word: int) -> None:
    for bit in (0, 1, 77, 253, 255):
        bent = bytearray(PROOF)
        bent[32 * word + 31 - bit // 8] ^= 1 << bit % 8
        assert not accepts(verifier, bytes(bent))


@pytest.mark.parametrize("length", [0, 1, 32, 128, 192, 255, 257, 288, 512])
def test_verifyMove_failsIfTheProofHasAnotherLength(verifier: Contract, length: int) -> None:
    assert not accepts(verifier, (PROOF + bytes(256))[:length])


def test_verifyMove_failsIfTheProofIsZero(verifier: Contract) -> None:
    assert not accepts(verifier, bytes(256))


@pytest.mark.parametrize("part", [slice(0, 64), slice(64, 192), slice(192, 256)])
def test_verifyMove_failsIfAPointIsZero(verifier: Contract, part: slice) -> None:
    bent = bytearray(PROOF)
    bent[part] = bytes(part.stop - part.start)
    assert not accepts(verifier, bytes(bent))


@pytest.mark.parametrize("word", range(8))
def test_verifyMove_failsIfACoordinateIsNotBelowTheModulus(verifier: Contract, word: int) -> None:
    """The same point written with the modulus added."""
    bent = bytearray(PROOF)
    value = int.from_bytes(bent[32 * word : 32 * word + 32], "big") + P
    bent[32 * word : 32 * word + 32] = value.to_bytes(32, "big")
    assert not accepts(verifier, bytes(bent))


def test_verifyMove_failsIfZeroIsWrittenAsTheModulus(verifier: Contract) -> None:
    """A proof whose A is the zero point holds; written as (0, P) it must not."""
    proof = KEY.prove(STATEMENT.limbs, a=0)
    assert proof[:64] == bytes(64)
    assert accepts(verifier, proof)
    assert not accepts(verifier, bytes(32) + P.to_bytes(32, "big") + proof[64:])


def test_verifyMove_failsIfBIsOutsideTheGroup(verifier: Contract) -> None:
    """With A zero its pairing would not matter, whatever B is: the precompile must refuse it."""
    proof = KEY.prove(STATEMENT.limbs, a=0)
    outside = g2_bytes(twist_point_outside_g2())
    assert not accepts(verifier, proof[:64] + outside + proof[192:])


def test_verifyMove_failsIfAPointIsNegated(verifier: Contract) -> None:
    minus_y = P - int.from_bytes(PROOF[32:64], "big")
    assert not accepts(verifier, PROOF[:32] + minus_y.to_bytes(32, "big") + PROOF[64:])


def test_verifyMove_succeedsIfTwoPointsAreNegated(verifier: Contract) -> None:
    """(-A, -B) is a proof again: the other malleability."""
    a, b = 5, 7
    proof = KEY.prove(STATEMENT.limbs, a=a, b=b)
    negated = KEY.prove(STATEMENT.limbs, a=R - a, b=R - b)
    assert negated[192:] == proof[192:]
    assert negated[64:192] == g2_bytes(multiply(G2, R - b))
    assert accepts(verifier, negated)


def test_verifyMove_failsIfTheKeyIsAnother(shared_node: Node) -> None:
    other = Contract.deploy(shared_node, "Groth16MoveVerifier", TrapdoorKey.random().vk)
    assert not accepts(other, PROOF)


@pytest.mark.parametrize("part", ["alpha", "beta", "gamma", "delta", "ic"])
def test_verifyMove_failsIfAPartOfTheKeyIsAnother(shared_node: Node, part: str) -> None:
    change: dict[str, Any] = {part: 11}
    if part == "ic":
        change = {"ic": (*KEY.ic[:10], 11)}
    other = Contract.deploy(shared_node, "Groth16MoveVerifier", replace(KEY, **change).vk)
    assert not accepts(other, PROOF)


def test_verifyMove_answersWithLittleGasByNoAndNeverByYes(verifier: Contract) -> None:
    """Starved precompiles fail, and a failed precompile is a no, or the call runs dry."""
    data = verifier.artifact.call("verifyMove", as_struct(STATEMENT), PROOF)
    answers = set()
    for gas in range(30_000, 330_000, 5_000):
        try:
            answers.add(verifier.call_raw(data, gas=gas))
        except (Reverted, AssertionError):
            continue
    assert answers <= {bytes(32), (1).to_bytes(32, "big")}
    assert verifier.call_raw(data, gas=400_000) == (1).to_bytes(32, "big")


def test_verifyMove_costsAtMost270k(verifier: Contract) -> None:
    receipt = verifier.send("verifyMove", as_struct(STATEMENT), PROOF)
    calldata = verifier.artifact.call("verifyMove", as_struct(STATEMENT), PROOF)
    intrinsic = 21_000 + sum(16 if byte else 4 for byte in calldata)
    assert receipt.gas - intrinsic < 270_000


# ---- proofs that groth16py made ----


@dataclass(frozen=True)
class Squares:
    """A circuit of ten inputs and their squares, with a key: any ten numbers have a proof."""

    vk: bytes
    proving_key: groth16py.ProvingKey
    folder: Path

    def prove(self, limbs: Sequence[int]) -> bytes:
        path = self.folder / "witness.wtns"
        wires = [1, *limbs, *(limb * limb % R for limb in limbs)]
        path.write_bytes(wtns_bytes(ints_to_words(wires)))
        return bytes(groth16py.prove_wtns(self.proving_key, str(path)))


@pytest.fixture(scope="module")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Squares:
    folder = tmp_path_factory.mktemp("squares")
    builder = Builder(10)
    inputs = Lin.of(np.arange(1, 11))
    builder.product("squares", inputs, inputs)
    path = folder / "squares.r1cs"
    path.write_bytes(builder.finish().to_bytes())
    proving_key, vk = setup(path)
    return Squares(vk, proving_key, folder)


def test_verifyMove_agreesWithGroth16py(shared_node: Node, squares: Squares) -> None:
    verifier = Contract.deploy(shared_node, "Groth16MoveVerifier", squares.vk)
    rng = random.Random(3)
    for statement in [STATEMENT, statement_of(rng), statement_of(rng)]:
        proof = squares.prove(statement.limbs)
        assert verify(squares.vk, proof, statement.limbs)
        assert accepts(verifier, proof, statement)
        wrong = replace(statement, index=statement.index ^ 1)
        assert not verify(squares.vk, proof, wrong.limbs)
        assert not accepts(verifier, proof, wrong)


def test_trapdoorProofs_satisfyGroth16py() -> None:
    """The proofs that these tests make up are what any verifier takes for a proof."""
    assert verify(KEY.vk, PROOF, STATEMENT.limbs)
    assert not verify(KEY.vk, PROOF[:-1] + bytes([PROOF[-1] ^ 1]), STATEMENT.limbs)


def test_submitBotMove_succeedsIfGroth16pyProvedIt(scene: Scene, squares: Squares) -> None:
    """A whole bot move whose proof was made as real ones are."""
    registered = scene.registry.send("registerHouse", NET, NET, squares.vk, "squares")
    bot = raw(registered.event("BotRegistered")["id"])
    live = scene.open(black=bot)
    live.play("e4")
    index = live.index("e5")
    live.send_bot_move(index, squares.prove(live.statement(index).limbs))
    assert live.state["ply"] == 2
