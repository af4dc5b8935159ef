"""Setups from files: snarkjs' and halo2's own are taken, and no altered one."""

import os
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from proofs.errors import SrsRefused
from proofs.ezkl_build import call_ezkl, find_srs
from proofs.field import Q
from proofs.srs import (
    G2_BYTES,
    POINT_BYTES,
    Powers,
    check,
    g2_point,
    is_ptau,
    points,
    ptau_power,
    read_ptau,
    read_srs,
)
from proofs.srs_curve import G1, G2, add, interpolated, pairings_equal, root_of_unity, weighted_sum
from proofs.srs_store import choose_srs, chosen_srs, kept_srs
from proofs.trapdoor import G1 as SLOW_G1
from proofs.trapdoor import P as SLOW_Q
from proofs.trapdoor import R, g2_bytes, multiply, twist_point_outside_g2
from tests.proofs.ptau_file import as_ptau, ptau_by_snarkjs

SIZE = 6


def silent(_line: str) -> None: ...


def montgomery(value: int) -> bytes:
    return (value * 2**256 % Q).to_bytes(32, "little")


@pytest.fixture(scope="module")
def halo2_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SRS that halo2 itself wrote, by ezkl."""
    path = tmp_path_factory.mktemp("srs") / "made.srs"
    call_ezkl("make a development SRS", "gen_srs", path, SIZE)
    return path


@pytest.fixture(scope="module")
def honest(halo2_file: Path) -> Powers:
    return read_srs(halo2_file)


@pytest.fixture(scope="module")
def ptau(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ptau_by_snarkjs(tmp_path_factory.mktemp("ptau"), SIZE)


def test_halo2s_own_file_is_taken(halo2_file: Path, honest: Powers) -> None:
    check(honest, "made", silent)
    assert honest.logrows == SIZE
    assert honest.file == halo2_file.read_bytes()
    assert honest.ceremony == ""
    assert not is_ptau(halo2_file)


@pytest.mark.parametrize("size", [2, 5, SIZE])
def test_snarkjs_own_file_is_converted(ptau: Path, size: int, tmp_path: Path) -> None:
    assert is_ptau(ptau)
    assert ptau_power(ptau) == SIZE
    converted = read_ptau(ptau, size)
    check(converted, "converted", silent)
    (tmp_path / "converted.srs").write_bytes(converted.file)
    assert read_srs(tmp_path / "converted.srs").hash == converted.hash


def test_a_plain_copy_of_snarkjs_basis_is_refused(ptau: Path) -> None:
    """What a converter gets that does not know of the two generators."""
    theirs, n = ptau.read_bytes(), 1 << SIZE
    ours = points(read_ptau(ptau, SIZE).lagrange)
    start = theirs.index(read_ptau(ptau, SIZE).lagrange[:POINT_BYTES])
    plain = theirs[start : start + n * POINT_BYTES]
    assert sorted(points(plain)) == sorted(ours)
    assert points(plain) != ours
    with pytest.raises(SrsRefused, match="Lagrange points do not belong to its powers"):
        check(replace(read_ptau(ptau, SIZE), lagrange=plain), "plain", silent)


def test_a_basis_there_and_back_is_the_same(honest: Powers, tmp_path: Path) -> None:
    (tmp_path / "there.ptau").write_bytes(as_ptau(honest))
    assert read_ptau(tmp_path / "there.ptau", SIZE).file == honest.file


def test_an_unprepared_ptau_says_what_to_do(tmp_path: Path) -> None:
    path = ptau_by_snarkjs(tmp_path, 2, prepared=False)
    with pytest.raises(SrsRefused, match="prepare phase2"):
        read_ptau(path, 2)


def swapped(data: bytes, a: int, b: int) -> bytes:
    found = [data[k : k + POINT_BYTES] for k in range(0, len(data), POINT_BYTES)]
    found[a], found[b] = found[b], found[a]
    return b"".join(found)


def put(data: bytes, place: int, point: tuple[int, int]) -> bytes:
    at = place * POINT_BYTES
    coded = montgomery(point[0]) + montgomery(point[1])
    return data[:at] + coded + data[at + POINT_BYTES :]


def multiply_g2(scalar: int) -> bytes:
    from proofs.trapdoor import G2 as SLOW_G2  # noqa: PLC0415

    return g2_bytes(multiply(SLOW_G2, scalar))


def moved(eip197: bytes) -> bytes:
    """A G2 point as a setup file has it."""
    xi, xr, yi, yr = (int.from_bytes(eip197[k : k + 32], "big") for k in range(0, 128, 32))
    return b"".join(map(montgomery, (xr, xi, yr, yi)))


ALTERATIONS: dict[str, tuple[Callable[[Powers], Powers], str]] = {
    "off the curve": (
        lambda s: replace(s, powers=put(s.powers, 3, (5, 5))),
        "number 3 of its powers is no point",
    ),
    "Lagrange point off the curve": (
        lambda s: replace(s, lagrange=put(s.lagrange, 9, (0, 0))),
        "number 9 of its Lagrange points is no point",
    ),
    "not reduced": (
        lambda s: replace(s, powers=s.powers[:64] + b"\xff" * 32 + s.powers[96:]),
        "not below the field's modulus",
    ),
    "another generator": (
        lambda s: replace(s, powers=swapped(s.powers, 0, 1)),
        "does not begin with the generators",
    ),
    "another generator of G2": (
        lambda s: replace(s, g2=moved(multiply_g2(5))),
        "does not begin with the generators",
    ),
    "two powers swapped": (
        lambda s: replace(s, powers=swapped(s.powers, 7, 8)),
        "not the powers of one secret",
    ),
    "last power": (
        lambda s: replace(s, powers=put(s.powers, 63, G1)),
        "not the powers of one secret",
    ),
    "another secret's G2": (
        lambda s: replace(s, tau_g2=moved(multiply_g2(1234567))),
        "not the powers of one secret",
    ),
    "outside of the group": (
        lambda s: replace(s, tau_g2=moved(g2_bytes(twist_point_outside_g2()))),
        "not the powers of one secret",
    ),
    "secret of one": (
        lambda s: replace(s, powers=s.powers[:64] * 64, tau_g2=s.g2),
        "which everybody can guess",
    ),
    "two Lagrange points swapped": (
        lambda s: replace(s, lagrange=swapped(s.lagrange, 0, 63)),
        "do not belong to its powers",
    ),
    "one Lagrange point": (
        lambda s: replace(s, lagrange=put(s.lagrange, 20, G1)),
        "do not belong to its powers",
    ),
}


@pytest.mark.parametrize("name", ALTERATIONS)
def test_an_altered_setup_is_refused(name: str, honest: Powers) -> None:
    alter, why = ALTERATIONS[name]
    with pytest.raises(SrsRefused, match=why):
        check(alter(honest), "altered", silent)


def test_files_of_other_kinds_are_refused(halo2_file: Path, ptau: Path, tmp_path: Path) -> None:
    whole, theirs, path = halo2_file.read_bytes(), ptau.read_bytes(), tmp_path / "bad"
    for data in (b"", b"\0" * 4, whole[:-1], whole + b"\0", struct.pack("<I", 60), b"x" * 1000):
        path.write_bytes(data)
        with pytest.raises(SrsRefused, match=r"no \.srs of halo2"):
            read_srs(path)
    other_curve = theirs.replace(Q.to_bytes(32, "little"), bytes(31) + b"\1", 1)
    for data in (b"ptau", theirs[:60], theirs[:-100], other_curve, b"ptau" + b"\xff" * 60):
        path.write_bytes(data)
        with pytest.raises(SrsRefused):
            read_ptau(path, SIZE)
    with pytest.raises(SrsRefused, match=r"for 2\^6 rows, not for 2\^7"):
        read_ptau(ptau, SIZE + 1)


def test_a_known_secret_names_its_ceremony(honest: Powers) -> None:
    hermez = (
        0x26186A2D65EE4D2F9C9A5B91F86597D35F192CD120CAF7E935D8443D1938E23D,
        0x30441FD1B5D3370482C42152A8899027716989A6996C2535BC9F7FEE8AAEF79E,
        2388026358213174446665280700919698872609886601280537296205114254867301080648,
        11507326595632554467052522095592665270651932854513688777769618397986436103170,
    )
    known = replace(honest, tau_g2=b"".join(map(montgomery, hermez)))
    assert "Hermez" in known.ceremony
    # The name alone is worth nothing: these are not that secret's powers.
    with pytest.raises(SrsRefused, match="not the powers of one secret"):
        check(known, "known", silent)


# ---- the arithmetic ----


def test_sums_are_those_of_slow_arithmetic() -> None:
    assert SLOW_Q == Q
    secrets = [3, 5, 7, R - 3, 3, 11]
    chosen = [multiply(SLOW_G1, s) for s in secrets]
    pairs = [(p[0].real, p[1].real) for p in chosen if p is not None]
    weights = [2**100 - 1, 12, 0, 2**100 - 1, 77, 4096]
    expected = multiply(SLOW_G1, sum(s * w for s, w in zip(secrets, weights, strict=True)) % R)
    assert expected is not None
    assert weighted_sum(pairs, weights, bits=100) == (expected[0].real, expected[1].real)
    assert weighted_sum([pairs[0], pairs[3]], [9, 9], bits=4) is None
    assert add(pairs[0], None) == pairs[0]
    assert add(pairs[0], pairs[3]) is None


def test_interpolation_gives_back_the_values() -> None:
    root, values = root_of_unity(7, 3), [5, 0, 2, 8, 1, 1, R - 1, 3]
    assert pow(root, 8, R) == 1 != pow(root, 4, R)
    found = interpolated(values, root)
    for k, value in enumerate(values):
        assert sum(c * pow(root, k * j, R) for j, c in enumerate(found)) % R == value


def test_a_pairing_tells_products_apart() -> None:
    five, seven = weighted_sum([G1], [5], bits=3), weighted_sum([G1], [7], bits=3)
    assert five is not None
    assert seven is not None
    double = g2_point(moved(multiply_g2(2)))
    ten = weighted_sum([G1], [10], bits=4)
    assert ten is not None
    assert pairings_equal(five, double, ten, G2)
    assert not pairings_equal(seven, double, ten, G2)
    assert not pairings_equal((5, 5), double, ten, G2)


# ---- the store ----


def test_a_chosen_setup_is_used_and_kept(honest: Powers, tmp_path: Path) -> None:
    assert chosen_srs(tmp_path, SIZE) is None
    kept = choose_srs(tmp_path, honest)
    assert chosen_srs(tmp_path, SIZE) == kept == find_srs(tmp_path, SIZE)
    assert kept.path.name == f"{SIZE}-{honest.hash[:16]}.srs"
    assert kept.ceremony == ""
    assert find_srs(tmp_path, SIZE + 1).path.name == f"dev-{SIZE + 1}.srs"


def test_a_damaged_chosen_setup_is_not_replaced_in_silence(honest: Powers, tmp_path: Path) -> None:
    kept = choose_srs(tmp_path, honest)
    kept.path.write_bytes(honest.file[:-1] + b"\xff")
    with pytest.raises(SrsRefused, match="missing or damaged"):
        find_srs(tmp_path, SIZE)


def test_a_given_setup_is_copied(halo2_file: Path, honest: Powers, tmp_path: Path) -> None:
    kept = kept_srs(tmp_path, halo2_file, SIZE)
    assert kept.path.is_relative_to(tmp_path)
    assert kept.hash == honest.hash
    before = os.stat(kept.path).st_mtime_ns
    assert find_srs(tmp_path, SIZE, halo2_file) == kept
    assert os.stat(kept.path).st_mtime_ns == before
    assert len(honest.g2) == G2_BYTES
