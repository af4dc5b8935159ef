"""Checking a bot's registration: its id, its key, and that its circuit is its net's."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from eth_utils.crypto import keccak

from engine.net import NetSpec, house_net, house_nets
from proofs.audit_report import DEV_SETUP, Ledger, Mark, SideReport
from proofs.ceremony import claimed_transcript
from proofs.circuit import compile_circuit
from proofs.errors import InvalidVerifyingKey
from proofs.groth16 import Verifier
from proofs.statement import STATEMENT_ID

CircuitOf = Callable[[bytes], str | None]
"""The hash (hex SHA-256) of the circuit of a net's hash, None if that net is not at hand."""


@dataclass(frozen=True)
class AuditedBot:
    """A bot as registered.

    `key` is its sound verifying key, None for a custom verifier and for a key that failed.
    `args` are the registration's arguments, as proofs/game_file.py gives them.  `setup` says whose
    the setup behind a custom verifier's key is, where that key was recomputed.
    """

    id: bytes
    metadata: str
    custom: bool
    circuit: Mark
    key: bytes | None
    args: dict[str, Any]
    setup: str | None = None

    def side(self) -> SideReport:
        setup = self.setup if self.custom else _house_setup(self.metadata)
        recomputed = "verifying key recomputed from the net's file" if self.setup else None
        id_ = "0x" + self.id.hex()
        return SideReport("bot", id_, self.metadata, self.circuit, setup, recomputed)


def _house_setup(metadata: str) -> str:
    """What a house bot's registration says of its key.  A chain cannot know how a key was made."""
    transcript = claimed_transcript(metadata)
    if transcript is None:
        return DEV_SETUP
    return f"of a ceremony, it says: `setup ceremony verify` has to find transcript {transcript}"


class CustomBots(Protocol):
    """Who can say something about custom verifiers; proofs/audit_ezkl.py can of ONNX bots'."""

    def examine(self, args: dict[str, Any], ledger: Ledger, subject: str) -> Mark | None:
        """Check a registration; the mark for its circuit, None if its net is not at hand."""

    def setup_of(self, bot: bytes) -> str | None:
        """Whose setup is behind a key that was recomputed, None if none was."""


def circuits_of_nets(files: Iterable[Path] = ()) -> CircuitOf:
    """Circuits compiled afresh, each once, from the house nets and from net files.

    Raises InvalidNet for a file that is no net.
    """
    nets = [*map(house_net, house_nets()), *map(NetSpec.load, files)]
    by_hash = {bytes.fromhex(net.hash): net for net in nets}

    @cache
    def circuit_of(net_hash: bytes) -> str | None:
        net = by_hash.get(net_hash)
        return compile_circuit(net).hash if net is not None else None

    return circuit_of


def version_id(args: dict[str, Any]) -> bytes:
    """The id that the registry gives a version with these fields."""
    words = (args["netHash"], args["circuitHash"], args["keyHash"], args["statement"])
    addresses = (bytes.fromhex(args[name][2:]).rjust(32, b"\0") for name in ("verifier", "owner"))
    return keccak(b"".join((*words, *addresses, keccak(args["metadata"]))))


def check_bot(
    args: dict[str, Any], circuit_of: CircuitOf, ledger: Ledger, custom: CustomBots | None = None
) -> AuditedBot:
    """Check one registration's arguments (proofs/game_file.py) and write the checks down."""
    name = args["metadata"].decode("utf-8", "replace")
    short = f"bot 0x{args['id'].hex()[:8]}"
    record = {
        "its id is of other fields": version_id(args) == args["id"],
        "a custom verifier has no key here, and a house verifier has one": (
            args["custom"] == (not args["verifyingKey"])
        ),
        "another statement": args["statement"] == STATEMENT_ID,
    }
    for what, ok in record.items():
        ledger.expect(ok, None, "bot record", f"{short}: {what}", subject=short)
    known = custom if args["custom"] else None
    circuit = known.examine(args, ledger, short) if known is not None else None
    if circuit is None:
        circuit = _check_circuit(args, circuit_of, ledger, short)
    key = None if args["custom"] else _check_key(args, ledger, short)
    setup = known.setup_of(args["id"]) if known is not None else None
    return AuditedBot(args["id"], name, args["custom"], circuit, key, args, setup)


def _check_circuit(args: dict[str, Any], circuit_of: CircuitOf, ledger: Ledger, short: str) -> Mark:
    compiled = circuit_of(args["netHash"])
    if compiled is None:
        net = args["netHash"].hex()
        what = f"{short}: its net {net} is not at hand, circuit unchecked"
        ledger.leave(None, "circuit", what, subject=short)
        return "unchecked"
    registered = args["circuitHash"].hex()
    what = f"{short}: the net compiles to {compiled}, {registered} is registered"
    same = ledger.expect(compiled == registered, None, "circuit", what, subject=short)
    return "ok" if same else "failed"


def _check_key(args: dict[str, Any], ledger: Ledger, short: str) -> bytes | None:
    found = sha256(args["verifyingKey"]).digest()
    what = f"{short}: the key's hash is {found.hex()}, {args['keyHash'].hex()} is registered"
    if not ledger.expect(found == args["keyHash"], None, "key", what, subject=short):
        return None
    key: bytes = args["verifyingKey"]
    try:
        Verifier(key)
    except InvalidVerifyingKey as error:
        ledger.expect(False, None, "key", f"{short}: {error}", subject=short)
        return None
    return key
