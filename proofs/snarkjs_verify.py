"""Verifying Groth16 proofs with snarkjs: a second program, by other hands, in another language."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from proofs.errors import SnarkjsMissing
from proofs.groth16 import PROOF_BYTES, proof_to_json, vk_to_json

_SCRIPT: Final = Path(__file__).with_name("snarkjs_verify.mjs")
_PACKAGE: Final = Path(__file__).parent.parent / "web" / "package.json"
_SECONDS: Final = 600


class Proof(NamedTuple):
    """A proof, the verifying key's bytes and the public inputs."""

    key: bytes
    limbs: tuple[int, ...]
    proof: bytes


def snarkjs_version(package: Path = _PACKAGE) -> str:
    """The version that is installed beside `package`.  Raises SnarkjsMissing."""
    if shutil.which("node") is None:
        raise SnarkjsMissing("there is no node")
    try:
        text = (package.parent / "node_modules" / "snarkjs" / "package.json").read_text("utf-8")
        return str(json.loads(text)["version"])
    except (OSError, ValueError, KeyError):
        raise SnarkjsMissing("it is not among the packages of web/") from None


def verify_all(proofs: Sequence[Proof], *, package: Path = _PACKAGE) -> list[bool | str]:
    """Whether each proof holds; a text where snarkjs could not say, with what went wrong.

    One node process, some tenths of a second to start and then about 20 ms of one core a proof.
    Raises SnarkjsMissing.
    """
    snarkjs_version(package)
    # a proof of another length has no form in snarkjs' JSON
    whole = [proof for proof in proofs if len(proof.proof) == PROOF_BYTES]
    verdicts = iter(_ask(whole, package) if whole else [])
    return [next(verdicts) if len(proof.proof) == PROOF_BYTES else False for proof in proofs]


def _ask(proofs: Sequence[Proof], package: Path) -> list[bool | str]:
    keys = list(dict.fromkeys(proof.key for proof in proofs))
    claims = [
        {
            "key": keys.index(proof.key),
            "public": [str(limb) for limb in proof.limbs],
            "proof": json.loads(proof_to_json(proof.proof)),
        }
        for proof in proofs
    ]
    question = json.dumps({"keys": [json.loads(vk_to_json(key)) for key in keys], "claims": claims})
    try:
        ran = subprocess.run(
            ["node", _SCRIPT, package],
            input=question,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
        )
        answer: dict[str, Any] = json.loads(ran.stdout)
        verdicts: list[bool | str] = answer["verdicts"]
    except subprocess.CalledProcessError as error:
        last = error.stderr.strip().splitlines()[-1:]
        return [f"node ended with {error.returncode}: {''.join(last)}"] * len(proofs)
    except (subprocess.TimeoutExpired, OSError, ValueError, KeyError, TypeError) as error:
        return [f"{type(error).__name__} from node"] * len(proofs)
    if len(verdicts) != len(proofs):
        return ["node gave too few answers"] * len(proofs)
    return verdicts
