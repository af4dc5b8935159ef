"""The contracts behind an ezkl bot's moves, compared with those that its net's folder gives."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from eth_utils.crypto import keccak

from proofs.errors import EzklFailed
from proofs.ezkl_build import Manifest

CONTRACT: Final = "EzklMoveVerifier"


@dataclass(frozen=True)
class VerifierCode:
    """What a chain holds at a custom bot's verifier; `halo2` is the code of ezkl's own verifier.

    `made_with` are the immutable values of an EzklMoveVerifier by their names; where there is other
    code, `is_ours` is False and nothing else is known.
    """

    address: str
    is_ours: bool
    halo2: bytes = b""
    made_with: tuple[tuple[str, object], ...] = ()


def differs(found: VerifierCode, folder: Path) -> str | None:
    """What of the code is not as made from a folder's net here, None if all is.

    Raises EzklFailed, OSError for a folder that cannot be read.
    """
    manifest = Manifest.read(folder)
    if not found.is_ours:
        return f"the verifier at {found.address} has other code than {CONTRACT}"
    code = generated(folder, "deployedBytecode")
    if found.halo2 != code:
        return f"ezkl's verifier behind {found.address} has other code than the net's own"
    expected = {
        "halo2CodeHash": "0x" + keccak(code).hex(),
        "outputs": manifest.outputs,
        "proofLength": manifest.proof_bytes,
    }
    for name, value in found.made_with:
        if value != expected[name]:
            return f"the verifier at {found.address} has {name} {value}, not {expected[name]}"
    return None


def generated(folder: Path, part: str) -> bytes:
    """The code of a folder's own verifier.  Raises EzklFailed."""
    path = folder / "verifier.json"
    try:
        return bytes.fromhex(json.loads(path.read_text())[part].removeprefix("0x"))
    except (OSError, ValueError, KeyError) as error:
        raise EzklFailed("read the verifier's code", f"{path}: {error}") from error
