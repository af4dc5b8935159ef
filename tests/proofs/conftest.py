"""What the tests of circuits and proofs share."""

import pytest

from proofs.circuit import MoveCircuit, compile_circuit
from proofs.keys import KeyRecord, KeyStore
from proofs.prove import Prover
from proofs.r1cs import R1cs
from tests.engine.nets import random_net
from tests.proofs.circuits import FULL, circuit_of
from tests.proofs.keys_fixture import dev_store


@pytest.fixture(scope="session")
def pawn() -> MoveCircuit:
    return circuit_of("pawn")


@pytest.fixture(scope="session")
def pawn_file(pawn: MoveCircuit) -> R1cs:
    """The circuit as anybody reads it from its file."""
    return R1cs.from_bytes(pawn.r1cs_bytes)


@pytest.fixture(scope="session")
def small() -> MoveCircuit:
    """The circuit of a small random net."""
    return compile_circuit(random_net(channels=(2, 1)))


@pytest.fixture(scope="session")
def full() -> MoveCircuit:
    """The circuit of a small net with everything that a net can have."""
    return circuit_of(FULL)


@pytest.fixture(scope="session")
def pawn_key() -> tuple[KeyStore, KeyRecord]:
    return dev_store("pawn")


@pytest.fixture(scope="session")
def prover(pawn: MoveCircuit, pawn_key: tuple[KeyStore, KeyRecord]) -> Prover:
    return Prover(pawn.net, pawn_key[1])
