"""A Groth16 setup by many parties, of whom one honest one is enough: snarkjs' files and steps.

    begin        circuit.r1cs + phase1.ptau -> 0.zkey
    contribute   0.zkey -> 1.zkey -> 2.zkey ..     each on its maker's own machine
    beacon       2.zkey -> final.zkey              public randomness that nobody could choose
    verify       circuit.r1cs + phase1.ptau + final.zkey -> the transcript

The parties pass one file on and publish the hash of their contribution.  `verify` makes the first
file again, checks every contribution against the one before it, and phase 1 as well; whoever finds
his own hash in the transcript knows that the key holds his secret too.

    transcript  {"format", "circuit", "phase1", "zkey", "key", "contributions":
                 [{"name", "hash", "beacon", "exponent"}]}
                hashes are hexadecimal SHA-256, of a contribution BLAKE2b-512 (proofs/zkey.py);
                its own hash is the SHA-256 of the file's bytes

Commands: https://github.com/iden3/snarkjs
"""

import json
import re
import secrets
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import groth16py

from proofs.errors import CeremonyBroken, CeremonyFailed
from proofs.groth16 import vk_from_json
from proofs.r1cs import sha256_hex
from proofs.srs_store import file_hash
from proofs.zkey import Contribution, contributions

FORMAT: Final = "checkproof-ceremony/1"
BEACON_EXPONENT: Final = 10
"""A beacon is hashed 2^10 times; snarkjs takes 10 to 63."""
LONGEST_NAME: Final = 40

_SCRIPT: Final = Path(__file__).parent / "ceremony.mjs"
_WEB: Final = Path(__file__).parent.parent / "web" / "package.json"
_HASH: Final = re.compile(r"0x[0-9a-f]{64}")
_STEP_SECONDS: Final = 4 * 3600.0
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Transcript:
    """What a finished ceremony was made of; see the module's head."""

    circuit: str
    phase1: str
    zkey: str
    key: str
    contributions: tuple[Contribution, ...]

    def to_bytes(self) -> bytes:
        return (json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n").encode()

    @property
    def hash(self) -> str:
        return sha256_hex(self.to_bytes())


def begin(circuit: Path, phase1: Path, out: Path) -> None:
    """Make the first file, to which nobody contributed yet.  Raises CeremonyFailed."""
    with _new(out) as made:
        _step("begin", circuit, phase1, made)


def contribute(before: Path, out: Path, name: str) -> Contribution:
    """Add a secret that is forgotten at once.  Raises CeremonyFailed, CeremonyBroken."""
    _check_name(name)
    with _new(out) as made:
        _step("contribute", before, made, name)
        return contributions(made)[-1]


def beacon(before: Path, out: Path, randomness: str) -> Contribution:
    """Add public randomness (hexadecimal).  Raises CeremonyFailed, CeremonyBroken."""
    if not _is_hex(randomness):
        raise CeremonyFailed("beacon", "randomness is 32 to 255 bytes in hexadecimal")
    with _new(out) as made:
        _step("beacon", before, made, "beacon", randomness.lower(), BEACON_EXPONENT)
        return contributions(made)[-1]


def verify(
    circuit: Path, phase1: Path, final: Path, *, expected: Iterable[str] = (), tell: Tell
) -> Transcript:
    """Check a whole ceremony; `expected` are hashes that must be among its contributions.

    Raises CeremonyBroken, with what does not hold, CeremonyFailed, OSError.
    """
    made = contributions(final)
    _check_parties(made)
    for hash_ in expected:
        if hash_.lower() not in {party.hash for party in made}:
            raise CeremonyBroken(f"no contribution has the hash {hash_}")
    tell("checking the contributions")
    _step("verify", circuit, phase1, final, broken=True)
    tell("checking phase 1")
    _step("verify-phase1", phase1, broken=True)
    return Transcript(
        file_hash(circuit), file_hash(phase1), file_hash(final), sha256_hex(keys_of(final)[1]), made
    )


def keys_of(final: Path) -> tuple[groth16py.ProvingKey, bytes]:
    """The proving key and the verifying key's bytes.  Raises CeremonyBroken."""
    try:
        proving_key, verifying_key = groth16py.import_zkey(str(final))
    except groth16py.SetupError as error:
        raise CeremonyBroken(f"{final.name}: {error}") from error
    return proving_key, vk_from_json(verifying_key.to_json())


def claimed_transcript(metadata: str) -> str | None:
    """The hash (0x hex) of the transcript that a registration names, None if it names none."""
    try:
        said = json.loads(metadata)["transcript"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return said if isinstance(said, str) and _HASH.fullmatch(said) else None


def _check_parties(made: tuple[Contribution, ...]) -> None:
    # without a party's secret, delta is the generator, gamma too, and anyone can forge
    if not any(party.beacon is None for party in made):
        raise CeremonyBroken("no party contributed")
    # the last to contribute could try many secrets; a beacon after him ends that
    if made[-1].beacon is None:
        raise CeremonyBroken("it does not end with a public beacon")


def _check_name(name: str) -> None:
    if not (0 < len(name.encode()) <= LONGEST_NAME and name.isprintable()):
        raise CeremonyFailed("contribute", f"a name has 1 to {LONGEST_NAME} printable characters")


def _is_hex(text: str) -> bool:
    try:
        return 32 <= len(bytes.fromhex(text)) <= 255 and text.isalnum()
    except ValueError:
        return False


@contextmanager
def _new(out: Path) -> Iterator[Path]:
    """A place to make a file at; it gets its name only when it is whole."""
    if out.exists():
        raise CeremonyFailed("write", f"{out} exists already")
    made = out.with_name(f".{out.name}.{secrets.token_hex(4)}")
    try:
        yield made
        made.rename(out)
    finally:
        made.unlink(missing_ok=True)


def _step(step: str, *given: Path | str | int, broken: bool = False) -> None:
    """Have snarkjs do a step.  What it finds wrong is CeremonyBroken if `broken`."""
    command = ["node", str(_SCRIPT), str(_WEB), step, *map(str, given)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_STEP_SECONDS, check=False
        )
        answer = json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CeremonyFailed(step, str(error)) from error
    except ValueError:
        why = next(iter(done.stderr.strip().splitlines()[-1:]), "node ended by itself")
        raise CeremonyFailed(step, why) from None
    if not answer["ok"]:
        why = "; ".join(answer["problems"]) or "snarkjs said no"
        raise CeremonyBroken(why) if broken else CeremonyFailed(step, why)
