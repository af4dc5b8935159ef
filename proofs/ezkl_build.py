"""From an ONNX file to everything a bot needs: circuit, keys, the verifier's code.

All of it is content.  The circuit's hash names the wrapped ONNX file, the options and ezkl's
version; with the hash of the structured reference string (SRS) it names a folder of the store, and
what such a folder holds is the same wherever it is made.  So a second import finds the folder and
does no work, and an auditor who makes it anew can compare the verifying key and the code.

    root/srs/                see `proofs.srs_store`
    root/<16 hex>/           one bot's files and manifest.json, which names them by SHA-256
    root/.making-*           one in the making; what a killed process left is removed by the next

Works inside `proofs.ezkl_process`, because ezkl holds the interpreter's lock and may panic.
`get_srs` is never called: it downloads, and deletes files that it does not know.
"""

import asyncio
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final

from proofs.errors import EzklFailed, EzklMissing, OnnxRefused
from proofs.ezkl_shape import (
    INPUTS,
    LARGEST_LOGROWS,
    SMALLEST_LOGROWS,
    CircuitOptions,
    wrap,
)
from proofs.onnx_contract import OnnxFacts, check_onnx
from proofs.srs_store import SRS, Srs, chosen_srs, dev_srs, file_hash, kept_srs

CODE_LIMIT: Final = 24_576
"""EIP-170: bytes of code that a contract may have."""

SPARE_ROWS: Final = 64
"""Rows that blinding and the proof system take for themselves."""

FINISHED: Final = "[!.]*"
"""Folders below `root` that stay: one in the making may be gone a moment after it was seen."""

_MAKING: Final = ".making-"
_LOCK: Final = ".lock"
_SOLC: Final = Path(__file__).parent / "ezkl_solc.mjs"
_WEB: Final = Path(__file__).parent.parent / "web" / "package.json"

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Manifest:
    """What is in a bot's folder; all hashes are SHA-256, hexadecimal."""

    net_hash: str  # of the author's ONNX file
    circuit_hash: str  # see CircuitOptions.content
    key_hash: str  # of the verifying key's file
    srs_hash: str
    development: bool  # whether the SRS is of no known ceremony, so that its maker could forge
    ezkl: str
    outputs: int
    weights: int
    macs: int
    logrows: int
    rows: int
    proof_bytes: int  # of ezkl's part of a proof
    code_bytes: int  # of the generated verifier
    files: dict[str, str]
    ceremony: str = ""  # whose SRS it is, if that is known

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """The manifest of a folder.  Raises EzklFailed if it is damaged, OSError if missing."""
        text = (folder / "manifest.json").read_text()
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError) as error:
            raise EzklFailed("read a manifest", f"{folder}: {error}") from error

    @property
    def instances(self) -> int:
        return INPUTS + self.outputs


@dataclass(frozen=True)
class Circuit:
    """A circuit as it was laid out."""

    hash: str
    logrows: int
    rows: int


def build(data: bytes, root: Path, *, srs: Path | None = None, tell: Tell | None = None) -> Path:
    """The folder of a net's files below `root`, made if it is not there.

    `srs` is a file of the right size; by default the store's own of that size is taken, or a
    development one made.  `tell` hears a line at the start of each long step.
    Raises OnnxRefused, EzklFailed, EzklMissing.
    """
    say = tell or _silent
    say("checking the net")
    facts = check_onnx(data)
    wrapped = wrap(data)
    root.mkdir(parents=True, exist_ok=True)
    with _working_folder(root) as work:
        (work / "net.onnx").write_bytes(data)
        (work / "circuit.onnx").write_bytes(wrapped)
        say("laying out the circuit")
        circuit = lay_out(work)
        say(f"it takes {circuit.rows:,} rows of 2^{circuit.logrows}")
        string = find_srs(root, circuit.logrows, srs, tell=say)
        folder = root / _name(facts, circuit, string)
        if _is_whole(folder):
            say("all that follows was made before")
        else:
            _make(work, string, facts, circuit, say)
            _put(work, folder)
    return folder


def find_srs(
    root: Path, logrows: int, given: Path | None = None, *, tell: Tell | None = None
) -> Srs:
    """The SRS at `given`, else the one chosen for this store, else its development one.

    A given one is copied into the store, so that the store can be moved.
    """
    if given is not None:
        return kept_srs(root, given, logrows)
    chosen = chosen_srs(root, logrows)
    if chosen is not None:
        return chosen

    def make(path: Path) -> None:
        (tell or _silent)(f"making a development setup for 2^{logrows} rows (once)")
        call_ezkl("make a development SRS", "gen_srs", path, logrows)

    return dev_srs(root, logrows, make)


def srs_path(folder: Path) -> Path:
    """The file of the SRS that a bot's folder was made with."""
    return folder / (folder / SRS).read_text(encoding="utf-8").strip()


def _name(facts: OnnxFacts, circuit: Circuit, srs: Srs) -> str:
    text = f"{facts.sha256} {circuit.hash} {srs.hash}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@contextmanager
def _working_folder(root: Path) -> Iterator[Path]:
    """A new folder that is removed in the end, unless it has got its name by then."""
    with _alone(root):
        _remove_leftovers(root)
        work = Path(mkdtemp(prefix=_MAKING, dir=root))
        lock = work.with_name(work.name + _LOCK).open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
        Path(lock.name).unlink(missing_ok=True)
        lock.close()


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    with (root / "making.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remove_leftovers(root: Path) -> None:
    """Remove the working folders that no living process holds."""
    for work in root.glob(f"{_MAKING}*"):
        if not work.is_dir():
            continue
        path = work.with_name(work.name + _LOCK)
        with path.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            shutil.rmtree(work, ignore_errors=True)
            path.unlink(missing_ok=True)


def lay_out(work: Path) -> Circuit:
    """Write the settings of the smallest circuit that holds the net."""
    path = work / "settings.json"
    for logrows in range(SMALLEST_LOGROWS, LARGEST_LOGROWS + 1):
        options = CircuitOptions(logrows)
        args = options.run_args()
        call_ezkl("lay out the circuit", "gen_settings", work / "circuit.onnx", path, args)
        settings = canonical(path.read_text())
        path.write_text(settings)
        rows = int(json.loads(settings)["num_rows"])
        if rows + SPARE_ROWS <= 1 << logrows:
            wrapped = (work / "circuit.onnx").read_bytes()
            return Circuit(options.content(wrapped, _version()), logrows, rows)
    wanted = f"at most 2^{LARGEST_LOGROWS} can be proven: make the net smaller"
    raise OnnxRefused(f"a circuit of {rows:,} rows", wanted)


def canonical(settings: str) -> str:
    """The one form of ezkl's settings for a circuit.

    ezkl stamps them with the time, and lists range checks and lookups as a hash map has them: in
    another order in every process.  The circuit's fixed columns come in that order, and so does
    what the verifying key says of them.
    """
    read = json.loads(settings)
    read["timestamp"] = 0
    for name in ("required_range_checks", "required_lookups"):
        read[name].sort(key=json.dumps)
    equations = (read.get("einsum_params") or {}).get("equations") or []
    equations.sort(key=lambda entry: json.dumps(entry, sort_keys=True))
    return json.dumps(read, sort_keys=True, separators=(",", ":"))


def _make(work: Path, srs: Srs, facts: OnnxFacts, circuit: Circuit, tell: Tell) -> None:
    """Fill the working folder: circuit, keys, verifier, manifest."""
    compiled, settings, vk, pk = (
        work / name for name in ("circuit.ezkl", "settings.json", "vk", "pk")
    )
    tell("compiling the circuit")
    call_ezkl("compile the circuit", "compile_circuit", work / "circuit.onnx", compiled, settings)
    tell("making the keys")
    call_ezkl("make the keys", "setup", compiled, vk, pk, srs.path)
    tell("writing and compiling the verifier")
    proof_bytes = _write_verifier(work, srs, INPUTS + facts.outputs)
    code = _compile_verifier(work)
    names = sorted(path.name for path in work.iterdir())
    manifest = Manifest(
        net_hash=facts.sha256,
        circuit_hash=circuit.hash,
        key_hash=file_hash(vk),
        srs_hash=srs.hash,
        development=not srs.ceremony,
        ezkl=_version(),
        outputs=facts.outputs,
        weights=facts.weights,
        macs=facts.macs,
        logrows=circuit.logrows,
        rows=circuit.rows,
        proof_bytes=proof_bytes,
        code_bytes=code,
        files={name: file_hash(work / name) for name in names},
        ceremony=srs.ceremony,
    )
    (work / "manifest.json").write_text(json.dumps(asdict(manifest), indent=1) + "\n")
    (work / SRS).write_text(f"../{SRS}/{srs.path.name}\n")


def _write_verifier(work: Path, srs: Srs, instances: int) -> int:
    """Write verifier.sol; the length of the proofs that it takes."""
    source = work / "verifier.sol"

    async def generate() -> None:
        import ezkl  # noqa: PLC0415 - an optional extra

        # Having written the source, ezkl wants to download a compiler, and fails.
        with suppress(RuntimeError):
            await ezkl.create_evm_verifier(
                *(work / "vk", work / "settings.json", source, work / "verifier.abi"),
                *(srs.path, False),
            )

    with _offline():
        asyncio.run(generate())
    (work / "verifier.abi").unlink(missing_ok=True)
    text = source.read_text() if source.exists() else ""
    length = re.search(r"eq\(0x([0-9a-f]+), proof\.length\)", text)
    count = re.search(r"0x([0-9a-f]{64})\) // num_instances", text)
    if length is None or count is None or int(count[1], 16) != instances:
        raise EzklFailed("write the verifier", "its source is not as expected")
    return int(length[1], 16)


@contextmanager
def _offline() -> Iterator[None]:
    """Let no request leave while inside: every one goes to a proxy that is not there."""
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
    usual = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "http://127.0.0.1:9"))
    try:
        yield
    finally:
        for name, value in usual.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _compile_verifier(work: Path) -> int:
    """Write verifier.json with the code; its size in bytes."""
    command = ["node", str(_SOLC), str(_WEB), str(work / "verifier.sol")]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EzklFailed("compile the verifier", str(error)) from error
    if done.returncode != 0:
        line = next(iter(done.stderr.strip().splitlines()), "node failed")
        raise EzklFailed("compile the verifier", line)
    (work / "verifier.json").write_text(done.stdout)
    size = len(json.loads(done.stdout)["deployedBytecode"]) // 2 - 1
    if size > CODE_LIMIT:
        raise OnnxRefused(
            f"a verifier of {size:,} bytes of code",
            f"a contract may have {CODE_LIMIT:,}: use fewer kinds of operators",
        )
    return size


def _is_whole(folder: Path) -> bool:
    """Whether a folder is there with all its files, whose sizes only a crash could have cut."""
    return (folder / "manifest.json").exists()


def _put(work: Path, folder: Path) -> None:
    """Give the finished folder its name at once, so that it is there whole or not at all."""
    work.chmod(0o755)
    with suppress(OSError):  # another process was faster
        work.rename(folder)


def _silent(_line: str) -> None:
    """The progress of a caller who wants none."""


def _version() -> str:
    from importlib.metadata import version  # noqa: PLC0415

    return version("ezkl")


def call_ezkl(step: str, function: str, *arguments: Any) -> Any:
    """Call ezkl and wait.  Raises EzklFailed, EzklMissing."""
    try:
        import ezkl  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise EzklMissing() from error
    try:
        plain = [str(a) if isinstance(a, Path) else a for a in arguments]
        return getattr(ezkl, function)(*plain)
    except Exception as error:
        raise EzklFailed(step, " ".join(str(error).split())[:200]) from error
    except BaseException as error:  # a panic of Rust code is no Exception
        if type(error).__name__ != "PanicException":
            raise
        raise EzklFailed(step, "it panicked: " + " ".join(str(error).split())[:200]) from error
