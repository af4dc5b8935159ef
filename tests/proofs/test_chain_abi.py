"""Reading compiled contracts: errors, logs and code."""

from pathlib import Path

import pytest
from eth_abi.abi import encode
from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak

from proofs.abi import Artifact, decode_error, load_artifact, same_code
from proofs.errors import ArtifactMissing

ARENA = load_artifact("Arena")
STALE_PLY = keccak(text="StalePly(uint256,uint256)")[:4]


def revert(signature: str, types: list[str], *values: object) -> bytes:
    return keccak(text=signature)[:4] + encode(types, values)


@pytest.mark.parametrize(
    ("data", "name", "values"),
    [
        (
            revert("StalePly(uint256,uint256)", ["uint256", "uint256"], 3, 1),
            "StalePly",
            {"expected": 3, "got": 1},
        ),
        (revert("NoBot()", []), "NoBot", {}),
        (revert("Error(string)", ["string"], "no"), "Error", {"message": "no"}),
        (revert("Panic(uint256)", ["uint256"], 17), "Panic", {"code": 17}),
        (b"", "Reverted", {}),
        (b"\x01\x02", "Reverted", {"data": "0x0102"}),
        (STALE_PLY, "Reverted", {"data": "0x" + STALE_PLY.hex()}),
    ],
)
def test_decodeError_givesNameAndValues(data: bytes, name: str, values: dict[str, object]) -> None:
    assert decode_error(data, [ARENA]) == (name, values)


def test_event_isNoneForLogsOfOthers() -> None:
    assert ARENA.event([], b"") is None
    assert ARENA.event([keccak(text="Transfer(address,address,uint256)")], b"") is None


@pytest.mark.parametrize("number", [1 << 63, (1 << 63) - 64, 1 << 200, (1 << 256) - 1])
def test_lengthsAndOffsetsOfAnySize_areDecodingErrors(number: int) -> None:
    ended = next(topic for topic, entry in ARENA.events.items() if entry.name == "GameEnded")
    huge, place = number.to_bytes(32, "big"), (96).to_bytes(32, "big")
    for evidence in (huge + bytes(32), place + huge):
        with pytest.raises(DecodingError):
            ARENA.event([ended, bytes(32)], bytes(64) + evidence)  # result, reason, evidence


def test_sameCode_looksPastImmutablesOnly() -> None:
    hole = b"\x7f" + bytes(32)
    artifact = Artifact("Test", (), b"", b"\x60\x01" + hole + b"\x50\x00")
    filled = b"\x60\x01\x7f" + b"\x11" * 32 + b"\x50\x00"
    assert same_code(artifact, artifact.deployed)
    assert same_code(artifact, filled)
    assert not same_code(artifact, filled + b"\x00")
    assert not same_code(artifact, b"\x60\x02" + filled[2:])
    assert not same_code(artifact, filled[:-1] + b"\x01")
    assert not same_code(artifact, b"")


def test_loadArtifact_failsIfNotCompiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proofs.abi.ABI_FOLDER", tmp_path)
    with pytest.raises(ArtifactMissing, match="not compiled"):
        load_artifact("Nothing")
    (tmp_path / "Broken.json").write_text('{"abi": 1}')
    with pytest.raises(ArtifactMissing, match="unreadable"):
        load_artifact("Broken")
