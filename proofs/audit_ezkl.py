"""ONNX bots in an audit: made anew from the net's file and the setup, then compared and verified.

For such a bot the registry vouches for nothing, so all of it is recomputed here, from two inputs
that are content: the ONNX file, whose hash is registered, and the setup (SRS), which shows to be
the right one when the registered verifying key comes out.

    circuit     what ezkl lays out of the net has the registered hash
    key         the verifying key that comes of circuit and setup has the registered hash
    verifier    the chain holds an EzklMoveVerifier around just the verifier of that key
    proof       each proof holds, by ezkl, for the public numbers rebuilt here, and the move is the
                best legal one by its outputs

What was made is kept below `cache`, by content, and used by no server; so a second audit is quick.
Undecided without ezkl, without the net's file, and where no setup at hand brings about the key.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from engine.export import Heads
from proofs.audit_bots import AuditedBot
from proofs.audit_fetch import FileServer
from proofs.audit_judges import NOT_PROVEN, OK, Claim, Verdict
from proofs.audit_report import DEV_SETUP, Ledger, Mark
from proofs.errors import EzklMissing, FileNotFetched, OnnxRefused, ProofError
from proofs.ezkl_bots import SHIPPED, store_of
from proofs.ezkl_build import FINISHED, Manifest, srs_path
from proofs.ezkl_folder import check_folder, ezkl_version, shipped_net
from proofs.ezkl_prover import import_net
from proofs.ezkl_shape import OUTPUT_BYTES, OUTPUT_LIMIT, inputs, unpack_outputs
from proofs.ezkl_verifier import VerifierCode, differs
from proofs.game_file import GameRecord
from proofs.srs_store import file_hash

if TYPE_CHECKING:
    from proofs.chain import Chain

VERIFIER: Final = ("-m", "proofs.audit_ezkl_process")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Rebuilt:
    """A bot as it was made anew here, to the registered verifying key."""

    folder: Path
    manifest: Manifest

    @property
    def setup(self) -> str:
        made = self.manifest
        return DEV_SETUP if made.development else f"setup of a ceremony: {made.ceremony}"


@dataclass(frozen=True)
class _Registered:
    """What the registry says of a bot: SHA-256, hexadecimal."""

    net: str
    circuit: str
    key: str

    @classmethod
    def of(cls, args: Mapping[str, Any]) -> Self:
        return cls(*(args[name].hex() for name in ("netHash", "circuitHash", "keyHash")))


class OnnxBots:
    """The ONNX bots that can be made anew, and the judge of their proofs.

    `nets` and `setups` are files that may be the right ones, `codes` what the chain holds by the
    verifiers' addresses; without an entry that stays undecided.  A `server` is asked for what is
    not at hand.
    """

    check = "proof"

    def __init__(
        self,
        cache: Path,
        *,
        nets: Iterable[Path] = (),
        setups: Iterable[Path] = (),
        codes: Mapping[str, VerifierCode] | None = None,
        server: FileServer | None = None,
        say: Say = lambda _line: None,
    ) -> None:
        files = [*nets, *map(shipped_net, SHIPPED)]
        self._nets = {file_hash(path): path for path in reversed(files)}
        self._setups = tuple(setups)
        self._server = server
        self._codes = codes or {}
        self._cache = cache
        self._say = say
        self._rebuilt: dict[bytes, Rebuilt] = {}
        version = ezkl_version()
        self.program = "ezkl" if version is None else f"ezkl {version}"
        self.missing: str | None = None

    # --- the registration -----------------------------------------------------------------------

    def examine(self, args: dict[str, Any], ledger: Ledger, subject: str) -> Mark | None:
        """Check a custom registration's arguments; the mark for its circuit.

        None if its net is not at hand, and nothing was checked.
        """
        registered = _Registered.of(args)
        code = self._codes.get(args["verifier"].lower())
        made_before = self._made_before(registered, code)
        if made_before is None:
            self._fetch(registered.key)
        net = self._nets.get(registered.net)
        if net is None:
            return None
        if ezkl_version() is None:
            ledger.leave(None, "circuit", f"{subject}: {EzklMissing()}", subject=subject)
            return "unchecked"
        try:
            made = made_before or self._make(net, registered.key, code)
        except OnnxRefused as error:
            ledger.expect(False, None, "circuit", f"{subject}: {error}", subject=subject)
            return "failed"
        except (ProofError, OSError) as error:
            ledger.leave(None, "circuit", f"{subject}: {error}", subject=subject)
            return "unchecked"
        found = made.manifest
        what = f"{subject}: the net's circuit is {found.circuit_hash}, not {registered.circuit}"
        same = found.circuit_hash == registered.circuit
        ledger.expect(same, None, "circuit", what, subject=subject)
        if found.key_hash != registered.key:
            what = (
                f"{subject}: no setup at hand brings about the key {registered.key};"
                " name its file by --srs, or a server that has it by --url"
            )
            ledger.leave(None, "key", what, subject=subject)
        elif same:
            ledger.expect(True, None, "key", "", subject=subject)
            self._compare(args["verifier"], made, ledger, subject)
            self._rebuilt[args["id"]] = made
        return "ok" if same else "failed"

    def setup_of(self, bot: bytes) -> str | None:
        """Whose setup is behind a version's key, if that key came out here."""
        made = self._rebuilt.get(bot)
        return None if made is None else made.setup

    def files(self) -> tuple[list[Path], list[Path]]:
        """The nets and the setups of the bots whose registered keys came out here."""
        folders = [made.folder for made in self._rebuilt.values()]
        return [folder / "net.onnx" for folder in folders], list(map(srs_path, folders))

    def _make(self, net: Path, key_hash: str, code: VerifierCode | None) -> Rebuilt:
        """The net's files by the setup that brings about key and code, else the key, else by any.

        A setup that was altered only where keys do not show it gives the key, and other code.

        Raises ProofError, OSError if none can be made at all.
        """
        made: Rebuilt | None = None
        for setup in (*self._setups, None):
            if setup is None and made is not None:
                break  # a setup of our own is only good to lay out the circuit
            self._say(f"making {net.name} anew, which may take some minutes")
            try:
                folder = import_net(net, self._cache, srs=setup)
                new = Rebuilt(folder, check_folder(folder))
                fits = code is None or differs(code, folder) is None
            except OnnxRefused:
                raise
            except (ProofError, OSError):
                if setup is None:
                    raise
                continue  # such as one of another size
            if made is None or new.manifest.key_hash == key_hash:
                made = new
            if new.manifest.key_hash == key_hash and fits:
                break
        assert made is not None
        return made

    def _fetch(self, key_hash: str) -> None:
        """Have the server's files of a key at hand, if there is a server that has them."""
        if self._server is None:
            return
        try:
            net, setup = self._server.files_of(key_hash)
        except FileNotFetched as error:
            self._say(str(error))
        else:
            self._nets.setdefault(file_hash(net), net)
            self._setups = (setup, *self._setups)

    def _made_before(self, registered: "_Registered", code: VerifierCode | None) -> Rebuilt | None:
        """What an earlier audit made of the same net, to the same circuit, key and code."""
        for path in self._cache.glob(f"{FINISHED}/manifest.json"):
            with suppress(ProofError, OSError):
                made = Manifest.read(path.parent)
                if _Registered(made.net_hash, made.circuit_hash, made.key_hash) != registered:
                    continue
                if code is None or differs(code, path.parent) is None:
                    return Rebuilt(path.parent, check_folder(path.parent))
        return None

    def _compare(self, verifier: str, made: Rebuilt, ledger: Ledger, subject: str) -> None:
        code = self._codes.get(verifier.lower())
        if code is None:
            what = f"{subject}: the code at {verifier} is not at hand"
            ledger.leave(None, "verifier", what, subject=subject)
            return
        problem = differs(code, made.folder)
        ledger.expect(problem is None, None, "verifier", f"{subject}: {problem}", subject=subject)

    # --- the proofs -----------------------------------------------------------------------------

    def takes(self, bot: AuditedBot) -> bool:
        return bot.custom and bot.id in self._rebuilt

    def judge(self, claims: Sequence[Claim]) -> list[Verdict]:
        """One verdict for each claim: the argmax here, the proof by ezkl in its own process."""
        held: dict[int, Verdict] = {}
        for bot in {claim.bot.id for claim in claims}:
            its = [(n, claim) for n, claim in enumerate(claims) if claim.bot.id == bot]
            verdicts = _judge(self._rebuilt[bot], [claim for _, claim in its])
            held.update(zip([n for n, _ in its], verdicts, strict=True))
        return [held[n] for n in range(len(claims))]


def _judge(bot: Rebuilt, claims: Sequence[Claim]) -> list[Verdict]:
    asked = [question(bot.manifest, claim) for claim in claims]
    answers = iter(_ask(bot.folder, [q for q in asked if isinstance(q, dict)]))
    return [Verdict("failed", q) if isinstance(q, str) else next(answers) for q in asked]


def question(made: Manifest, claim: Claim) -> dict[str, Any] | str:
    """What ezkl is asked about a claim, or why there is nothing to ask."""
    count, proof, stated = made.outputs, claim.proof, claim.statement
    if len(proof) != OUTPUT_BYTES * count + made.proof_bytes:
        return f"it has {len(proof)} bytes"
    outputs = unpack_outputs(proof, count)
    if abs(outputs).max() >= OUTPUT_LIMIT:
        return "an output is out of its range"
    best = Heads.of(count).choose(outputs, stated.board, stated.mask)
    if best != stated.index:
        return f"by its outputs index {best} is played, not {stated.index}"
    return {
        "inputs": inputs(stated),
        "outputs": [int(output) for output in outputs],
        "proof": proof[OUTPUT_BYTES * count :].hex(),
    }


def _ask(folder: Path, questions: list[dict[str, Any]]) -> list[Verdict]:
    """Whether each proof holds, by one process.  One that ends early leaves the rest undecided."""
    if not questions:
        return []
    command = [sys.executable, *VERIFIER, str(folder)]
    lines = "".join(json.dumps(q) + "\n" for q in questions)
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
    whole = done.stdout.split("\n")[:-1]  # it may have ended in the middle of a line
    held = [bool(json.loads(line)["holds"]) for line in whole]
    verdicts = [OK if holds else Verdict("failed", NOT_PROVEN) for holds in held]
    why = f"no answer: ezkl's process ended with status {done.returncode}"
    return verdicts + [Verdict("unchecked", why)] * (len(questions) - len(held))


def files_of(store: Path) -> tuple[list[Path], list[Path]]:
    """The nets and setups of a data folder's ezkl store: good for trying, whoever made them."""
    nets = sorted(store.glob(f"{FINISHED}/net.onnx"))
    return nets, sorted(store.glob("srs/*.srs"))


def onnx_bots(
    data: Path,
    *,
    nets: Sequence[Path] = (),
    setups: Sequence[Path] = (),
    codes: Mapping[str, VerifierCode] | None = None,
    server: str | None = None,
    say: Say = lambda _line: None,
) -> OnnxBots:
    """The ONNX bots of the files that were named, of a data folder's, and of a server's."""
    own_nets, own_setups = files_of(store_of(data))
    named = [net for net in nets if net.suffix == ".onnx"]
    cache = cache_folder()
    return OnnxBots(
        cache,
        nets=[*named, *own_nets],
        setups=[*setups, *own_setups],
        codes=codes,
        server=None if server is None else FileServer(server, cache / "files"),
        say=say,
    )


def cache_folder() -> Path:
    """Where this user's audits keep what they made."""
    given = os.environ.get("XDG_CACHE_HOME")
    base = Path(given) if given else Path.home() / ".cache"
    return base / "checkproof" / "audit"


async def verifiers_of(chain: "Chain", record: GameRecord) -> dict[str, VerifierCode]:
    """What the chain holds at the custom verifiers of a game's bots.  Raises ChainDown."""
    from proofs.ezkl_chain import read_verifier  # noqa: PLC0415  where there is a chain to ask

    registered = (event.args for event in record.events if event.name == "BotRegistered")
    addresses = {str(args["verifier"]).lower() for args in registered if args["custom"]}
    return {address: await read_verifier(chain, address) for address in addresses}
