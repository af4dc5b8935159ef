import random

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from engine.encoding import START
from proofs.errors import InvalidStatement
from proofs.statement import (
    FIELDS,
    LIMB_BITS,
    LIMBS,
    PUBLIC_BITS,
    Statement,
    commitment,
    dice,
    game_seed,
    next_history,
)


def some_statement(seed: int) -> Statement:
    rng = random.Random(seed)
    return Statement(**{name: rng.getrandbits(width) for name, width in FIELDS})


def test_limbs_read_back_as_the_fields() -> None:
    for seed in range(50):
        statement = some_statement(seed)
        assert len(statement.limbs) == LIMBS
        assert all(0 <= limb < 1 << LIMB_BITS for limb in statement.limbs)
        string = sum(limb << LIMB_BITS * k for k, limb in enumerate(statement.limbs))
        for name, width in FIELDS:
            assert string & (1 << width) - 1 == getattr(statement, name)
            string >>= width
        assert string == 0


def test_the_string_has_the_drawn_length() -> None:
    assert PUBLIC_BITS == 2433
    full = Statement(**{name: (1 << width) - 1 for name, width in FIELDS})
    assert full.bits == (1 << PUBLIC_BITS) - 1


@pytest.mark.parametrize(("name", "width"), FIELDS)
def test_statement_fails_if_a_field_is_too_wide(name: str, width: int) -> None:
    fields = dict.fromkeys((field for field, _ in FIELDS), 0)
    for value in (1 << width, -1):
        with pytest.raises(InvalidStatement) as caught:
            Statement(**fields | {name: value})
        assert (caught.value.field, caught.value.value) == (name, value)


def test_of_takes_the_position_words() -> None:
    statement = Statement.of(START, mask=5, index=2, payee=7, dice=9)
    assert (statement.board, statement.context) == (START.board, START.context)


def test_hashes_are_keccak_over_abi_words() -> None:
    a, b = bytes(range(32)), bytes(range(32, 64))
    assert next_history(a, 293) == keccak(encode(["bytes32", "uint256"], [a, 293]))
    assert commitment(a) == keccak(encode(["bytes32"], [a]))
    assert game_seed(a, b) == keccak(encode(["bytes32", "bytes32"], [a, b]))
    full = keccak(encode(["bytes32", "uint256", "bytes32"], [a, 3, b]))
    assert dice(a, 3, b) == int.from_bytes(full, "big") & (1 << 128) - 1
