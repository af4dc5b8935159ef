"""Ceremonies at a small size, by the real tool: three parties, a beacon, and who would cheat."""

import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import groth16py
import pytest

from proofs.ceremony import beacon, begin, contribute, keys_of
from proofs.errors import CeremonyBroken, CeremonyFailed
from proofs.field import ints_to_words
from proofs.groth16 import Verifier
from proofs.r1cs import sha256_hex, wtns_bytes
from proofs.zkey import contributions
from tests.proofs.ceremony_fixture import (
    PARTIES,
    RANDOMNESS,
    SNARKJS,
    Ceremony,
    done,
    new_phase1,
    squares,
)

__all__ = ["done", "new_phase1"]  # fixtures


def altered(file: Path, place: int, to: Path) -> Path:
    """A copy with one bit changed."""
    data = bytearray(file.read_bytes())
    data[place] ^= 1
    to.write_bytes(data)
    return to


def section(file: Path, wanted: int) -> int:
    """Where a section's data begin."""
    data, place = file.read_bytes(), 12
    while True:
        kind, size = struct.unpack_from("<IQ", data, place)
        if kind == wanted:
            return place + 12
        place += 12 + size


def test_the_transcript_names_who_contributed(done: Ceremony) -> None:
    transcript = done.verify(expected=[done.said[1].hash])
    assert transcript.contributions == done.said
    assert [party.name for party in transcript.contributions] == [*PARTIES, "beacon"]
    assert [party.beacon for party in transcript.contributions] == [None] * 3 + [RANDOMNESS]
    assert transcript.circuit == sha256_hex(done.circuit.read_bytes())
    assert transcript.key == sha256_hex(keys_of(done.final)[1])
    assert transcript.hash == sha256_hex(transcript.to_bytes())


def test_hashes_are_those_that_the_tool_prints(done: Ceremony) -> None:
    files = (done.circuit, done.phase1, done.final)
    command = [str(SNARKJS), "zkey", "verify", *map(str, files)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    digits = "".join(c for c in printed.stdout if c in "0123456789abcdef")
    assert all(party.hash in digits for party in done.said)


def test_the_key_proves_and_its_proofs_hold(done: Ceremony, tmp_path: Path) -> None:
    proving_key, vk = keys_of(done.final)
    values = [1, 3, *range(9), 9, 81, 6561, 6561**2, 6561**4]
    (tmp_path / "wtns").write_bytes(wtns_bytes(ints_to_words(values)))
    proof = bytes(groth16py.prove_wtns(proving_key, str(tmp_path / "wtns")))
    assert Verifier(vk).verify(proof, values[1:11])
    assert not Verifier(vk).verify(proof, [4, *values[2:11]])


@pytest.mark.parametrize(
    ("party", "offset"),
    [(0, 0), (1, 64), (1, 128), (2, 192), (3, 320)],
    ids=["delta", "s", "s x", "sp x", "transcript"],
)
def test_an_altered_contribution_is_refused(
    done: Ceremony, party: int, offset: int, tmp_path: Path
) -> None:
    place = section(done.final, 10) + 68  # past the circuit's hash and the number of contributions
    for before in done.said[:party]:
        place += 384 + 4 + 4 + 2 + len(before.name)
    changed = altered(done.final, place + offset, tmp_path / "final.zkey")
    with pytest.raises(CeremonyBroken, match=r"INVALID|rati|curve|Invalid"):
        done.verify(changed)


@pytest.mark.parametrize("part", [2, 3, 6, 8, 9])
def test_an_altered_key_is_refused(done: Ceremony, part: int, tmp_path: Path) -> None:
    place = section(done.final, part) + (84 + 64 * 2 if part == 2 else 0)  # delta of the header
    with pytest.raises(CeremonyBroken):
        done.verify(altered(done.final, place, tmp_path / "final.zkey"))


def test_an_altered_phase_1_is_refused(done: Ceremony, tmp_path: Path) -> None:
    changed = altered(done.phase1, section(done.phase1, 2) + 64, tmp_path / "changed.ptau")
    with pytest.raises(CeremonyBroken):
        done.verify(phase1=changed)


def test_a_phase_1_without_parties_is_refused(
    done: Ceremony, new_phase1: Callable[..., Path], tmp_path: Path
) -> None:
    """Phase 2 holds over it: whoever made phase 1 knows tau, and could forge."""
    phase1 = new_phase1("nobody", parties=0)
    begin(done.circuit, phase1, tmp_path / "0.zkey")
    contribute(tmp_path / "0.zkey", tmp_path / "1.zkey", "Ada")
    beacon(tmp_path / "1.zkey", tmp_path / "final.zkey", RANDOMNESS)
    with pytest.raises(CeremonyBroken, match="no contribution"):
        done.verify(tmp_path / "final.zkey", phase1=phase1)


def test_another_phase_1_or_circuit_is_refused(
    done: Ceremony, new_phase1: Callable[[str], Path], tmp_path: Path
) -> None:
    with pytest.raises(CeremonyBroken):
        done.verify(phase1=new_phase1("b"))
    circuit = tmp_path / "other.r1cs"
    circuit.write_bytes(squares(4).to_bytes())
    with pytest.raises(CeremonyBroken):
        done.verify(circuit=circuit)


def test_a_missing_hash_is_noticed(done: Ceremony) -> None:
    with pytest.raises(CeremonyBroken, match="no contribution has the hash beef"):
        done.verify(expected=["beef"])


def test_a_ceremony_without_parties_is_refused(done: Ceremony, tmp_path: Path) -> None:
    beacon(done.steps[0], tmp_path / "final.zkey", RANDOMNESS)
    with pytest.raises(CeremonyBroken, match="no party contributed"):
        done.verify(tmp_path / "final.zkey")


def test_a_ceremony_ends_with_a_beacon(done: Ceremony) -> None:
    with pytest.raises(CeremonyBroken, match="does not end with a public beacon"):
        done.verify(done.steps[-1])


def test_a_cut_file_is_refused(done: Ceremony, tmp_path: Path) -> None:
    data = done.final.read_bytes()
    for size in (0, 8, 40, section(done.final, 10) + 100):
        (tmp_path / "cut.zkey").write_bytes(data[:size])
        with pytest.raises(CeremonyBroken, match=r"cut\.zkey"):
            contributions(tmp_path / "cut.zkey")


@pytest.mark.parametrize("name", ["", "a" * 41, "new\nline"])
def test_names_are_short_and_printable(name: str, done: Ceremony, tmp_path: Path) -> None:
    with pytest.raises(CeremonyFailed, match="printable"):
        contribute(done.steps[0], tmp_path / "out.zkey", name)


@pytest.mark.parametrize("randomness", ["", "beef", "g" * 64, "ab " * 32, "ab" * 256])
def test_randomness_is_long_hexadecimal(randomness: str, done: Ceremony, tmp_path: Path) -> None:
    with pytest.raises(CeremonyFailed, match="hexadecimal"):
        beacon(done.steps[0], tmp_path / "out.zkey", randomness)


def test_nothing_is_overwritten_or_left(done: Ceremony, tmp_path: Path) -> None:
    out = tmp_path / "out.zkey"
    shutil.copy(done.steps[0], out)
    with pytest.raises(CeremonyFailed, match="exists already"):
        contribute(done.steps[0], out, "Ada")
    with pytest.raises(CeremonyFailed, match="contribute"):
        contribute(tmp_path / "none.zkey", tmp_path / "new.zkey", "Ada")
    assert [path.name for path in tmp_path.iterdir()] == ["out.zkey"]
