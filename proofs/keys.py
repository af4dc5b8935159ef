"""The key store: proving and verifying keys as content, named by their own hashes.

    <root>/<key hash>/verifying_key.bin    1152 bytes (proofs/groth16.py); its SHA-256 is the name
                      verifying_key.json   the same in snarkjs' shape
                      proving_key.bin      groth16py's format
                      record.json          {"circuit", "kind", "net"}

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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.net import NetSpec
from proofs.circuit import MoveCircuit, compile_circuit
from proofs.errors import KeyDamaged, KeyNotFound
from proofs.groth16 import setup, vk_to_json
from proofs.r1cs import sha256_hex

DEVELOPMENT: Final = "development"
"""A key made by one party on one machine: whoever made it could forge proofs."""

_VK: Final = "verifying_key.bin"
_VK_JSON: Final = "verifying_key.json"
_PROVING_KEY: Final = "proving_key.bin"
_RECORD: Final = "record.json"
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

    @property
    def vk_json(self) -> Path:
        """The verifying key in snarkjs' shape."""
        return self.proving_key.with_name(_VK_JSON)


class KeyStore:
    """Keys below one folder; safe to use from several processes."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)

    def ensure_dev_key(
        self, net: NetSpec, progress: Callable[[str], None] | None = None
    ) -> KeyRecord:
        """The development key of `net`, made now (some seconds) if the store has none.

        `progress` hears one line at the start of each long step.
        """
        tell = progress or _silent
        circuit = compile_circuit(net)
        with self._lock():
            for record in self.of_circuit(circuit.hash):
                if record.kind == DEVELOPMENT:
                    return record
            tell(f"making a development key for {net.name}: {circuit.n_constraints} constraints")
            record = self._make(circuit)
            tell(f"key {record.key_hash} is ready")
            return record

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
        for left in self.root.glob(f"{_STAGING}*"):  # by a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=self.root))
        try:
            r1cs = staging / "circuit.r1cs"
            r1cs.write_bytes(circuit.r1cs_bytes)
            proving_key, vk = setup(r1cs)
            r1cs.unlink()
            proving_key.save(str(staging / _PROVING_KEY))
            (staging / _VK).write_bytes(vk)
            (staging / _VK_JSON).write_text(vk_to_json(vk) + "\n")
            record = {"circuit": circuit.hash, "kind": DEVELOPMENT, "net": circuit.net.name}
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
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KeyDamaged(str(folder), str(error)) from error
    if sha256_hex(vk) != folder.name:
        raise KeyDamaged(str(folder), "the verifying key has another hash")
    proving_key = folder / _PROVING_KEY
    if not proving_key.is_file():
        raise KeyDamaged(str(folder), "the proving key is missing")
    return KeyRecord(circuit, folder.name, vk, proving_key, kind, net)


def _sync(folder: Path) -> None:
    """Force the files to disk before their folder gets its name."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
