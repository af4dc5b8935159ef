"""Groth16 over BN254: making keys, checking proofs, and how both are drawn.

    verifying key, 1152 bytes for ten public inputs:
        alpha G1 | beta G2 | gamma G2 | delta G2 | IC[0] .. IC[10] G1
    proof, 256 bytes:  A G1 | B G2 | C G1
    G1, 64 bytes:   x | y                                   32-byte big-endian words below Q
    G2, 128 bytes:  x imaginary | x real | y imaginary | y real        (EIP-197)

snarkjs draws the same verifying key as JSON of decimal strings, a G2 coordinate real part first.
groth16py refuses coordinates of Q or more, points off the curve or outside the subgroup, and
public inputs of P or more; `verify` turns each refusal into False.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import groth16py

from proofs.errors import InvalidVerifyingKey
from proofs.field import P, Q

PROOF_BYTES: Final = 256
_G1: Final = 64
_G2: Final = 128
_GAMMA: Final = _G1 + _G2
_DELTA: Final = _GAMMA + _G2
_HEAD: Final = _DELTA + _G2


def setup(r1cs: Path) -> tuple[groth16py.ProvingKey, bytes]:
    """A fresh key pair for an .r1cs file: the proving key and the verifying key's bytes.

    Whoever runs this could keep the secret that forges proofs: for development only.
    """
    proving_key, verifying_key = groth16py.setup(str(r1cs))
    return proving_key, vk_from_json(verifying_key.to_json())


def verify(vk: bytes, proof: bytes, limbs: Sequence[int]) -> bool:
    """Whether `proof` proves the public inputs under `vk`.  Raises InvalidVerifyingKey."""
    return Verifier(vk).verify(proof, limbs)


class Verifier:
    """A verifying key made ready for many proofs.  Raises InvalidVerifyingKey."""

    def __init__(self, vk: bytes) -> None:
        try:
            key = groth16py.VerifyingKey.from_snarkjs(vk_to_json(vk))
        except groth16py.EncodingError as error:
            raise InvalidVerifyingKey(str(error)) from error
        # Two points with the same x are equal or each other's negative.
        if vk[_GAMMA : _GAMMA + _G2 // 2] == vk[_DELTA : _DELTA + _G2 // 2]:
            raise InvalidVerifyingKey("gamma is delta or its negative")
        self._inputs = key.n_public
        self._verifier = groth16py.Verifier(key)

    def verify(self, proof: bytes, limbs: Sequence[int]) -> bool:
        """Whether `proof` proves these public inputs."""
        if len(proof) != PROOF_BYTES or len(limbs) != self._inputs:
            return False
        if not all(0 <= limb < P for limb in limbs):
            return False
        try:
            return bool(self._verifier.verify(proof, list(limbs)))
        except (groth16py.EncodingError, groth16py.VerificationError):
            return False


def vk_from_json(text: str) -> bytes:
    """The bytes of a verifying key in snarkjs' JSON.  Raises InvalidVerifyingKey."""
    try:
        key = json.loads(text)
        points = [_g1(key["vk_alpha_1"])]
        points += [_g2(key[name]) for name in ("vk_beta_2", "vk_gamma_2", "vk_delta_2")]
        points += [_g1(point) for point in key["IC"]]
    except (ValueError, KeyError, TypeError, IndexError, OverflowError) as error:
        raise InvalidVerifyingKey(f"no verifying key in snarkjs' JSON ({error})") from error
    return b"".join(points)


def vk_to_json(vk: bytes) -> str:
    """A verifying key in snarkjs' JSON.  Raises InvalidVerifyingKey for a wrong length."""
    if len(vk) < _HEAD + _G1 or (len(vk) - _HEAD) % _G1:
        raise InvalidVerifyingKey(f"{len(vk)} bytes")
    g2 = [_words(vk[_G1 + _G2 * k : _G1 + _G2 * (k + 1)]) for k in range(3)]
    ic = [_words(vk[start : start + _G1]) for start in range(_HEAD, len(vk), _G1)]
    key: dict[str, Any] = {
        "protocol": "groth16",
        "curve": "bn128",
        "nPublic": len(ic) - 1,
        "vk_alpha_1": [*_words(vk[:_G1]), "1"],
    }
    for name, (x1, x0, y1, y0) in zip(("vk_beta_2", "vk_gamma_2", "vk_delta_2"), g2, strict=True):
        key[name] = [[x0, x1], [y0, y1], ["1", "0"]]
    key["IC"] = [[*point, "1"] for point in ic]
    return json.dumps(key)


def proof_to_json(proof: bytes) -> str:
    """A proof in snarkjs' JSON."""
    a0, a1, x1, x0, y1, y0, c0, c1 = _words(proof)
    return json.dumps(
        {
            "pi_a": [a0, a1, "1"],
            "pi_b": [[x0, x1], [y0, y1], ["1", "0"]],
            "pi_c": [c0, c1, "1"],
            "protocol": "groth16",
            "curve": "bn128",
        }
    )


def _words(data: bytes) -> list[str]:
    return [str(int.from_bytes(data[k : k + 32], "big")) for k in range(0, len(data), 32)]


def _word(value: str) -> bytes:
    number = int(value)
    if not 0 <= number < Q:
        raise ValueError(f"coordinate {number} is not below the field's modulus")
    return number.to_bytes(32, "big")


def _g1(point: Sequence[str]) -> bytes:
    return _word(point[0]) + _word(point[1])


def _g2(point: Sequence[Sequence[str]]) -> bytes:
    (x0, x1), (y0, y1) = point[0], point[1]
    return _word(x1) + _word(x0) + _word(y1) + _word(y0)
