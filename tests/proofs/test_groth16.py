import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proofs import groth16
from proofs.circuit import MoveCircuit
from proofs.errors import InvalidVerifyingKey, KeyMismatch, ProofInvalid
from proofs.field import P, Q
from proofs.groth16 import PROOF_BYTES, Verifier, verify, vk_from_json, vk_to_json
from proofs.keys import KeyRecord, KeyStore
from proofs.prove import Prover
from proofs.statement import Statement
from tests.engine.nets import random_net
from tests.proofs.cheats import middle_statement
from tests.proofs.keys_fixture import store_for

VK_BYTES = 1152


@pytest.fixture(scope="module")
def statement(pawn: MoveCircuit) -> Statement:
    return middle_statement(pawn.net)


@pytest.fixture(scope="module")
def proof(prover: Prover, statement: Statement) -> bytes:
    return prover.prove(statement).proof


@pytest.fixture(scope="module")
def vk(prover: Prover) -> bytes:
    return prover.record.vk


def test_an_honest_proof_verifies(vk: bytes, proof: bytes, statement: Statement) -> None:
    assert len(vk) == VK_BYTES
    assert len(proof) == PROOF_BYTES
    assert verify(vk, proof, statement.limbs)


def test_two_proofs_of_one_statement_differ(prover: Prover, statement: Statement) -> None:
    first, second = prover.prove(statement), prover.prove(statement)
    assert first.proof != second.proof
    assert first.key_hash == prover.record.key_hash
    assert 0 < first.cpu_s < 5


@pytest.mark.parametrize("word", range(8))
def test_one_flipped_bit_in_any_word_is_refused(
    word: int, vk: bytes, proof: bytes, statement: Statement
) -> None:
    for bit in (0, 17, 255):
        flipped = int.from_bytes(proof, "big") ^ 1 << (255 - bit + 256 * (7 - word))
        assert not verify(vk, flipped.to_bytes(PROOF_BYTES, "big"), statement.limbs)


def test_other_lengths_and_zeros_are_refused(vk: bytes, proof: bytes, statement: Statement) -> None:
    for bad in (b"", proof[:-1], proof + b"\0", bytes(PROOF_BYTES), proof[32:]):
        assert not verify(vk, bad, statement.limbs)


@pytest.mark.parametrize("word", range(8))
def test_a_coordinate_plus_the_modulus_is_refused(
    word: int, vk: bytes, proof: bytes, statement: Statement
) -> None:
    words = [int.from_bytes(proof[k : k + 32], "big") for k in range(0, PROOF_BYTES, 32)]
    words[word] += Q
    assert words[word] < 2**256
    assert not verify(vk, b"".join(w.to_bytes(32, "big") for w in words), statement.limbs)


@pytest.mark.parametrize("limb", range(10))
def test_every_limb_is_bound(limb: int, vk: bytes, proof: bytes, statement: Statement) -> None:
    verifier = Verifier(vk)
    for change in (1, P, -P):
        limbs = list(statement.limbs)
        limbs[limb] += change
        assert not verifier.verify(proof, limbs)


def test_too_few_or_many_inputs_are_refused(vk: bytes, proof: bytes, statement: Statement) -> None:
    assert not verify(vk, proof, statement.limbs[:-1])
    assert not verify(vk, proof, [*statement.limbs, 0])


def test_another_fields_statement_is_refused(vk: bytes, proof: bytes, statement: Statement) -> None:
    others = [
        replace(statement, payee=statement.payee ^ 1),
        replace(statement, dice=statement.dice ^ 1),
        replace(statement, index=statement.index ^ 1),
        replace(statement, board=statement.board ^ 1),
        replace(statement, context=statement.context ^ 1),
        replace(statement, mask=statement.mask ^ 1),
    ]
    assert not any(verify(vk, proof, other.limbs) for other in others)


@pytest.fixture(scope="module")
def stranger() -> tuple[KeyStore, KeyRecord]:
    """The key of other weights."""
    return store_for(random_net(77, channels=(1,), magnitude=1))


def test_other_weights_key_refuses_the_proof(
    stranger: tuple[KeyStore, KeyRecord], pawn: MoveCircuit, proof: bytes, statement: Statement
) -> None:
    assert not verify(stranger[1].vk, proof, statement.limbs)
    with pytest.raises(KeyMismatch):
        Prover(pawn.net, stranger[1])


def test_a_key_pair_that_does_not_match_is_noticed_before_anybody_sees_a_proof(
    tmp_path: Path,
) -> None:
    net = random_net(79, channels=(), magnitude=1)
    one, other = (KeyStore(tmp_path / name).ensure_dev_key(net) for name in ("one", "other"))
    assert one.circuit_hash == other.circuit_hash
    assert one.key_hash != other.key_hash
    mixed = replace(one, vk=other.vk, key_hash=other.key_hash)
    with pytest.raises(ProofInvalid) as caught:
        Prover(net, mixed).prove(middle_statement(net))
    assert caught.value.key_hash == other.key_hash


def test_verifying_key_both_ways(vk: bytes) -> None:
    text = vk_to_json(vk)
    assert vk_from_json(text) == vk
    key = json.loads(text)
    assert key["nPublic"] == 10
    assert len(key["IC"]) == 11
    # snarkjs puts the real part first, EIP-197 the imaginary part
    assert int(key["vk_beta_2"][0][0]) == int.from_bytes(vk[96:128], "big")
    assert int(key["vk_beta_2"][0][1]) == int.from_bytes(vk[64:96], "big")


def test_proof_json_swaps_the_same_words(proof: bytes) -> None:
    drawn = json.loads(groth16.proof_to_json(proof))
    words = [int.from_bytes(proof[k : k + 32], "big") for k in range(0, PROOF_BYTES, 32)]
    assert [int(x) for x in drawn["pi_a"]] == [*words[:2], 1]
    assert [int(x) for x in drawn["pi_b"][0]] == [words[3], words[2]]
    assert [int(x) for x in drawn["pi_b"][1]] == [words[5], words[4]]
    assert [int(x) for x in drawn["pi_c"]] == [*words[6:], 1]


@pytest.mark.parametrize("size", [0, 1, VK_BYTES - 1, VK_BYTES + 1, 448])
def test_keys_of_odd_lengths_are_refused(size: int) -> None:
    with pytest.raises(InvalidVerifyingKey):
        Verifier(bytes(size))


@pytest.mark.parametrize("point", range(15))
def test_a_key_with_a_point_off_its_curve_is_refused(point: int, vk: bytes) -> None:
    starts = [0, 64, 192, 320, *range(448, VK_BYTES, 64)]
    bad = bytearray(vk)
    bad[starts[point] + 31] ^= 1
    with pytest.raises(InvalidVerifyingKey):
        Verifier(bytes(bad))


def test_a_key_with_a_zero_point_is_refused(vk: bytes) -> None:
    with pytest.raises(InvalidVerifyingKey):
        Verifier(bytes(64) + vk[64:])


@pytest.mark.parametrize("sign", [1, -1])
def test_a_key_with_gamma_and_delta_alike_is_refused(sign: int, vk: bytes) -> None:
    gamma = vk[192:256] + b"".join(
        (sign * int.from_bytes(vk[k : k + 32], "big") % Q).to_bytes(32, "big") for k in (256, 288)
    )
    with pytest.raises(InvalidVerifyingKey, match="gamma is delta"):
        Verifier(vk[:320] + gamma + vk[448:])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"vk_alpha_1": ["1"]}', "null"])
def test_json_without_a_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidVerifyingKey):
        vk_from_json(text)


def test_json_with_an_unreduced_coordinate_is_refused(vk: bytes) -> None:
    key = json.loads(vk_to_json(vk))
    key["vk_alpha_1"][0] = str(int(key["vk_alpha_1"][0]) + Q)
    with pytest.raises(InvalidVerifyingKey):
        vk_from_json(json.dumps(key))


@given(junk=st.binary(min_size=PROOF_BYTES, max_size=PROOF_BYTES))
@settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_junk_is_no_proof(junk: bytes, vk: bytes, statement: Statement) -> None:
    assert not verify(vk, junk, statement.limbs)
