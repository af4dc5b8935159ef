"""The key store: proving and verifying keys as content, named by their own hashes.

    <root>/<key hash>/verifying_key.bin    1152 bytes (proofs/groth16.py); its SHA-256 is the name
                      verifying_key.json   the same in snarkjs' shape
                      proving_key.bin      groth16py's format
                      transcript.json      of a ceremony's key (proofs/ceremony.py)
                      record.json          {"circuit", "kind", "net", "transcript"}

Two setups for one circuit give two keys, and only the registered one can prove: so a key is never
overwritten and never replaced.  A folder appears complete (it is renamed into place) or not at all.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from groth16py import ProvingKey

from engine.net import NetSpec
from proofs.ceremony import Transcript, keys_of
from proofs.circuit import MoveCircuit, compile_circuit
from proofs.errors import KeyDamaged, KeyMismatch, KeyNotFound
from proofs.groth16 import setup, vk_to_json
from proofs.r1cs import sha256_hex

DEVELOPMENT: Final = "development"
"""A key made by one party on one machine: whoever made it could forge proofs."""

CEREMONY: Final = "ceremony"
"""A key that several parties made: one honest one among them is enough."""

_VK: Final = "verifying_key.bin"
_VK_JSON: Final = "verifying_key.json"
_PROVING_KEY: Final = "proving_key.bin"
_RECORD: Final = "record.json"
_TRANSCRIPT: Final = "transcript.json"
_STAGING: Final = "new-"
_NAME: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class KeyRecord:
    """One key of the store; hashes are hexadecimal SHA-256."""

    circuit_hash: str
    key_hash: str
    vk: bytes
    proving_key: Path
    kind: str
    net: str
    transcript: str | None = None
    """The hash of a ceremony's transcript."""

    @property
    def vk_json(self) -> Path:
        """The verifying key in snarkjs' shape."""
        return self.proving_key.with_name(_VK_JSON)


class KeyStore:
    """Keys below one folder; safe to use from several processes."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)

    def ensure_dev_key(
        self,
        net: NetSpec,
        progress: Callable[[str], None] | None = None,
        *,
        circuit: MoveCircuit | None = None,
    ) -> KeyRecord:
        """The development key of `net`, made now (some seconds) if the store has none.

        `progress` hears one line at the start of each long step; `circuit` is the net's, if it is
        compiled already.
        """
        tell = progress or _silent
        circuit = circuit or compile_circuit(net)
        with self._lock():
            for record in self.of_circuit(circuit.hash):
                if record.kind == DEVELOPMENT:
                    return record
            tell(f"making a development key for {net.name}: {circuit.n_constraints} constraints")
            record = self._make(circuit)
            tell(f"key {record.key_hash} is ready")
            return record

    def add_ceremony(self, net: NetSpec, final: Path, transcript: Transcript) -> KeyRecord:
        """Keep a ceremony's key, whose transcript was verified.

        Raises KeyMismatch if it is of another circuit.
        """
        circuit = compile_circuit(net)
        if transcript.circuit != circuit.hash:
            raise KeyMismatch(net.name, circuit.hash, transcript.circuit)
        with self._lock():
            if (known := self.find(transcript.key)) is not None:
                return known
            proving_key, vk = keys_of(final)
            record = {"kind": CEREMONY, "transcript": transcript.hash}
            return self._add(circuit, proving_key, vk, record, {_TRANSCRIPT: transcript.to_bytes()})

    def add_fetched(self, circuit: MoveCircuit, vk: bytes, proving_key: ProvingKey) -> KeyRecord:
        """Keep a key that another one made, and that was seen to prove under `vk`.

        Counts as a development key, for what its maker said of it is nowhere to be checked here.
        """
        with self._lock():
            known = self.find(sha256_hex(vk))
            return known or self._add(circuit, proving_key, vk, {"kind": DEVELOPMENT}, {})

    def key_of(
        self,
        net: NetSpec,
        progress: Callable[[str], None] | None = None,
        *,
        circuit: MoveCircuit | None = None,
    ) -> KeyRecord:
        """The key to prove with: a ceremony's, the latest kept, else the development key."""
        circuit = circuit or compile_circuit(net)
        keys = self.of_circuit(circuit.hash)
        made = [key for key in keys if key.kind == CEREMONY]
        if made:
            return max(made, key=lambda key: key.proving_key.stat().st_mtime_ns)
        return self.ensure_dev_key(net, progress, circuit=circuit)

    def find(self, key_hash: str) -> KeyRecord | None:
        """The key of this hash, None if it is not here.  Raises KeyDamaged."""
        folder = self.root / key_hash
        if not _NAME.fullmatch(key_hash) or not folder.is_dir():
            return None
        return _read(folder)

    def get(self, key_hash: str) -> KeyRecord:
        """The key of this hash.  Raises KeyNotFound, KeyDamaged."""
        record = self.find(key_hash)
        if record is None:
            raise KeyNotFound(key_hash, str(self.root))
        return record

    def records(self) -> list[KeyRecord]:
        """Every key, ordered by hash.  Raises KeyDamaged."""
        if not self.root.is_dir():
            return []
        names = sorted(p.name for p in self.root.iterdir() if _NAME.fullmatch(p.name))
        return [self.get(name) for name in names]

    def of_circuit(self, circuit_hash: str) -> list[KeyRecord]:
        """The keys of one circuit, ordered by hash."""
        return [r for r in self.records() if r.circuit_hash == circuit_hash]

    def _make(self, circuit: MoveCircuit) -> KeyRecord:
        with tempfile.NamedTemporaryFile(suffix=".r1cs") as r1cs:
            r1cs.write(circuit.r1cs_bytes)
            r1cs.flush()
            proving_key, vk = setup(Path(r1cs.name))
        return self._add(circuit, proving_key, vk, {"kind": DEVELOPMENT}, {})

    def _add(
        self,
        circuit: MoveCircuit,
        proving_key: ProvingKey,
        vk: bytes,
        record: Mapping[str, str],
        files: Mapping[str, bytes],
    ) -> KeyRecord:
        for left in self.root.glob(f"{_STAGING}*"):  # by a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=self.root))
        try:
            proving_key.save(str(staging / _PROVING_KEY))
            (staging / _VK).write_bytes(vk)
            (staging / _VK_JSON).write_text(vk_to_json(vk) + "\n")
            for name, data in files.items():
                (staging / name).write_bytes(data)
            record = {"circuit": circuit.hash, "net": circuit.net.name, **record}
            (staging / _RECORD).write_text(json.dumps(record, indent=1) + "\n")
            folder = self.root / sha256_hex(vk)
            _sync(staging)
            staging.chmod(0o755)
            staging.rename(folder)  # fails if a folder with files is there: nothing is overwritten
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        return _read(folder)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """One setup at a time, across processes."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _silent(_line: str) -> None:
    pass


def _read(folder: Path) -> KeyRecord:
    try:
        vk = (folder / _VK).read_bytes()
        record = json.loads((folder / _RECORD).read_text())
        circuit, kind, net = (str(record[key]) for key in ("circuit", "kind", "net"))
        transcript = _transcript(folder, record) if kind == CEREMONY else None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KeyDamaged(str(folder), str(error)) from error
    if sha256_hex(vk) != folder.name:
        raise KeyDamaged(str(folder), "the verifying key has another hash")
    proving_key = folder / _PROVING_KEY
    if not proving_key.is_file():
        raise KeyDamaged(str(folder), "the proving key is missing")
    return KeyRecord(circuit, folder.name, vk, proving_key, kind, net, transcript)


def _transcript(folder: Path, record: dict[str, object]) -> str:
    """The hash of a ceremony's transcript, which lies beside its key."""
    found = sha256_hex((folder / _TRANSCRIPT).read_bytes())
    if found != record["transcript"]:
        raise KeyDamaged(str(folder), "the transcript has another hash")
    return found


def _sync(folder: Path) -> None:
    """Force the files to disk before their folder gets its name."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
