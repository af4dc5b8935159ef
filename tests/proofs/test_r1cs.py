import hashlib
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs.builder import Builder, bit_sums
from proofs.circuit import MoveCircuit
from proofs.errors import InvalidCircuitFile
from proofs.field import P, ints_to_words, small_to_words, words_to_ints
from proofs.linear import Lin, concat
from proofs.r1cs import R1cs, parse_wtns, wtns_bytes

PRIME = P.to_bytes(32, "little")


def toy() -> R1cs:
    """Public x (wire 1); y = x * x, z = 3 y + x - 5."""
    builder = Builder(1)
    x = Lin.of([1])
    y = builder.product("square", x, x)
    builder.linear("sum", y.scaled(3) + x - Lin.const([5]))
    return builder.finish()


def toy_witness(x: int) -> list[int]:
    return [1, x, x * x, 3 * x * x + x - 5]


def term(wire: int, coef: int) -> bytes:
    return struct.pack("<I", wire) + (coef % P).to_bytes(32, "little")


def test_file_is_iden3s_format_byte_for_byte() -> None:
    header = struct.pack("<I", 32) + PRIME + struct.pack("<IIIIQI", 4, 0, 1, 0, 4, 2)
    one, none = struct.pack("<I", 1), struct.pack("<I", 0)
    square = one + term(1, 1) + one + term(1, 1) + one + term(2, 1)
    total = none + none + struct.pack("<I", 4)
    total += term(0, -5) + term(1, 1) + term(2, 3) + term(3, -1)
    labels = struct.pack("<QQQQ", 0, 1, 2, 3)
    expected = b"r1cs" + struct.pack("<II", 1, 3)
    for kind, data in ((1, header), (2, square + total), (3, labels)):
        expected += struct.pack("<IQ", kind, len(data)) + data
    assert toy().to_bytes() == expected
    assert toy().sha256() == hashlib.sha256(expected).hexdigest()


def test_a_parsed_file_is_the_same_system(pawn: MoveCircuit, pawn_file: R1cs) -> None:
    assert pawn_file.to_bytes() == pawn.r1cs_bytes
    assert (pawn_file.n_wires, pawn_file.n_public) == (pawn.r1cs.n_wires, 10)
    assert pawn_file.n_constraints == pawn.n_constraints


@given(st.integers(min_value=0, max_value=P - 1))
def test_violations_of_any_size(x: int) -> None:
    assert toy().violations(ints_to_words(toy_witness(x))) == []


@given(
    st.integers(min_value=-(2**70), max_value=2**70),
    st.integers(min_value=1, max_value=3),
    st.integers(min_value=1, max_value=P - 1),
)
@settings(max_examples=200)
def test_violations_find_a_wrong_wire(x: int, wire: int, error: int) -> None:
    values = toy_witness(x)
    values[wire] += error
    system = toy()
    y_wrong = (values[2] - values[1] ** 2) % P != 0
    z_wrong = (values[3] - 3 * values[2] - values[1] + 5) % P != 0
    expected = [k for k, wrong in enumerate((y_wrong, z_wrong)) if wrong]
    assert system.violations(ints_to_words(values)) == expected


def test_violations_do_not_overflow() -> None:
    """2^32 * 2^32 is 0 modulo 2^64, and must not pass for 0."""
    values = [1, 2**32, 0, 2**32 - 5]
    assert toy().violations(ints_to_words(values)) == [0]


def test_labels_name_constraints(small: MoveCircuit) -> None:
    assert toy().label(0) == "square[0]"
    assert toy().label(1) == "sum[0]"
    assert toy().without(0).label(0) == "constraint[0]"
    (group,) = (g for g in small.r1cs.groups if g.name == "compare")
    assert small.r1cs.label(group.start + 17) == "compare[17]"


@given(st.lists(st.integers(min_value=0, max_value=P - 1), min_size=1, max_size=20))
def test_witness_file_both_ways(values: list[int]) -> None:
    data = wtns_bytes(ints_to_words(values))
    assert words_to_ints(parse_wtns(data)) == values
    assert data[:12] == b"wtns" + struct.pack("<II", 2, 2)
    assert len(data) == 12 + 12 + 40 + 12 + 32 * len(values)


@given(st.lists(st.integers(min_value=-(2**59), max_value=2**59), min_size=1, max_size=20))
def test_small_values_become_field_elements(values: list[int]) -> None:
    words = small_to_words(np.array(values, dtype=np.int64))
    assert words_to_ints(words) == [v % P for v in values]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"r1cs",
        b"wtns" + bytes(100),
        toy().to_bytes()[:-1],
        toy().to_bytes()[:100],
        toy().to_bytes().replace(PRIME, (P + 2).to_bytes(32, "little")),
        toy().to_bytes().replace(struct.pack("<II", 1, 3), struct.pack("<II", 2, 3)),
        toy().to_bytes().replace(term(3, -1), term(4, -1)),
        toy().to_bytes().replace(term(3, -1), struct.pack("<I", 3) + PRIME),
        toy().to_bytes().replace(struct.pack("<IIIIQI", 4, 0, 1, 0, 4, 2),
                                 struct.pack("<IIIIQI", 4, 0, 1, 0, 4, 3)),
        toy().to_bytes().replace(struct.pack("<IIIIQI", 4, 0, 1, 0, 4, 2),
                                 struct.pack("<IIIIQI", 4, 0, 1, 0, 4, 2**32 - 1)),
    ],
    ids=["empty", "magic only", "other file", "cut", "cut early", "other field", "version",
         "wire out of range", "coefficient not reduced", "too few constraints", "absurdly many"],
)  # fmt: skip
def test_malformed_files_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidCircuitFile):
        R1cs.from_bytes(data)


def test_malformed_witnesses_are_refused() -> None:
    good = wtns_bytes(ints_to_words([1, 2]))
    for bad in (b"", good[:-1], good[:30], toy().to_bytes(), good.replace(PRIME, bytes(32))):
        with pytest.raises(InvalidCircuitFile):
            parse_wtns(bad)


def dense(lin: Lin, wires: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    out = np.zeros((lin.n, wires), dtype=np.int64)
    np.add.at(out, (lin.row, lin.wire), lin.coef)
    return out


@given(st.integers(min_value=0, max_value=2**32 - 1))
@settings(max_examples=50)
def test_combinations_are_matrices(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, wires = int(rng.integers(1, 6)), 5

    def draw() -> Lin:
        count = int(rng.integers(0, 12))
        return Lin.terms(n, rng.integers(0, n, count), rng.integers(0, wires, count),
                         rng.integers(-3, 4, count))  # fmt: skip

    a, b = draw(), draw()
    da, db = dense(a, wires), dense(b, wires)
    rows = rng.integers(0, n, 7)
    matrix = rng.integers(-2, 3, (4, n))
    factors = rng.integers(-3, 4, n)
    assert np.array_equal(dense(a + b, wires), da + db)
    assert np.array_equal(dense(a - b, wires), da - db)
    assert np.array_equal(dense(a.take(rows), wires), da[rows])
    assert np.array_equal(dense(a.combine(matrix), wires), matrix @ da)
    assert np.array_equal(dense(a.scaled(factors), wires), factors[:, None] * da)
    assert np.array_equal(dense(a.sum(), wires)[0], da.sum(axis=0))
    assert np.array_equal(dense(concat([a, b]), wires), np.concatenate([da, db]))
    merged = a.merged()
    assert np.array_equal(dense(merged, wires), da)
    assert len(set(zip(merged.row.tolist(), merged.wire.tolist(), strict=True))) == len(merged.row)
    assert (merged.coef != 0).all()


def test_bit_sums_read_runs_of_bits() -> None:
    bits = Lin.of(np.arange(1, 8))  # runs of 3 and 4
    whole = dense(bit_sums(bits, np.array([3, 4])), 8)
    assert whole.tolist() == [[0, 1, 2, 4, 0, 0, 0, 0], [0, 0, 0, 0, 1, 2, 4, 8]]
    part = dense(bit_sums(bits, np.array([3, 4]), first=1, last=1), 8)
    assert part.tolist() == [[0, 0, 1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1, 2, 0]]


def test_builder_refuses_mismatched_sizes() -> None:
    builder = Builder(1)
    with pytest.raises(ValueError, match="1, 2 and 1"):
        builder.constrain("bad", Lin.zero(1), Lin.zero(2), Lin.zero(1))
    builder.wires("x", 1)
    with pytest.raises(ValueError, match="already"):
        builder.wires("x", 1)
